"""What an evaluation of policies says for or against a model: the part of its report that promotion reads.

The report is the JSON that the evaluation of policies writes. Promotion reads one object of it, `promotion`:

    {"promotion": {
        "model_version": "25b70cbc8ad5",                                   what was evaluated
        "unit": "EUR a failed payment",
        "incumbent": {"name": "3a…", "net_value": {"value": 0.4, "low": 0.1, "high": 0.7}},   null where there is none
        "best_baseline": {"name": "best-fixed", "net_value": {"value": 1.2, "low": 0.8, "high": 1.6}},
        "breaches": 0,                                                     null where no rules were in force
        "slices": [{"by": "market", "word": "DE", "recovered": {"value": 0.01, "low": -0.01, "high": 0.03}}]}}

`net_value` is the model's policy less the other, paired; `recovered` is the model's recovered share less that of the
best baseline. Intervals are 95 %, by customer. `recoup evaluate --world` writes it (`training/trial/for_promotion.py`).
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from experiments.resamples import Estimate
from features.errors import InputError


@dataclass(frozen=True, slots=True)
class Difference:
    """How much more net value the model's policy makes than another, in the evidence's unit."""

    name: str
    net_value: Estimate


@dataclass(frozen=True, slots=True)
class SliceDifference:
    """Recovered share of one market or decline category, less that of the best baseline; 0.01 is one point."""

    by: str
    word: str
    recovered: Estimate


@dataclass(frozen=True, slots=True)
class PolicyEvidence:
    """What is known of the policy built on a model.

    Args:
        model_version: Content hash of the model that was evaluated.
        incumbent: Against the champion of that time, named by its content hash; None where there was none.
        best_baseline: Against the best of what could answer without any trained model.
        breaches: Attempts that a cap forbade; None where no rules were in force, so that none was looked for.
    """

    model_version: str
    unit: str
    incumbent: Difference | None
    best_baseline: Difference
    breaches: int | None
    slices: tuple[SliceDifference, ...]

    def to_json(self) -> dict[str, object]:
        """The object `promotion` of a report, as `read_evidence` reads it."""
        return asdict(self)


def read_evidence(path: Path) -> PolicyEvidence:
    """The evidence in an evaluation's JSON report.

    Raises:
        InputError: No such file, not JSON, or a part of `promotion` is missing or is not what it must be.
    """
    try:
        document = json.loads(path.read_bytes())
    except OSError:
        raise InputError(f"{path}: no such file; expected the JSON report of an evaluation of policies") from None
    except ValueError:
        raise InputError(f"{path}: is not JSON; expected the JSON report of an evaluation of policies") from None
    if isinstance(document, Mapping) and "promotion" not in document:
        raise InputError(
            f"{path}: promotion is missing; `recoup evaluate --world` writes it when it plays a trained model against "
            "all baselines (without --crossfit or --policies)"
        )
    found = _Part(path, "", document).part("promotion")
    incumbent, slices = found.value("incumbent"), found.parts("slices")
    return PolicyEvidence(
        model_version=found.text("model_version"),
        unit=found.text("unit"),
        incumbent=None if incumbent is None else _difference(found.part("incumbent")),
        best_baseline=_difference(found.part("best_baseline")),
        breaches=None if found.value("breaches") is None else found.count("breaches"),
        slices=tuple(SliceDifference(s.text("by"), s.text("word"), s.estimate("recovered")) for s in slices),
    )


def _difference(part: "_Part") -> Difference:
    return Difference(part.text("name"), part.estimate("net_value"))


class _Part:
    """One object of the report; what is asked of it is there, or named in a refusal."""

    def __init__(self, path: Path, place: str, value: object) -> None:
        self._path, self._place = path, place
        if not isinstance(value, Mapping):
            raise InputError(f"{path}: {place or 'the report'} must be an object")
        self._value = value

    def value(self, key: str) -> object:
        """What stands under the key."""
        if key not in self._value:
            raise InputError(f"{self._path}: {self._name(key)} is missing")
        return self._value[key]

    def part(self, key: str) -> "_Part":
        """The object under the key."""
        return _Part(self._path, self._name(key), self.value(key))

    def parts(self, key: str) -> list["_Part"]:
        """The objects of the list under the key."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self._fault(key, value, "a list of objects")
        return [_Part(self._path, f"{self._name(key)}[{number}]", one) for number, one in enumerate(value)]

    def text(self, key: str) -> str:
        """The text under the key."""
        value = self.value(key)
        if not isinstance(value, str) or not value:
            raise self._fault(key, value, "a text")
        return value

    def count(self, key: str) -> int:
        """The count under the key."""
        value = self.value(key)
        if not isinstance(value, int) or value < 0:
            raise self._fault(key, value, "a whole number, zero or more")
        return value

    def estimate(self, key: str) -> Estimate:
        """The figure with its interval under the key."""
        part = self.part(key)
        value, low, high = (part.number(name) for name in ("value", "low", "high"))
        if low > high:
            raise self._fault(key, f"from {low} to {high}", "an interval that rises")
        return Estimate(value, low, high)

    def number(self, key: str) -> float:
        """The number under the key."""
        value = self.value(key)
        if not isinstance(value, int | float):
            raise self._fault(key, value, "a number")
        return float(value)

    def _name(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def _fault(self, key: str, value: object, right: str) -> InputError:
        return InputError(f"{self._path}: {self._name(key)}: {value!r} is not valid; expected {right}")

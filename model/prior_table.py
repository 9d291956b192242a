"""The shipped prior as data: model/data/prior.toml, validated whole."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from features.vocabulary import DeclineCategory, Rail, Retryability
from model.toml_file import Checked, Path, parsed

UNTRIED = "untried"
LOWEST, HIGHEST = 0.002, 0.98
"""No chance that the prior gives lies beyond them."""
NO_USE_UNCHANGED = (Retryability.NEVER, Retryability.AFTER_FIX, Retryability.WITH_AUTHENTICATION)


@dataclass(frozen=True, slots=True)
class Approval:
    """P(approved) of a first retry after one category of decline.

    Args:
        by_rail: Mean for card, bank_debit and other.
        weight: Pseudo-count: the number of attempts the mean is worth.
        waiting: Name of the waiting curve.
    """

    by_rail: Mapping[str, float]
    weight: float
    waiting: str

    def mean(self, rail: Rail) -> float:
        """The mean on that rail."""
        return self.by_rail.get(rail, self.by_rail["other"])


@dataclass(frozen=True, slots=True)
class Bands:
    """A step function: `shift[i]` holds below `edges[i]`, the last shift beyond all edges."""

    edges: tuple[float, ...]
    shift: tuple[float, ...]
    _edges: NDArray[np.float64] = field(init=False, repr=False, compare=False)
    _shift: NDArray[np.float64] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_edges", np.array(self.edges, dtype=np.float64))
        object.__setattr__(self, "_shift", np.array(self.shift, dtype=np.float64))

    def at(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The step function at each value, same shape."""
        steps: NDArray[np.float64] = self._shift[self._edges.searchsorted(values, side="right")]
        return steps


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Shifts of the log-odds that hold for every category; see the file for each."""

    declined_retry: float
    declined_retries_at_most: float
    no_use_unchanged: float
    bank_holiday: float
    other_processor_technical: float
    other_processor: float
    approved_lately: float
    approved_lately_days: float


@dataclass(frozen=True, slots=True)
class PriorTable:
    """All figures of the prior.

    Args:
        approval: By category of the last decline, and `untried`.
        waiting: Curves over hours since the failure.
        hour: Curve over the issuer's local hour.
        after_payday: Curve over days since the market's last payday, for insufficient funds.
        before_payday: (days, shift) for the days just before the next payday.
        version: Short hash of all figures.
    """

    approval: Mapping[str, Approval]
    waiting: Mapping[str, Bands]
    hour: Bands
    after_payday: Bands
    before_payday: tuple[float, float]
    circumstances: Circumstances
    version: str

    @classmethod
    def from_toml(cls, text: str, source: str = "prior") -> "PriorTable":
        """The figures of a file.

        Raises:
            InputError: Not TOML, or faulty; names every faulty key.
        """
        checked = Checked(parsed(text, source), source)
        table = _table(checked)
        checked.finish()
        return table


@cache
def shipped_table() -> PriorTable:
    """The table that comes with Recoup."""
    return PriorTable.from_toml((files("model") / "data" / "prior.toml").read_text(encoding="utf-8"), "prior.toml")


def _table(checked: Checked) -> PriorTable:
    checked.only_keys(("approval",), {*map(str, DeclineCategory), UNTRIED})
    curves = checked.keys(("waiting",))
    return PriorTable(
        approval={name: _approval(checked, name, curves) for name in (*map(str, DeclineCategory), UNTRIED)},
        waiting={name: _bands(checked, ("waiting", name), "hours") for name in curves},
        hour=_bands(checked, ("hour",), "hours"),
        after_payday=_bands(checked, ("payday",), "days_after"),
        before_payday=(
            checked.number(("payday", "days_before"), 0.0, 31.0),
            checked.number(("payday", "before"), -5.0, 5.0),
        ),
        circumstances=_circumstances(checked),
        version=checked.digest(),
    )


def _approval(checked: Checked, name: str, curves: list[str]) -> Approval:
    path = ("approval", name)
    rails = ("card", "bank_debit", "other")
    return Approval(
        by_rail={rail: checked.number((*path, rail), 0.001, 0.999) for rail in rails},
        weight=checked.number((*path, "weight"), 1.0, 1000.0),
        waiting=checked.word((*path, "waiting"), curves),
    )


def _circumstances(checked: Checked) -> Circumstances:
    def shift(name: str) -> float:
        return checked.number(("circumstances", name), -5.0, 5.0)

    return Circumstances(
        declined_retry=shift("declined_retry"),
        declined_retries_at_most=checked.number(("circumstances", "declined_retries_at_most"), 0.0, 100.0),
        no_use_unchanged=shift("no_use_unchanged"),
        bank_holiday=shift("bank_holiday"),
        other_processor_technical=shift("other_processor_technical"),
        other_processor=shift("other_processor"),
        approved_lately=shift("approved_lately"),
        approved_lately_days=checked.number(("circumstances", "approved_lately_days"), 0.0, 3650.0),
    )


def _bands(checked: Checked, path: Path, edges: str) -> Bands:
    bounds = checked.numbers((*path, edges))
    shifts = checked.numbers((*path, "shift"))
    if len(shifts) != len(bounds) + 1 or list(bounds) != sorted(bounds):
        checked.fault((*path, "shift"), list(shifts), f"rising {edges} and one shift more than {edges}")
        return Bands((), (0.0,))
    return Bands(bounds, shifts)

"""Calibrators: what turns a raw probability into one that means what it says, as values of a few numbers.

Each is monotone, applies with numpy alone, and is stored as JSON. Fitting them is training's business. One kind reads
the decline category beside the probability and is monotone within each; `calibrated` applies whichever it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.table import CATEGORIES

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Json: TypeAlias = "float | str | list[float] | dict[str, list[float]]"

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Unchanged:
    """q = p."""

    def apply(self, p: Floats) -> Floats:
        """The probabilities as they are, kept inside (0, 1)."""
        return _inside(p)


@dataclass(frozen=True, slots=True)
class Temperature:
    """logit q = logit p / temperature, temperature > 0 (Guo et al. 2017)."""

    temperature: float

    def apply(self, p: Floats) -> Floats:
        """Softened (temperature above 1) or sharpened probabilities, same shape."""
        inside = _inside(p)
        return _sigmoid((np.log(inside) - np.log1p(-inside)) / self.temperature)


@dataclass(frozen=True, slots=True)
class Beta:
    """logit q = a ln p - b ln(1 - p) + c with a, b >= 0 (Kull, Silva Filho & Flach 2017)."""

    a: float
    b: float
    c: float

    def apply(self, p: Floats) -> Floats:
        """Probabilities through the beta curve, same shape; a = b = 1, c = 0 leaves them as they are."""
        inside = _inside(p)
        return _sigmoid(self.a * np.log(inside) - self.b * np.log1p(-inside) + self.c)


@dataclass(frozen=True, slots=True)
class Isotonic:
    """A rising line through (raw, calibrated) knots, flat beyond the ends (Zadrozny & Elkan 2002)."""

    raw: tuple[float, ...]
    calibrated: tuple[float, ...]

    def apply(self, p: Floats) -> Floats:
        """Probabilities interpolated between the knots, same shape."""
        return _inside(np.asarray(np.interp(p, self.raw, self.calibrated), dtype=np.float64))


@dataclass(frozen=True, slots=True)
class VennAbers:
    """The merged probability of an inductive Venn-Abers predictor at knots, a line between, flat beyond the ends.

    At each knot the predictor holds two probabilities, of an isotonic fit with the knot added as declined and as
    approved, p0 < p1; merged they are p1 / (1 - p0 + p1) (Vovk, Petej & Fedorova 2015).
    """

    raw: tuple[float, ...]
    merged: tuple[float, ...]

    def apply(self, p: Floats) -> Floats:
        """Probabilities interpolated between the knots, same shape."""
        return _inside(np.asarray(np.interp(p, self.raw, self.merged), dtype=np.float64))


@dataclass(frozen=True, slots=True)
class Line:
    """logit q = intercept + slope · logit p, slope >= 0 (Platt 1999; Cox 1958)."""

    intercept: float
    slope: float

    def apply(self, p: Floats) -> Floats:
        """Probabilities moved along the line, same shape."""
        inside = _inside(p)
        return _sigmoid(self.intercept + self.slope * (np.log(inside) - np.log1p(-inside)))


@dataclass(frozen=True, slots=True)
class ByCategory:
    """A line for each decline category, and one for every category that has none of its own.

    Args:
        lines: By the word of a category in `features.table.CATEGORIES`.
        other: For the rest, and where the category is not known.
    """

    lines: Mapping[str, Line]
    other: Line
    _intercept: Floats = field(init=False, repr=False, compare=False)
    _slope: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Both by the number of the category, and of the one that is not known at the end."""
        of_code = [*(self.lines.get(str(word), self.other) for word in CATEGORIES), self.other]
        object.__setattr__(self, "_intercept", np.array([line.intercept for line in of_code]))
        object.__setattr__(self, "_slope", np.array([line.slope for line in of_code]))

    def apply(self, p: Floats) -> Floats:
        """Probabilities of rows whose category is not known."""
        return self.other.apply(p)

    def apply_by_category(self, p: Floats, category: Int64s) -> Floats:
        """Probabilities along the line of each row's category, same shape as p.

        Args:
            p: Shape (n,) or (n, k).
            category: Position in CATEGORIES of each row, -1 for not known, shape (n,).
        """
        intercept, slope = self._intercept[category], self._slope[category]
        inside = _inside(p)
        score = np.log(inside) - np.log1p(-inside)
        return _sigmoid((intercept + slope * score.T).T)


UNREAD: Int64s = np.empty(0, dtype=np.int64)
"""The categories for a calibrator that does not read them."""

Calibrator = Unchanged | Temperature | Beta | Isotonic | VennAbers | ByCategory


def calibrated(calibrator: Calibrator, p: Floats, category: Int64s) -> Floats:
    """The calibrated probabilities, same shape as p.

    Args:
        p: Shape (n,) or (n, k).
        category: Decline category of each row, as in `ByCategory`, shape (n,); only that one reads it.
    """
    if isinstance(calibrator, ByCategory):
        return calibrator.apply_by_category(p, category)
    return calibrator.apply(p)


def to_json(calibrator: Calibrator) -> dict[str, Json]:
    """The calibrator as JSON values, its kind first."""
    match calibrator:
        case Unchanged():
            return {"kind": "none"}
        case Temperature(temperature):
            return {"kind": "temperature", "temperature": temperature}
        case Beta(a, b, c):
            return {"kind": "beta", "a": a, "b": b, "c": c}
        case Isotonic(raw, levels):
            return {"kind": "isotonic", "raw": list(raw), "calibrated": list(levels)}
        case VennAbers(raw, merged):
            return {"kind": "venn_abers", "raw": list(raw), "merged": list(merged)}
        case ByCategory(lines, other):
            each = {word: [line.intercept, line.slope] for word, line in sorted(lines.items())}
            return {"kind": "by_category", "lines": each, "other": [other.intercept, other.slope]}


def from_json(value: object) -> Calibrator:
    """The calibrator those JSON values describe.

    Raises:
        InputError: The kind is unknown, a number is missing or not finite, or the curve is not monotone.
    """
    if not isinstance(value, Mapping):
        raise InputError("calibrator.json: expected an object with a kind")
    kind = value.get("kind")
    if kind == "none":
        return Unchanged()
    if kind == "temperature":
        return Temperature(_positive(value, "temperature"))
    if kind == "beta":
        return Beta(_at_least_zero(value, "a"), _at_least_zero(value, "b"), _number(value, "c"))
    if kind == "isotonic":
        return Isotonic(*_knots(value, "calibrated"))
    if kind == "venn_abers":
        return VennAbers(*_knots(value, "merged"))
    if kind == "by_category":
        return _by_category(value)
    raise InputError(
        f"calibrator.json: kind {kind!r} is not known; expected none, temperature, beta, isotonic, venn_abers or "
        "by_category"
    )


def _inside(p: Floats) -> Floats:
    return np.minimum(np.maximum(p, _TINY), 1.0 - _TINY)


def _sigmoid(x: Floats) -> Floats:
    return _inside(np.asarray(1.0 / (1.0 + np.exp(-np.clip(x, -60.0, 60.0))), dtype=np.float64))


def _number(value: Mapping[object, object], key: str) -> float:
    number = value.get(key)
    if not isinstance(number, int | float) or not np.isfinite(number):
        raise InputError(f"calibrator.json: {key} is {number!r}; expected a finite number")
    return float(number)


def _at_least_zero(value: Mapping[object, object], key: str) -> float:
    number = _number(value, key)
    if number < 0:
        raise InputError(f"calibrator.json: {key} is {number}; expected zero or more, or the curve would fall")
    return number


def _positive(value: Mapping[object, object], key: str) -> float:
    number = _number(value, key)
    if number <= 0:
        raise InputError(f"calibrator.json: {key} is {number}; expected a number above zero")
    return number


def _knots(value: Mapping[object, object], levels: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    raw, heights = _numbers(value, "raw"), _numbers(value, levels)
    if len(raw) != len(heights) or not raw:
        raise InputError(f"calibrator.json: raw and {levels} must be lists of the same length, at least one")
    if any(np.diff(raw) <= 0) or any(np.diff(heights) < 0):
        raise InputError("calibrator.json: the knots must rise")
    return raw, heights


def _by_category(value: Mapping[object, object]) -> ByCategory:
    lines = value.get("lines")
    if not isinstance(lines, Mapping):
        raise InputError("calibrator.json: lines must be an object of intercept and slope by decline category")
    unknown = sorted(str(word) for word in lines if word not in {str(known) for known in CATEGORIES})
    if unknown:
        raise InputError(f"calibrator.json: lines holds {unknown[0]!r}, which is no decline category")
    return ByCategory({str(word): _line(lines, str(word)) for word in lines}, _line(value, "other"))


def _line(value: Mapping[object, object], key: str) -> Line:
    numbers = _numbers(value, key)
    if len(numbers) != 2 or numbers[1] < 0:
        raise InputError(f"calibrator.json: {key} must hold an intercept and a slope of zero or more")
    return Line(*numbers)


def _numbers(value: Mapping[object, object], key: str) -> tuple[float, ...]:
    numbers = value.get(key)
    if not isinstance(numbers, list) or not all(isinstance(n, int | float) and np.isfinite(n) for n in numbers):
        raise InputError(f"calibrator.json: {key} must be a list of finite numbers")
    return tuple(float(n) for n in numbers)

"""Calibrators: what turns a raw probability into one that means what it says, as values of a few numbers.

Each is monotone, applies with numpy alone, and is stored as JSON. Fitting them is training's business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError

Floats = NDArray[np.float64]
Json: TypeAlias = "float | str | list[float]"

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


Calibrator = Unchanged | Temperature | Beta | Isotonic


def to_json(calibrator: Calibrator) -> dict[str, Json]:
    """The calibrator as JSON values, its kind first."""
    match calibrator:
        case Unchanged():
            return {"kind": "none"}
        case Temperature(temperature):
            return {"kind": "temperature", "temperature": temperature}
        case Beta(a, b, c):
            return {"kind": "beta", "a": a, "b": b, "c": c}
        case Isotonic(raw, calibrated):
            return {"kind": "isotonic", "raw": list(raw), "calibrated": list(calibrated)}


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
        return _isotonic(value)
    raise InputError(f"calibrator.json: kind {kind!r} is not known; expected none, temperature, beta or isotonic")


def _inside(p: Floats) -> Floats:
    return np.clip(p, _TINY, 1.0 - _TINY)


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


def _isotonic(value: Mapping[object, object]) -> Isotonic:
    raw, calibrated = _numbers(value, "raw"), _numbers(value, "calibrated")
    if len(raw) != len(calibrated) or not raw:
        raise InputError("calibrator.json: raw and calibrated must be lists of the same length, at least one")
    if any(np.diff(raw) <= 0) or any(np.diff(calibrated) < 0):
        raise InputError("calibrator.json: the knots must rise")
    return Isotonic(raw, calibrated)


def _numbers(value: Mapping[object, object], key: str) -> tuple[float, ...]:
    numbers = value.get(key)
    if not isinstance(numbers, list) or not all(isinstance(n, int | float) and np.isfinite(n) for n in numbers):
        raise InputError(f"calibrator.json: {key} must be a list of finite numbers")
    return tuple(float(n) for n in numbers)

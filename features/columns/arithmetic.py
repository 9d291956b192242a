"""The few calculations that columns share."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from features.calendars import MONTH
from features.encoders import Encoders
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR
from features.known import pick
from features.rows import Rows

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_SMALLEST = 1e-3


def hours_between(later: Int64s, earlier: Floats) -> Floats:
    """Hours from one instant to another (microseconds), NaN where the earlier one is."""
    return (later - earlier) / MICROS_PER_HOUR


def days_between(later: Int64s, earlier: Floats) -> Floats:
    """The same in days."""
    return (later - earlier) / MICROS_PER_DAY


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient; NaN where the denominator is zero."""
    quotient = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=quotient, where=denominator > 0)
    return quotient


def shrunk(hits: Floats, weight: Floats, parent: Floats, strength: float) -> Floats:
    """Weighted share of hits, drawn towards the parent's as by `strength` more observations of it."""
    return (hits + strength * parent) / (weight + strength)


def month_distance(day: NDArray[np.generic], other: NDArray[np.generic]) -> Floats:
    """Days from another day of the month to this one, the short way round: in [-15.2, 15.2)."""
    half = MONTH / 2
    distance: Floats = (np.subtract(day, other, dtype=np.float64) + half) % MONTH - half
    return distance


def log_amount(major: Floats) -> Floats:
    """log10 of amounts in major units, of a thousandth at least, since the logarithm must exist; same shape."""
    return np.log10(np.maximum(major, _SMALLEST))


def if_known(rows: Rows, values: NDArray[np.generic]) -> Floats:
    """The values, or NaN where the customer's past was not sent."""
    if not rows.customer_known:
        return np.full(values.shape, np.nan)
    return values.astype(np.float64)


def codes_at(values: Int64s, positions: Int64s) -> Int64s:
    """The codes at the positions, -1 where a position is."""
    return pick(values, positions, -1).astype(np.int64)


def known_word(codes: NDArray[np.generic], unknown: int) -> Int64s:
    """The codes, -1 for the word that stands for "not known"."""
    return np.where(np.equal(codes, unknown), -1, codes).astype(np.int64)


def same_as_last(codes: Int64s, rows: Rows) -> Floats:
    """1 where the asked attempt has the latest attempt's code, 0 where another, NaN where there is no latest."""
    last = pick(codes, rows.last_in_payment)
    same: Floats = np.where(np.isnan(last), np.nan, np.equal(last, rows.asked(codes)))
    return same


def unless_missing(codes: Int64s) -> Floats:
    """The numbers as floats, NaN for -1."""
    return np.where(codes < 0, np.nan, codes)


def by_calendar(rows: Rows, values_of: Callable[[str, Flags], NDArray[np.generic]]) -> Floats:
    """Values of each row by the bank calendar of its method.

    Args:
        values_of: From a calendar and which rows follow it to their values.
    """
    result = np.full(len(rows), np.nan)
    for calendar, chosen in rows.calendars:
        result[chosen] = values_of(calendar, chosen)
    return result


def rate(rows: Rows, encoders: Encoders, name: str) -> Floats:
    """The family's rate as known at each row's decision; all families are looked up once."""
    if rows.memo is None or rows.memo[0] is not encoders:
        rows.memo = (encoders, encoders.rates(rows))
    return rows.memo[1][name]


def lift(rows: Rows, encoders: Encoders, name: str, against: str) -> Floats:
    """Points of a hundred by which the family's rate lies above a wider one's, as known at each row's decision.

    The difference leaves out what all issuers and days have in common at the time, so that the model cannot learn the
    calendar from it; whole points, because rates are not known more finely.
    """
    return np.rint(100 * (rate(rows, encoders, name) - rate(rows, encoders, against)))

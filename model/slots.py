"""The slots of time in which an attempt can be made, on the issuer's local clock.

Slots start and end on local hours (whatever daylight saving does), lies inside the horizon, and no two of one
route overlap:

- by the hour for the next 48 hours;
- after that one hour a quarter of the local day: 00, 09, 14 and 19 o'clock stand for night, morning, afternoon and
  evening. Night is its first hour because limits reset and wages are posted at midnight; the others are hours in
  which banks and people are awake. One hour, not six, so that the probability holds for the whole window; a far slot is
  refined by the hour when the decision is asked for again within 48 hours of it;
- bank debits: one slot a banking day of their scheme, 08 to 15 o'clock, the hours in which a file reaches the
  bank's cut-off of the same day (ours: cut-offs differ by bank, most lie between 14 and 18 o'clock);
- what is left of this hour, at once through another route than the one that failed, and a quarter of an hour after an
  outage through the same one;
- where history knows days only: one slot a day from noon, because such histories put a day at its noon.
"""

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.action import Slot
from features.calendars import is_banking_day, to_day
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR, from_micros, to_micros
from features.proposed import slot_between
from features.time_zones import LAST_YEAR, local_day, local_micros, offset_micros
from model.issuer_clock import IssuerClock
from model.wording import local_date

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

NEAR_HOURS = 48
QUARTER_HOURS = (0, 9, 14, 19)
DEBIT_OPENS, DEBIT_CUT_OFF = 8, 15
NOON = 12

_GRIDS = 256  # of slots, one for each clock and hour that decisions are made in
_REACH = 30 * MICROS_PER_DAY  # a grid is made for so long or a multiple, and cut
_LAST_MICROS = to_micros(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC))


class Hours(NamedTuple):
    """Local hours between two instants: hour `i` is `[start[i], start[i + 1])`; the last start only ends that before.

    Args:
        start: UTC microseconds, rising, shape (n,).
        day: Local day number of each, shape (n,).
        hour: Local hour of each, 0 to 23, shape (n,).
    """

    start: Int64s
    day: Int64s
    hour: Int64s


class Grid(NamedTuple):
    """Hourly slots, worked out once for every decision of the same hour on the same clock.

    Args:
        hours: All local hours from the first that can be used on.
        start, end: When each slot begins and ends, in order of time, microseconds, shape (n,).
        day: Local day number of each, shape (n,).
    """

    hours: Hours
    start: Int64s
    end: Int64s
    day: Int64s

    def until(self, last: int, last_day: date | None) -> "Grid":
        """Its slots that end by an instant (microseconds) and begin up to and including a local day."""
        count = int(np.searchsorted(self.end, last, side="right"))
        if last_day is not None:
            count = min(count, int(np.searchsorted(self.day, to_day(last_day), side="right")))
        return Grid(self.hours, self.start[:count], self.end[:count], self.day[:count])


def hourly_grid(zone: str, first: datetime, last: datetime) -> Grid:
    """The slots of `hourly_slots` between two instants, from what is remembered of the same hour."""
    step, low, high = _step(zone), to_micros(first), to_micros(last)
    reach = max(-(-(high - low) // _REACH), 1) * _REACH
    return _grid(zone, -(-low // step) * step, reach + MICROS_PER_HOUR)


@lru_cache(maxsize=_GRIDS)
def _grid(zone: str, first: int, reach: int) -> Grid:
    as_of = from_micros(first)
    hours = local_hours(zone, as_of, from_micros(first + reach))
    slots = hourly_slots(hours, as_of, None)
    start, end = edges(slots)
    return Grid(hours, start, end, local_day(local_micros(zone, start)))


def edges(slots: Sequence[Slot]) -> tuple[Int64s, Int64s]:
    """When each slot begins and ends, microseconds."""
    start = np.array([slot.start_micros for slot in slots], dtype=np.int64)
    return start, np.array([slot.end_micros for slot in slots], dtype=np.int64)


@cache
def _step(zone: str) -> int:
    """Hours strike on the zone's clock at multiples of so many microseconds; an hour, or a part of it.

    >>> _step("Europe/Berlin") // 60_000_000, _step("Asia/Kolkata") // 60_000_000
    (60, 30)
    """
    days = np.arange(0, _LAST_MICROS, MICROS_PER_DAY, dtype=np.int64)
    return math.gcd(MICROS_PER_HOUR, *np.unique(offset_micros(zone, days)).tolist())


def local_hours(zone: str, first: datetime, last: datetime) -> Hours:
    """Every instant in [first, last] at which a full hour strikes on the zone's clock."""
    low, high = to_micros(first), to_micros(last)
    probes = np.arange(low - MICROS_PER_DAY, high + MICROS_PER_DAY, MICROS_PER_HOUR, dtype=np.int64)
    found = [_strikes(zone, int(offset), low, high) for offset in np.unique(offset_micros(zone, probes))]
    start = np.unique(np.concatenate(found))
    local = local_micros(zone, start)
    return Hours(start, local_day(local), local % MICROS_PER_DAY // MICROS_PER_HOUR)


def hourly_slots(hours: Hours, as_of: datetime, last_day: date | None) -> tuple[Slot, ...]:
    """Each hour of the next 48, then one hour a local quarter of the day, up to and including `last_day`."""
    near = hours.start < to_micros(as_of) + NEAR_HOURS * MICROS_PER_HOUR
    chosen = (near | np.isin(hours.hour, QUARTER_HOURS)) & _until(hours, last_day)
    return tuple(_slot(hours, i, i + 1) for i in np.flatnonzero(chosen[:-1]).tolist())


def debit_slots(hours: Hours, clock: IssuerClock, last_day: date | None) -> tuple[Slot, ...]:
    """One slot a banking day, from opening to cut-off; today's what is left of it."""
    chosen = is_banking_day(clock.calendar, hours.day) & (hours.hour >= DEBIT_OPENS) & (hours.hour < DEBIT_CUT_OFF)
    return _daily(hours, chosen & _until(hours, last_day))


def day_slots(hours: Hours, clock: IssuerClock, last_day: date | None, *, after: date, debit: bool) -> tuple[Slot, ...]:
    """One slot a day from its noon, on days later than `after`; for debits on banking days and until the cut-off."""
    chosen = (hours.hour >= NOON) & (hours.day > to_day(after)) & _until(hours, last_day)
    if debit:
        chosen &= is_banking_day(clock.calendar, hours.day) & (hours.hour < DEBIT_CUT_OFF)
    noon = hours.day[chosen & (hours.hour == NOON)]
    return _daily(hours, chosen & np.isin(hours.day, noon))


def odd_slot(hours: Hours, clock: IssuerClock, start: datetime, last_day: date | None) -> Slot | None:
    """From an instant, rounded up to the minute, to the next local hour; None where that hour strikes first.

    Such slots are the only ones that do not start on a local hour.
    """
    start += -timedelta(seconds=start.second, microseconds=start.microsecond) % timedelta(minutes=1)
    if not hours.start.size or from_micros(hours.start[0]) <= start:
        return None
    if last_day is not None and local_date(start, clock.zone) > last_day:
        return None
    return slot_between(to_micros(start), int(hours.start[0]))


def _strikes(zone: str, offset: int, low: int, high: int) -> Int64s:
    first = -(-(low + offset) // MICROS_PER_HOUR) * MICROS_PER_HOUR - offset
    grid = np.arange(first, high + 1, MICROS_PER_HOUR, dtype=np.int64)
    struck: Int64s = grid[offset_micros(zone, grid) == offset]
    return struck


def _until(hours: Hours, last_day: date | None) -> Flags:
    if last_day is None:
        return np.ones(hours.day.shape, dtype=np.bool_)
    until: Flags = hours.day <= to_day(last_day)
    return until


def _daily(hours: Hours, chosen: Flags) -> tuple[Slot, ...]:
    """One slot for each day's run of chosen hours."""
    index = np.flatnonzero(chosen[:-1])
    if not index.size:
        return ()
    breaks = np.flatnonzero(np.diff(hours.day[index])) + 1
    return tuple(_slot(hours, int(run[0]), int(run[-1]) + 1) for run in np.split(index, breaks))


def _slot(hours: Hours, start: int, end: int) -> Slot:
    return slot_between(int(hours.start[start]), int(hours.start[end]))

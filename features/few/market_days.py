"""What a calendar says of each day, as one table a bank calendar and market, so that a loop can look it up."""

from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features import calendars
from features.time_zones import transitions, weekday

Int64s = NDArray[np.int64]
Int32s = NDArray[np.int32]

_NOWHERE = -1
_TABLES = 256


class Day(IntEnum):
    """The columns of a table of days."""

    WEEKDAY = 0
    OF_MONTH = 1
    TO_MONTH_END = 2
    BANKING = 3
    HOLIDAY = 4
    TO_CLOSED = 5
    FROM_CLOSED = 6
    TO_PROCESSING_LATE = 7
    FROM_PAYDAY = 8
    TO_PAYDAY = 9
    MONTH = 10
    TO_PROCESSING = 11


Followed = tuple[str, str | None]
"""(bank calendar, country whose paydays count or None)."""


@lru_cache(maxsize=_TABLES)
def tables_of(followed: tuple[Followed, ...], first_month: int, last_month: int) -> tuple[int, Int32s]:
    """(first day, what each calendar says of every day of some months, shape (calendars, days, len(Day))).

    Args:
        first_month, last_month: Months since January 1970. Only these: holidays of far years are not known everywhere.
    """
    days = np.arange(calendars.first_of_month(first_month), calendars.first_of_month(last_month + 1), dtype=np.int64)
    return int(days[0]), np.stack([_table(calendar, country, days) for calendar, country in followed])


def _table(calendar: str, country: str | None, days: Int64s) -> Int32s:
    table = np.empty((days.size, len(Day)), dtype=np.int32)
    table[:, Day.WEEKDAY] = weekday(days)
    table[:, Day.OF_MONTH] = calendars.day_of_month(days)
    table[:, Day.TO_MONTH_END] = calendars.days_to_month_end(days)
    table[:, Day.BANKING] = calendars.is_banking_day(calendar, days)
    table[:, Day.HOLIDAY] = calendars.is_holiday(calendar, days)
    table[:, Day.TO_CLOSED] = calendars.days_to_closed_day(calendar, days)
    table[:, Day.FROM_CLOSED] = calendars.days_from_closed_day(calendar, days)
    table[:, Day.TO_PROCESSING_LATE] = calendars.days_to_processing(calendar, days, np.full(days.shape, 23.0))
    table[:, Day.FROM_PAYDAY] = _NOWHERE if country is None else calendars.days_from_payday(country, days)
    table[:, Day.TO_PAYDAY] = _NOWHERE if country is None else calendars.days_to_payday(country, days)
    table[:, Day.TO_PROCESSING] = calendars.days_to_processing(calendar, days, np.zeros(days.shape))
    table[:, Day.MONTH] = calendars.month_of(days)
    return table


@lru_cache(maxsize=_TABLES)
def clocks_of(zones: tuple[str, ...]) -> tuple[Int64s, Int64s, Int64s]:
    """(where each zone's changes begin, and the end of the last; instants of the changes; offset from each on)."""
    each = [transitions(zone) for zone in zones]
    begins = np.cumsum([0, *(starts.size for starts, _ in each)], dtype=np.int64)
    return begins, np.concatenate([starts for starts, _ in each]), np.concatenate([offsets for _, offsets in each])

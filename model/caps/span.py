"""Lengths of time as rules state them: hours, and days, banking days and months of a local calendar."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache

import numpy as np

from features.calendars import is_banking_day, next_banking_day, to_date, to_day
from features.instants import MICROS_PER_HOUR, from_micros, to_micros
from features.time_zones import zone

_REMEMBERED = 4_096
_DAY = timedelta(days=1)


class Unit(StrEnum):
    """What a span is counted in."""

    HOURS = "hours"
    DAYS = "days"  # of the local calendar
    BANKING_DAYS = "banking_days"
    MONTHS = "months"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time.

    Args:
        zone: IANA zone whose days and months are meant; hours need none.
        calendar: For banking days, the country's or scheme's calendar as in features.calendars.
    """

    length: int
    unit: Unit = Unit.HOURS
    zone: str = "UTC"
    calendar: str = ""

    def end(self, micros: int) -> int:
        """The first instant (int64 microseconds) at which the span that began then is over.

        Days are counted from the local day of the beginning and are over when the last one begins: what starts
        on the 1st and takes 2 days is over when the 3rd begins. Banking days are counted from the first banking
        day on or after the beginning. A month ends on the same day of the month, or on the last there is.
        """
        if self.unit is Unit.HOURS:
            return micros + self.length * MICROS_PER_HOUR
        return _day_begins(self.zone, self._day_after(local_date(self.zone, micros)))

    def period_end(self, micros: int) -> int:
        """The first instant after the local day or month (of the calendar) in which the instant lies."""
        day = local_date(self.zone, micros)
        if self.unit is Unit.MONTHS:
            return _day_begins(self.zone, _months_later(day.replace(day=1), 1))
        return _day_begins(self.zone, day + _DAY)

    def period_begin(self, micros: int) -> int:
        """The first instant of the local day or month (of the calendar) in which the instant lies."""
        day = local_date(self.zone, micros)
        return _day_begins(self.zone, day.replace(day=1) if self.unit is Unit.MONTHS else day)

    def _day_after(self, day: date) -> date:
        if self.unit is Unit.MONTHS:
            return _months_later(day, self.length)
        if self.unit is Unit.DAYS:
            return day + timedelta(days=self.length)
        return _banking_days_later(self.calendar, day, self.length)

    def __str__(self) -> str:
        """For people: `24 hours`, `14 days`, `1 banking day`."""
        if self.unit is Unit.HOURS and self.length > 24 and self.length % 24 == 0:
            return f"{self.length // 24} days"
        words = self.unit.replace("_", " ")
        return f"{self.length} {words.removesuffix('s') if self.length == 1 else words}"


def local_date(zone_name: str, micros: int) -> date:
    """The day on the zone's calendar."""
    return from_micros(micros).astimezone(zone(zone_name)).date()


@lru_cache(maxsize=_REMEMBERED)
def _day_begins(zone_name: str, day: date) -> int:
    # The first of two midnights; where the clock skips midnight, the instant at which it does.
    return to_micros(datetime(day.year, day.month, day.day, tzinfo=zone(zone_name)))


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    last = (first + timedelta(days=31)).replace(day=1) - _DAY
    return last.replace(day=min(day.day, last.day))


@lru_cache(maxsize=_REMEMBERED)
def _banking_days_later(calendar: str, day: date, count: int) -> date:
    first = next_banking_day(calendar, to_day(day))
    ahead = np.arange(first, first + 30 + 3 * count, dtype=np.int64)
    return to_date(int(ahead[is_banking_day(calendar, ahead)][count]))

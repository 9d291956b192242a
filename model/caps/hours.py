"""Hours of the local day in which a scheme executes, across changes of the clock."""

from bisect import bisect_right
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from features.instants import from_micros, to_micros
from features.time_zones import zone
from model.caps.span import local_date

_DAY = timedelta(days=1)
_REMEMBERED = 4_096
_DAY_MINUTES = 24 * 60

Minutes = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Hours:
    """When it is open.

    Args:
        zone: IANA zone of the clock.
        open: From and until, in minutes of the local day; until is exclusive and at most 1440.
    """

    zone: str
    open: tuple[Minutes, ...]

    def is_open(self, micros: int) -> bool:
        """Whether the wall clock stands within the hours."""
        wall = from_micros(micros).astimezone(zone(self.zone))
        minute = wall.hour * 60 + wall.minute
        return any(start <= minute < end for start, end in self.open)

    def stretch(self, micros: int) -> int:
        """The latest instant, not after the given one, at which the answer may have changed."""
        changes = self._around(micros)
        return changes[bisect_right(changes, micros) - 1]

    def next_open(self, micros: int) -> int:
        """The first instant from the given one on at which it is open."""
        if self.is_open(micros):
            return micros
        at = micros
        while True:
            ahead = [change for change in self._around(at) if change > at]
            if found := next((change for change in ahead if self.is_open(change)), None):
                return found
            at = ahead[-1]

    def _around(self, micros: int) -> tuple[int, ...]:
        day = local_date(self.zone, micros)
        return tuple(sorted({m for days in (-1, 0, 1, 2) for m in _changes(self, day + timedelta(days=days))}))

    def __str__(self) -> str:
        """For people: `00:00-10:00 and 13:00-17:00 (Asia/Kolkata)`."""
        spans = [f"{_clock(start)}\N{EN DASH}{_clock(end)}" for start, end in self.open]
        listed = " and ".join(part for part in (", ".join(spans[:-1]), spans[-1]) if part)
        return f"{listed} ({self.zone})"


@lru_cache(maxsize=_REMEMBERED)
def _changes(hours: Hours, day: date) -> tuple[int, ...]:
    """Instants of one local day at which the hours open or close, or the clock itself is changed."""
    minutes = {0} | {edge % _DAY_MINUTES for span in hours.open for edge in span}
    struck = {to_micros(_wall(hours.zone, day, minute, fold)) for minute in minutes for fold in (0, 1)}
    begins, ends = (to_micros(_wall(hours.zone, d, 0, 0)) for d in (day, day + _DAY))
    if _offset(hours.zone, begins) != _offset(hours.zone, ends):
        struck.add(_clock_changes(hours.zone, begins, ends))
    return tuple(sorted(struck))


def _wall(zone_name: str, day: date, minute: int, fold: int) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone(zone_name), fold=fold)


def _offset(zone_name: str, micros: int) -> timedelta | None:
    return from_micros(micros).astimezone(zone(zone_name)).utcoffset()


def _clock_changes(zone_name: str, before: int, after: int) -> int:
    """The first instant in (before, after] with the offset of `after`; the offset changes once in between."""
    old = _offset(zone_name, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(zone_name, middle) == old else (before, middle)
    return after


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"

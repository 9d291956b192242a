"""The issuer's local clock: which zone applies, and exact UTC offsets for whole arrays of instants."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray

from features.errors import InvalidValueError
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND
from features.markets import market

Int64s = NDArray[np.int64]

FIRST_YEAR, LAST_YEAR = 1990, 2100
_THURSDAY = 3  # 1970-01-01, with Monday = 0
_DAY_SECONDS = 86_400
_STEP_DAYS = 7  # no zone has changed its clocks twice within a week since 1990
_REMEMBERED = 4_096
_NO_ZONES = frozenset({"localtime", "posixrules", "Factory"})  # files beside the zones


@cache
def zone(name: str) -> ZoneInfo:
    """The IANA zone of that name.

    Raises:
        InvalidValueError: No such zone.
    """
    if is_zone(name):
        return ZoneInfo(name)
    raise InvalidValueError("time_zone", name, "an IANA time zone, for example Europe/Berlin")


def is_zone(name: str) -> bool:
    """Whether the tz database knows the zone; what names the clock of whatever machine reads it is none.

    >>> is_zone("Europe/Berlin"), is_zone("localtime"), is_zone("../etc/passwd")
    (True, False, False)
    """
    if name in _NO_ZONES:
        return False
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@lru_cache(maxsize=_REMEMBERED)
def zone_name(time_zone: str | None, country: str | None) -> str:
    """The zone to read an issuer's clock in: its own, else its country's main zone, else UTC.

    >>> zone_name(None, "DE"), zone_name(None, "BR"), zone_name("America/Chicago", "US"), zone_name(None, None)
    ('Europe/Berlin', 'America/Sao_Paulo', 'America/Chicago', 'UTC')
    """
    if time_zone is not None:
        return time_zone
    if country is None:
        return "UTC"
    return market(country).time_zone or _first_zones().get(country, "UTC")


def offset_micros(name: str, utc_micros: Int64s) -> Int64s:
    """The zone's offset from UTC at each instant, in microseconds.

    Exact for 1990 to 2100 (the range a history may hold); instants outside take the nearest known offset.

    Args:
        utc_micros: Any shape; microseconds since 1970 UTC.
    """
    starts, offsets = transitions(name)
    return offsets[np.searchsorted(starts, utc_micros, side="right") - 1]


def local_micros(name: str, utc_micros: Int64s) -> Int64s:
    """The wall clock as microseconds since 1970-01-01 00:00 local."""
    return utc_micros + offset_micros(name, utc_micros)


def local_day(local: Int64s) -> Int64s:
    """Days since 1970-01-01 on the local calendar."""
    return local // MICROS_PER_DAY


def local_hour(local: Int64s) -> NDArray[np.float64]:
    """Hour of the local day with its fraction, in [0, 24)."""
    return (local % MICROS_PER_DAY) / MICROS_PER_HOUR


def weekday(day: Int64s) -> Int64s:
    """Monday = 0 … Sunday = 6, for days since 1970-01-01."""
    return (day + _THURSDAY) % 7


@cache
def transitions(name: str) -> tuple[Int64s, Int64s]:
    """Instants at which the zone's offset changes, and the offset from each on; the first holds since ever."""
    tz = zone(name)
    first = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    days = (datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC) - first).days

    def offset(second: int) -> int:
        return int((tz.utcoffset((first + timedelta(seconds=second)).astimezone(tz)) or timedelta()).total_seconds())

    starts, offsets = [int(np.iinfo(np.int64).min)], [offset(0)]
    for day in range(0, days, _STEP_DAYS):
        now = offset((day + _STEP_DAYS) * _DAY_SECONDS)
        if now != offsets[-1]:
            unchanged, changed = day * _DAY_SECONDS, (day + _STEP_DAYS) * _DAY_SECONDS
            while changed - unchanged > 1:
                middle = (unchanged + changed) // 2
                unchanged, changed = (middle, changed) if offset(middle) == offsets[-1] else (unchanged, middle)
            starts.append((int(first.timestamp()) + changed) * MICROS_PER_SECOND)
            offsets.append(now)
    return np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64) * MICROS_PER_SECOND


@cache
def _first_zones() -> Mapping[str, str]:
    """Country to the first zone the tz database lists for it (zone.tab)."""
    zones: dict[str, str] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            zones.setdefault(country, name)
    return zones

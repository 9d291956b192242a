"""Reads the instants and dates of an export: offsets, stated zones, Unix times, patterns and bare dates."""

import re
from calendar import monthrange
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo

from features.instants import EPOCH, MICROSECOND, to_micros
from features.sources.refusal import Refusal, not_accepted

EARLIEST = to_micros(datetime(1990, 1, 1, tzinfo=UTC))
LATEST = to_micros(datetime(2100, 1, 1, tzinfo=UTC))

_NOON = time(12)
_AIRLINE_CARD_DIGITS = 15
_LENGTH_OF_A_DATE = 10
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?")
_UNIX = re.compile(r"[0-9]{1,17}(\.[0-9]{1,9})?")
_MICROS_A_UNIT = {"unix_seconds": 1_000_000, "unix_millis": 1_000, "unix_micros": 1}
_HOUR_DIRECTIVES = ("%H", "%I", "%c", "%X")
_DAY_DIRECTIVES = ("%d", "%j", "%c", "%x", "%a", "%A", "%u", "%w")

TIME_FORMATS = ("iso", "day", *_MICROS_A_UNIT)


class Ambiguous(StrEnum):
    """What to make of a local time that the clocks passed twice, when they went back."""

    EARLIER = "earlier"
    LATER = "later"
    QUARANTINE = "quarantine"


class Nonexistent(StrEnum):
    """What to make of a local time that the clocks jumped over, when they went forward."""

    FORWARD = "forward"
    QUARANTINE = "quarantine"


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How the times of one column are written.

    Args:
        format: `iso`, `day`, `unix_seconds`, `unix_millis`, `unix_micros` or a strptime pattern.
        zone: IANA zone of times that carry no offset; None refuses such times.
        ambiguous: Default: the earlier of the two instants.
        nonexistent: Default: quarantined, for such a time never was; `forward` moves it by the length of the gap.
    """

    format: str = "iso"
    zone: str | None = None
    ambiguous: Ambiguous = Ambiguous.EARLIER
    nonexistent: Nonexistent = Nonexistent.QUARANTINE

    @property
    def is_pattern(self) -> bool:
        """Whether the format is a strptime pattern."""
        return "%" in self.format

    @property
    def is_day_only(self) -> bool:
        """Whether only the date is known; its instant is then 12:00 in the zone."""
        return self.format == "day" or (self.is_pattern and not any(d in self.format for d in _HOUR_DIRECTIVES))

    @property
    def needs_zone(self) -> bool:
        """Whether no cell of this format can carry an offset of its own."""
        return self.is_day_only or (self.is_pattern and "%z" not in self.format)

    def __str__(self) -> str:
        """For people: `day at 12:00 Europe/Prague`."""
        return f"{self.format}{' at 12:00' if self.is_day_only else ''}{f' in {self.zone}' if self.zone else ''}"


ISO_TIMES = TimeFormat()


def instant_reader(how: TimeFormat) -> Callable[[str], int | Refusal]:
    """A function from a cell to microseconds since 1970 (UTC), or why it cannot be read.

    Instants before 1990 or from 2100 on are refused: they are faults of the export, not attempts.
    """
    read = _unix_reader(how.format) if how.format in _MICROS_A_UNIT else _calendar_reader(how)

    def within_range(text: str) -> int | Refusal:
        micros = read(text)
        if isinstance(micros, Refusal) or EARLIEST <= micros < LATEST:
            return micros
        hint = "; check unix_seconds, unix_millis, unix_micros" if how.format in _MICROS_A_UNIT else ""
        return not_accepted(f"an instant from 1990 to 2099{hint}")

    return within_range


def date_reader(pattern: str, *, last_of_month: bool) -> Callable[[str], date | Refusal]:
    """A function from a cell to a date.

    Args:
        pattern: `iso` (2026-11-23) or a strptime pattern. Without a day in it, the date is the first of the
            month, or with `last_of_month` the last, as card expiries mean it.
    """
    if pattern == "iso":
        return _iso_date
    month_only = not any(d in pattern for d in _DAY_DIRECTIVES)

    def read(text: str) -> date | Refusal:
        try:
            found = datetime.strptime(text, pattern).date()  # noqa: DTZ007 - a date has no zone
        except ValueError:
            return not_accepted(f"a date like {pattern}")
        if month_only and last_of_month:
            return found.replace(day=monthrange(found.year, found.month)[1])
        return found

    return read


def looks_like_time(text: str) -> bool:
    """Whether a run of digits that a time column read is surely no card number.

    Unix times of 2001–2033 start with 1 and written-out dates with 19 or 20; no card network issues numbers of
    13, 14 or 16 and more digits that start so (ISO/IEC 7812 issuer ranges: 1 is airlines, 15 digits; Mastercard's
    2-series starts at 2221, Mir's at 2200).

    >>> looks_like_time("1700000000002"), looks_like_time("4000000000000002")
    (True, False)
    """
    digits = re.sub(r"\D", "", text)
    return digits.startswith(("1", "20")) and len(digits) != _AIRLINE_CARD_DIGITS


def _unix_reader(unit: str) -> Callable[[str], int | Refusal]:
    factor = _MICROS_A_UNIT[unit]

    def read(text: str) -> int | Refusal:
        if not _UNIX.fullmatch(text):
            return not_accepted(f"a {unit.replace('_', ' time in ')} number")
        return int(text) * factor if text.isdigit() else int(Decimal(text) * factor)

    return read


def _calendar_reader(how: TimeFormat) -> Callable[[str], int | Refusal]:
    parse = _parser(how)
    zone = ZoneInfo(how.zone) if how.zone else None

    def read(text: str) -> int | Refusal:
        instant = parse(text)
        if isinstance(instant, Refusal):
            return instant
        if instant.tzinfo is None:
            if zone is None:
                return not_accepted("a time with an offset or Z, or a zone stated in the mapping")
            return _from_local(instant, zone, how)
        return (instant - EPOCH) // MICROSECOND

    return read


def _parser(how: TimeFormat) -> Callable[[str], datetime | Refusal]:
    if how.format == "iso":
        return _iso_time
    if how.format == "day":
        return _iso_day

    def pattern_time(text: str) -> datetime | Refusal:
        try:
            found = datetime.strptime(text, how.format)  # noqa: DTZ007 - the zone is applied by the caller
        except ValueError:
            return not_accepted(f"a time like {how.format}")
        return datetime.combine(found.date(), _NOON) if how.is_day_only else found

    return pattern_time


def _iso_time(text: str) -> datetime | Refusal:
    if len(text) <= _LENGTH_OF_A_DATE:
        return not_accepted('a date with a time, such as 2026-11-23T10:15:00Z (format = "day" reads bare dates)')
    try:
        return datetime.fromisoformat(f"{text[:-4]}+00:00" if text.endswith(" UTC") else text)
    except ValueError:
        return not_accepted("a time such as 2026-11-23T10:15:00Z")


def _iso_day(text: str) -> datetime | Refusal:
    found = _iso_date(text)
    return found if isinstance(found, Refusal) else datetime.combine(found, _NOON)


def _iso_date(text: str) -> date | Refusal:
    rest = text[_LENGTH_OF_A_DATE:]
    if rest and not _MIDNIGHT.fullmatch(rest):
        return not_accepted("a date such as 2026-11-23 without a time")
    try:
        return date.fromisoformat(text[:_LENGTH_OF_A_DATE])
    except ValueError:
        return not_accepted("a date such as 2026-11-23")


def _from_local(naive: datetime, zone: ZoneInfo, how: TimeFormat) -> int | Refusal:
    # PEP 495: for a repeated time fold 0 is the earlier instant and has the larger offset; for a skipped one
    # fold 0 has the smaller offset and applying it moves the time forward by the gap.
    local = naive.replace(tzinfo=zone)
    before, after = local.utcoffset() or timedelta(), local.replace(fold=1).utcoffset() or timedelta()
    offset = before
    if before > after:
        if how.ambiguous is Ambiguous.QUARANTINE:
            return not_accepted(f"a time that the clocks of {zone.key} passed once; this one came twice")
        offset = before if how.ambiguous is Ambiguous.EARLIER else after
    elif before < after and how.nonexistent is Nonexistent.QUARANTINE:
        return not_accepted(f"a time that existed in {zone.key}; the clocks jumped over this one")
    return (naive.replace(tzinfo=UTC) - EPOCH - offset) // MICROSECOND

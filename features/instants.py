"""Instants: aware, UTC, and as integer microseconds since 1970 where arrays hold them."""

from datetime import UTC, datetime, timedelta

from features.errors import InvalidValueError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MICROS_PER_SECOND = 1_000_000
MICROS_PER_HOUR = 3_600 * MICROS_PER_SECOND
MICROS_PER_DAY = 24 * MICROS_PER_HOUR


def to_micros(instant: datetime) -> int:
    """Microseconds since 1970-01-01T00:00Z.

    Raises:
        InvalidValueError: The instant has no time zone.
    """
    since = (instant if instant.tzinfo is UTC else require_aware("instant", instant)) - EPOCH
    return (since.days * 86_400 + since.seconds) * MICROS_PER_SECOND + since.microseconds


def from_micros(micros: int) -> datetime:
    """The UTC instant that many microseconds after 1970-01-01T00:00Z."""
    return EPOCH + timedelta(microseconds=int(micros))


def require_aware(field: str, instant: datetime) -> datetime:
    """The instant in UTC.

    Raises:
        InvalidValueError: The instant has no time zone.
    """
    if instant.tzinfo is UTC:
        return instant
    if instant.tzinfo is None or instant.utcoffset() is None:
        raise InvalidValueError(
            field, instant.isoformat(), "an instant with a time zone, for example 2026-11-23T10:15:00Z"
        )
    return instant.astimezone(UTC)

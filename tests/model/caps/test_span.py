"""Spans of days, banking days and months end when a calendar says, across clock changes, leap days and month ends."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.instants import from_micros, to_micros
from fuzz.brute import over
from model.caps.span import Span, Unit

ZONES = (
    "UTC",
    "Europe/Brussels",
    "America/Sao_Paulo",
    "Asia/Kolkata",
    "America/Toronto",
    "Atlantic/Azores",
    "Africa/Cairo",
)
instants = st.integers(1_420_070_400, 1_956_528_000).map(lambda second: datetime.fromtimestamp(second, UTC))


def end(span: Span, began: str) -> str:
    return from_micros(span.end(to_micros(datetime.fromisoformat(began)))).isoformat()


@pytest.mark.parametrize(
    ("span", "began", "ends"),
    [
        (Span(24), "2026-03-28T12:00:00+00:00", "2026-03-29T12:00:00+00:00"),
        (Span(2, Unit.DAYS, "UTC"), "2026-11-01T23:59:59+00:00", "2026-11-03T00:00:00+00:00"),
        (Span(1, Unit.DAYS, "Europe/Berlin"), "2026-03-28T12:00:00+01:00", "2026-03-28T23:00:00+00:00"),
        (Span(2, Unit.DAYS, "Europe/Berlin"), "2026-03-28T12:00:00+01:00", "2026-03-29T22:00:00+00:00"),
        (Span(1, Unit.MONTHS), "2026-01-31T05:00:00+00:00", "2026-02-28T00:00:00+00:00"),
        (Span(1, Unit.MONTHS), "2028-01-31T05:00:00+00:00", "2028-02-29T00:00:00+00:00"),
        (Span(12, Unit.MONTHS), "2028-02-29T05:00:00+00:00", "2029-02-28T00:00:00+00:00"),
        (Span(36, Unit.MONTHS), "2025-12-15T05:00:00+00:00", "2028-12-15T00:00:00+00:00"),
        # Thursday; Christmas Day and Boxing Day are TARGET holidays, then a weekend.
        (Span(2, Unit.BANKING_DAYS, "UTC", "XECB"), "2026-12-24T10:00:00+00:00", "2026-12-29T00:00:00+00:00"),
        # Saturday: counted from Monday.
        (Span(1, Unit.BANKING_DAYS, "UTC", "XECB"), "2026-11-21T10:00:00+00:00", "2026-11-24T00:00:00+00:00"),
        # In Saudi Arabia Friday and Saturday are free.
        (Span(1, Unit.BANKING_DAYS, "UTC", "SA"), "2026-11-19T10:00:00+00:00", "2026-11-22T00:00:00+00:00"),
    ],
)
def test_a_span_ends_when_the_calendar_says(span: Span, began: str, ends: str) -> None:
    assert end(span, began) == ends


@given(st.integers(0, 40), st.sampled_from([Unit.HOURS, Unit.DAYS, Unit.MONTHS]), st.sampled_from(ZONES), instants)
def test_walking_day_by_day_gives_the_same_end(length: int, unit: Unit, zone: str, began: datetime) -> None:
    span = Span(length, unit, zone)
    assert from_micros(span.end(to_micros(began))) == over(span, began)


@given(st.integers(0, 12), st.sampled_from(["XECB", "GB", "SE"]), instants)
def test_walking_banking_days_gives_the_same_end(length: int, calendar: str, began: datetime) -> None:
    span = Span(length, Unit.BANKING_DAYS, "Europe/London", calendar)
    assert from_micros(span.end(to_micros(began))) == over(span, began)


@given(st.sampled_from([Unit.DAYS, Unit.MONTHS]), st.sampled_from(ZONES), instants)
def test_a_period_ends_at_the_first_instant_with_another_date(unit: Unit, zone: str, at: datetime) -> None:
    ends = from_micros(Span(1, unit, zone).period_end(to_micros(at)))
    within, after = ((ends - timedelta(microseconds=1)), ends)

    def period(instant: datetime) -> tuple[int, ...]:
        day = instant.astimezone(ZoneInfo(zone)).date()
        return (day.year, day.month) if unit is Unit.MONTHS else (day.year, day.month, day.day)

    assert period(at) == period(within) < period(after)


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(1), "1 hour"),
        (Span(24), "24 hours"),
        (Span(96), "4 days"),
        (Span(14, Unit.DAYS), "14 days"),
        (Span(1, Unit.BANKING_DAYS), "1 banking day"),
        (Span(36, Unit.MONTHS), "36 months"),
    ],
)
def test_a_span_is_said_in_words(span: Span, words: str) -> None:
    assert str(span) == words


def test_where_midnight_is_skipped_the_day_begins_when_the_clock_does() -> None:
    # Sao Paulo went from 23:59:59 on 3 November 2018 to 01:00.
    assert end(Span(1, Unit.DAYS, "America/Sao_Paulo"), "2018-11-03T12:00:00+00:00") == "2018-11-04T03:00:00+00:00"
    assert date(2018, 11, 4) == datetime(2018, 11, 4, 3, tzinfo=UTC).astimezone(ZoneInfo("America/Sao_Paulo")).date()

"""Slots against brute force by the minute, across daylight-saving changes and weekends."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.action import Slot
from features.instants import to_micros
from model.issuer_clock import IssuerClock
from model.slots import day_slots, debit_slots, edges, hourly_grid, hourly_slots, local_hours, odd_slot

MINUTE = timedelta(minutes=1)
BERLIN = IssuerClock("DE", "Europe/Berlin", "XECB")
RIYADH = IssuerClock("SA", "Asia/Riyadh", "SA")
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago", "Asia/Tehran")

START = datetime(2026, 1, 1, tzinfo=UTC)
instants = st.integers(0, 700 * 86_400).map(lambda seconds: START + timedelta(seconds=seconds))


def strikes(zone: str, first: datetime, last: datetime) -> list[datetime]:
    """Every whole minute at which the zone's wall clock shows a full hour."""
    at = first.replace(second=0, microsecond=0)
    found = []
    while at <= last:
        if at >= first and at.astimezone(ZoneInfo(zone)).minute == 0:
            found.append(at)
        at += MINUTE
    return found


def starts(slots: Sequence[Slot], zone: str) -> list[datetime]:
    return [slot.start.astimezone(ZoneInfo(zone)) for slot in slots]


@given(st.sampled_from(ZONES), instants, st.integers(0, 80))
@settings(max_examples=60, deadline=None)
def test_local_hours_are_those_that_the_wall_clock_shows(zone: str, first: datetime, hours: int) -> None:
    last = first + timedelta(hours=hours)
    assert local_hours(zone, first, last).start.tolist() == [to_micros(at) for at in strikes(zone, first, last)]


@pytest.mark.parametrize(
    "change", [datetime(2026, 3, 29, 1, tzinfo=UTC), datetime(2026, 10, 25, 1, tzinfo=UTC)], ids=["spring", "autumn"]
)
def test_local_hours_cross_a_clock_change_without_gap_or_overlap(change: datetime) -> None:
    first, last = change - timedelta(hours=5), change + timedelta(hours=5)
    hours = local_hours("Europe/Berlin", first, last)
    assert hours.start.tolist() == [to_micros(first + timedelta(hours=i)) for i in range(11)]


@given(st.sampled_from(ZONES), instants, st.integers(0, 60), st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1)))
@settings(max_examples=100, deadline=None)
def test_hourly_slots_are_whole_hours_that_never_overlap(
    zone: str, as_of: datetime, days: int, last_day: date | None
) -> None:
    horizon = as_of + timedelta(days=days)
    slots = hourly_slots(local_hours(zone, as_of, horizon), as_of, last_day)
    for slot in slots:
        local = slot.start.astimezone(ZoneInfo(zone))
        assert local.minute == slot.end.astimezone(ZoneInfo(zone)).minute == 0
        assert as_of <= slot.start < slot.end <= horizon
        assert last_day is None or local.date() <= last_day
        assert slot.start < as_of + timedelta(hours=48) or local.hour in {0, 9, 14, 19}
    assert all(before.end <= after.start for before, after in pairwise(slots))


@given(
    st.sampled_from((*ZONES, "Asia/Kathmandu", "Pacific/Chatham", "UTC")),
    instants,
    st.integers(-2, 70 * 24 * 60),
    st.none() | st.dates(date(2026, 1, 1), date(2028, 1, 1)),
)
@settings(max_examples=100, deadline=None)
def test_what_is_remembered_of_an_hour_is_what_would_be_worked_out(
    zone: str, as_of: datetime, minutes: int, last_day: date | None
) -> None:
    last = as_of + timedelta(minutes=minutes)
    found = hourly_grid(zone, as_of, last).until(to_micros(last), last_day)
    start, end = edges(hourly_slots(local_hours(zone, as_of, last), as_of, last_day))
    assert found.start.tolist() == start.tolist()
    assert found.end.tolist() == end.tolist()
    struck = local_hours(zone, as_of, as_of + timedelta(days=1)).start[0]
    assert found.hours.start[0] == struck


def test_near_slots_are_every_hour_and_far_ones_four_a_day() -> None:
    as_of = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
    slots = hourly_slots(local_hours("Europe/Berlin", as_of, as_of + timedelta(days=7)), as_of, None)
    local = starts(slots, "Europe/Berlin")
    assert [at.hour for at in local[:14]] == [12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 0, 1]
    assert len([at for at in local if at.date() == date(2026, 11, 25)]) == 24
    assert [at.hour for at in local if at.date() == date(2026, 11, 29)] == [0, 9, 14, 19]


def test_debit_slots_are_the_scheme_s_banking_days_and_end_at_the_cut_off() -> None:
    # Thursday 2 April 2026, after the cut-off; Good Friday and Easter Monday are TARGET holidays.
    as_of = datetime(2026, 4, 2, 14, 0, tzinfo=UTC)
    slots = debit_slots(local_hours("Europe/Berlin", as_of, as_of + timedelta(days=7)), BERLIN, None)
    assert [at.date() for at in starts(slots, "Europe/Berlin")] == [
        date(2026, 4, 7),
        date(2026, 4, 8),
        date(2026, 4, 9),
    ]
    assert all(slot.length == timedelta(hours=7) for slot in slots)


def test_today_s_debit_slot_is_what_is_left_of_it() -> None:
    as_of = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
    first = debit_slots(local_hours("Europe/Berlin", as_of, as_of + timedelta(days=2)), BERLIN, None)[0]
    assert (first.start, first.end) == (datetime(2026, 11, 24, 11, tzinfo=UTC), datetime(2026, 11, 24, 14, tzinfo=UTC))


def test_a_weekend_is_friday_and_saturday_where_it_is() -> None:
    as_of = datetime(2026, 11, 26, 20, 0, tzinfo=UTC)  # Thursday night in Riyadh
    slots = debit_slots(local_hours("Asia/Riyadh", as_of, as_of + timedelta(days=5)), RIYADH, None)
    assert [at.strftime("%A") for at in starts(slots, "Asia/Riyadh")] == ["Sunday", "Monday", "Tuesday"]


def test_days_are_represented_by_their_noon() -> None:
    as_of = datetime(2026, 11, 24, 11, 0, tzinfo=UTC)
    hours = local_hours("Europe/Berlin", as_of, as_of + timedelta(days=4))
    slots = day_slots(hours, BERLIN, None, after=date(2026, 11, 24), debit=False)
    assert [at.day for at in starts(slots, "Europe/Berlin")] == [25, 26, 27]
    assert all(at.hour == 12 for at in starts(slots, "Europe/Berlin"))
    debits = day_slots(hours, BERLIN, None, after=date(2026, 11, 24), debit=True)
    assert [slot.length for slot in debits] == [timedelta(hours=3)] * 3


@pytest.mark.parametrize(
    ("minute", "second", "expected"), [(25, 0, 25), (25, 1, 26), (59, 0, 59), (59, 1, None), (0, 0, None)]
)
def test_the_odd_slot_is_what_is_left_of_the_hour(minute: int, second: int, expected: int | None) -> None:
    start = datetime(2026, 11, 24, 10, minute, second, tzinfo=UTC)
    hours = local_hours("Europe/Berlin", start, start + timedelta(days=1))
    slot = odd_slot(hours, BERLIN, start, None)
    assert (slot and slot.start.minute) == expected
    assert slot is None or slot.end == datetime(2026, 11, 24, 11, tzinfo=UTC)
    assert odd_slot(hours, BERLIN, start, date(2026, 11, 23)) is None


@given(st.integers(0, 86_400_000_000 - 1))
def test_the_odd_slot_begins_with_a_minute_and_never_before_it_is_asked_for(micros: int) -> None:
    asked = datetime(2026, 11, 23, tzinfo=UTC) + timedelta(microseconds=micros)
    slot = odd_slot(local_hours("Europe/Berlin", asked, asked + timedelta(hours=3)), BERLIN, asked, None)
    if slot is not None:
        assert timedelta(0) <= slot.start - asked < timedelta(minutes=1)
        assert (slot.start.second, slot.start.microsecond) == (0, 0)

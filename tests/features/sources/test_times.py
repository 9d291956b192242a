"""Instants and dates as exports write them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.instants import from_micros, to_micros
from features.sources.refusal import Refusal
from features.sources.times import (
    ISO_TIMES,
    Ambiguous,
    Nonexistent,
    TimeFormat,
    date_reader,
    instant_reader,
    looks_like_time,
)

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Riyadh", "Asia/Kolkata", "America/Sao_Paulo")
INSTANTS = st.integers(1990, 2099).flatmap(
    lambda year: st.timedeltas(timedelta(days=1), timedelta(days=364)).map(
        lambda past: datetime(year, 1, 1, tzinfo=UTC) + past
    )
)


def read(text: str, how: TimeFormat = ISO_TIMES) -> datetime | str:
    answer = instant_reader(how)(text)
    return answer.expected if isinstance(answer, Refusal) else from_micros(answer)


@given(instant=INSTANTS, zone=st.sampled_from(ZONES))
def test_an_offset_in_the_cell_says_it_all(instant: datetime, zone: str) -> None:
    assert read(instant.astimezone(ZoneInfo(zone)).isoformat()) == instant


@given(instant=INSTANTS, zone=st.sampled_from(ZONES))
def test_local_times_come_back_as_their_instant_or_as_its_twin_an_hour_apart(instant: datetime, zone: str) -> None:
    local = instant.astimezone(ZoneInfo(zone))
    naive = local.replace(tzinfo=None).isoformat()
    earlier = read(naive, TimeFormat(zone=zone))
    later = read(naive, TimeFormat(zone=zone, ambiguous=Ambiguous.LATER))
    assert instant == (later if local.fold else earlier)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-23T10:15:00Z", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
        ("2026-11-23 10:15:00 UTC", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
        ("2026-11-23 10:15:00.25+02", datetime(2026, 11, 23, 8, 15, 0, 250_000, tzinfo=UTC)),
        ("20261123T101500Z", datetime(2026, 11, 23, 10, 15, tzinfo=UTC)),
    ],
)
def test_iso_times_are_read_in_their_usual_spellings(text: str, expected: datetime) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("2026-11-23T10:15:00", "a zone stated in the mapping"),
        ("2026-11-23", 'format = "day"'),
        ("yesterday at noon", "such as 2026-11-23T10:15:00Z"),
        ("1989-12-31T23:59:59Z", "from 1990 to 2099"),
        ("2100-01-01T00:00:00Z", "from 1990 to 2099"),
        ("0001-01-01T00:00:00+05:00", "from 1990 to 2099"),
    ],
)
def test_a_time_that_says_too_little_or_is_absurd_is_refused(text: str, hint: str) -> None:
    assert hint in str(read(text))


def test_a_time_the_clocks_passed_twice_follows_the_stated_rule() -> None:
    text, zone = "2026-10-25T02:30:00", "Europe/Berlin"
    assert read(text, TimeFormat(zone=zone)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert read(text, TimeFormat(zone=zone, ambiguous=Ambiguous.LATER)) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert "came twice" in str(read(text, TimeFormat(zone=zone, ambiguous=Ambiguous.QUARANTINE)))


def test_a_time_the_clocks_jumped_over_is_refused_unless_it_may_move_forward() -> None:
    text, zone = "2026-03-29T02:30:00", "Europe/Berlin"
    assert "jumped over" in str(read(text, TimeFormat(zone=zone)))
    moved = read(text, TimeFormat(zone=zone, nonexistent=Nonexistent.FORWARD))
    assert moved == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


@given(day=st.dates(date(1990, 1, 2), date(2099, 12, 30)), zone=st.sampled_from(ZONES))
def test_a_bare_date_stands_at_noon_in_its_zone(day: date, zone: str) -> None:
    how = TimeFormat("day", zone)
    instant = read(day.isoformat(), how)
    assert isinstance(instant, datetime)
    assert f"{instant.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S}" == f"{day} 12:00:00"
    assert read(f"{day} 00:00:00", how) == instant
    assert read(day.strftime("%d/%m/%Y"), TimeFormat("%d/%m/%Y", zone)) == instant


def test_a_date_with_a_time_is_not_a_bare_date() -> None:
    assert "without a time" in str(read("2026-11-23 08:30:00", TimeFormat("day", "UTC")))


@given(instant=INSTANTS)
def test_unix_times_are_exact_in_every_unit(instant: datetime) -> None:
    micros = to_micros(instant)
    assert read(str(micros), TimeFormat("unix_micros")) == instant
    assert read(str(micros // 1000), TimeFormat("unix_millis")) == instant - timedelta(microseconds=micros % 1000)
    assert read(f"{micros // 10**6}.{micros % 10**6:06d}", TimeFormat("unix_seconds")) == instant


def test_milliseconds_given_as_seconds_are_refused_with_the_units_to_check() -> None:
    assert "unix_millis" in str(read("1700000000000", TimeFormat("unix_seconds")))
    assert "number" in str(read("-5", TimeFormat("unix_seconds")))
    assert "number" in str(read("1e9", TimeFormat("unix_seconds")))


def test_a_pattern_with_an_offset_needs_no_zone() -> None:
    how = TimeFormat("%d.%m.%Y %H:%M %z")
    assert not how.needs_zone
    assert read("23.11.2026 10:15 +0100", how) == datetime(2026, 11, 23, 9, 15, tzinfo=UTC)
    assert "like %d.%m.%Y" in str(read("2026-11-23", how))


def test_a_card_expiry_is_the_last_day_of_its_month() -> None:
    assert date_reader("%m/%y", last_of_month=True)("02/28") == date(2028, 2, 29)
    assert date_reader("%m/%Y", last_of_month=False)("02/2028") == date(2028, 2, 1)
    assert date_reader("iso", last_of_month=True)("2028-02-03") == date(2028, 2, 3)
    assert isinstance(date_reader("iso", last_of_month=True)("28-02-03"), Refusal)
    assert isinstance(date_reader("%m/%y", last_of_month=True)("13/28"), Refusal)


@pytest.mark.parametrize("number", ["4242424242424242", "378282246310005", "30569309025904", "2221000000000009"])
def test_numbers_that_networks_issue_never_pass_for_times(number: str) -> None:
    assert not looks_like_time(number)

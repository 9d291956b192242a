"""Banking days and paydays of real markets on known dates."""

import tomllib
from datetime import date, timedelta
from importlib.resources import files

import holidays
import numpy as np
import pytest

from features import calendars
from features.calendars import to_date, to_day
from features.markets import market
from features.time_zones import is_zone
from features.vocabulary import Network

MARKETS = sorted(tomllib.loads((files("features") / "data" / "markets.toml").read_text("utf-8")).keys() - {"default"})


def _days(*dates: date) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([to_day(d) for d in dates], dtype=np.int64)


@pytest.mark.parametrize(
    ("calendar", "closed", "opened"),
    [
        ("DE", date(2026, 12, 25), date(2026, 12, 24)),
        ("SA", date(2026, 11, 27), date(2026, 11, 29)),  # Friday is weekend, Sunday is not
        ("AE", date(2021, 11, 26), date(2021, 11, 28)),  # Friday and Saturday until the end of 2021 …
        ("AE", date(2026, 11, 29), date(2026, 11, 27)),  # … Saturday and Sunday since
        ("US", date(2026, 11, 26), date(2026, 11, 27)),  # Thanksgiving
        ("GB", date(2026, 4, 6), date(2026, 4, 7)),  # Easter Monday closes English banks
        ("XECB", date(2026, 5, 1), date(2025, 10, 3)),  # TARGET closes on 1 May, not on German Unity Day
        ("", date(2026, 11, 28), date(2026, 12, 25)),  # nothing known: weekdays
    ],
)
def test_banks_close_on_their_own_days(calendar: str, closed: date, opened: date) -> None:
    assert calendars.is_banking_day(calendar, _days(closed, opened)).tolist() == [False, True]


def test_debits_follow_their_schemes_calendar() -> None:
    assert calendars.calendar_of("DE", Network.SEPA_CORE) == "XECB"
    assert calendars.calendar_of("US", Network.ACH) == "XFED"
    assert calendars.calendar_of(None, Network.BACS) == "GB"
    assert calendars.calendar_of("BR", Network.VISA) == "BR"


def _known_countries() -> list[str]:
    return sorted(code for code in holidays.list_supported_countries() if len(code) == 2)


def test_banks_of_every_country_the_library_knows_keep_its_weekends_and_holidays() -> None:
    days = np.arange(to_day(date(2025, 12, 20)), to_day(date(2027, 1, 12)), dtype=np.int64)
    dates = [to_date(int(day)) for day in days]
    odd_weekends = set()
    for country in _known_countries():
        subdivision = market(country).subdivision
        library = holidays.country_holidays(country, subdiv=subdivision, years=(2025, 2026, 2027))
        working = [library.is_working_day(d) for d in dates]
        assert calendars.is_banking_day(country, days).tolist() == working, country
        assert calendars.is_holiday(country, days).tolist() == [d in library for d in dates], country
        if any(working[i] for i, d in enumerate(dates) if d.weekday() == 6 and d not in library):
            odd_weekends.add(country)
    assert {"SA", "EG", "IL", "BD", "KW", "QA", "JO", "DZ"} <= odd_weekends


@pytest.mark.parametrize("calendar", ["DE", "SA", "AE", "IR", "BN", "NP", "JP", "IN", "US", "XECB", "XFED", ""])
def test_stretches_of_closed_days_are_counted_as_by_walking_day_by_day(calendar: str) -> None:
    days = np.arange(to_day(date(2021, 11, 1)), to_day(date(2022, 3, 1)), dtype=np.int64)

    def works(day: int) -> bool:
        return bool(calendars.is_banking_day(calendar, np.array([day]))[0])

    def walk(day: int, step: int, *, until: bool) -> int:
        steps = 0
        while works(day + step * steps) is not until:
            steps += 1
        return steps

    asked = days.tolist()
    assert [calendars.next_banking_day(calendar, d) - d for d in asked] == [walk(d, 1, until=True) for d in asked]
    assert calendars.days_to_closed_day(calendar, days).tolist() == [walk(d, 1, until=False) for d in asked]
    assert calendars.days_from_closed_day(calendar, days).tolist() == [walk(d, -1, until=False) for d in asked]


def test_no_days_ask_for_no_calendar() -> None:
    none = np.zeros(0, dtype=np.int64)  # the library would warn of India in 1970
    assert calendars.is_banking_day("IN", none).size == 0
    assert calendars.days_to_processing("IN", none, np.zeros(0)).size == 0
    assert calendars.days_to_payday("IN", none).size == 0


def test_an_order_after_the_cut_off_waits_for_the_next_banking_day() -> None:
    friday = _days(date(2026, 11, 27)).repeat(3)
    hours = np.array([14.99, 15.0, np.nan])
    assert calendars.days_to_processing("DE", friday, hours).tolist() == [0, 3, 0]
    assert calendars.days_to_processing("SA", friday, hours).tolist() == [2, 2, 2]  # Sunday


def test_the_next_banking_day_skips_weekend_and_holiday() -> None:
    assert to_date(calendars.next_banking_day("DE", to_day(date(2026, 12, 25)))) == date(2026, 12, 28)


@pytest.mark.parametrize(
    ("country", "payday"),
    [
        ("BR", date(2026, 11, 9)),  # fifth working day: 2 November is a holiday
        ("GB", date(2026, 11, 30)),
        ("SA", date(2026, 11, 26)),  # the 27th is a Friday: paid the day before
        ("US", date(2026, 11, 13)),
    ],
)
def test_paydays_follow_the_markets_custom(country: str, payday: date) -> None:
    day = _days(payday)
    assert calendars.days_to_payday(country, day).tolist() == [0]
    assert calendars.days_from_payday(country, day).tolist() == [0]


@pytest.mark.parametrize("country", [*MARKETS, "FR", "ZZ"])
def test_paydays_are_counted_forwards_and_backwards_alike(country: str) -> None:
    days = np.arange(to_day(date(2025, 12, 1)), to_day(date(2027, 2, 1)), dtype=np.int64)
    ahead, behind = calendars.days_to_payday(country, days), calendars.days_from_payday(country, days)
    assert (ahead >= 0).all()
    assert (behind >= 0).all()
    assert ahead.max() < 62
    for day, wait in zip(days.tolist(), ahead.tolist(), strict=True):
        assert calendars.days_to_payday(country, np.array([day + wait]))[0] == 0
    assert ((ahead == 0) == (behind == 0)).all()
    assert calendars.is_banking_day(country, days[ahead == 0]).all()


def test_months_end_where_the_calendar_says() -> None:
    days = [date(2024, 2, 28) + timedelta(days=i) for i in range(400)]
    left = calendars.days_to_month_end(_days(*days))
    assert [(d + timedelta(days=int(n) + 1)).day for d, n in zip(days, left, strict=True)] == [1] * len(days)
    assert calendars.day_of_month(_days(*days)).tolist() == [d.day for d in days]


def test_every_described_market_is_complete() -> None:
    for country in MARKETS:
        known = market(country)
        assert known.paydays
        assert known.confidence in {"high", "medium", "low"}
        assert known.time_zone is None or is_zone(known.time_zone)

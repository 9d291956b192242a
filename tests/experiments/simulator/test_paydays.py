"""Simulated paydays follow each market's customs, told here a second time by plain dates."""

from datetime import date, timedelta
from itertools import pairwise

import holidays
import numpy as np

from experiments.simulator.generate import Generated
from experiments.simulator.markets import markets
from features.calendars import to_date

COUNTRIES = [market.country for market in markets()]


def paydays(made: Generated, country: str, heaviest: int) -> list[date]:
    """Paydays of a market's n-th heaviest calendar within 2025."""
    calendars = made.hidden.land.paydays
    own = np.flatnonzero(calendars.market == COUNTRIES.index(country))
    chosen = own[np.argsort(-calendars.weight[own], kind="stable")][heaviest]
    days = [to_date(int(day)) for day in np.unique(calendars.latest[chosen])]
    return [day for day in days if day.year == 2025]


def test_saudi_wages_come_on_the_27th_or_before_a_friday_saturday_weekend() -> None:
    from experiments.simulator.paydays import pay_calendars
    from experiments.simulator.settings import Settings

    calendars = pay_calendars(Settings(1, date(2025, 1, 1), 12, 1))
    own = np.flatnonzero(calendars.market == COUNTRIES.index("SA"))
    usual = own[np.argmax(calendars.weight[own])]
    found = [to_date(int(day)) for day in np.unique(calendars.latest[usual])]
    banks_closed = holidays.country_holidays("SA", years=[2024, 2025, 2026])
    for month in range(1, 13):
        day = date(2025, month, 27)
        while day.weekday() in (4, 5) or day in banks_closed:
            day -= timedelta(days=1)
        assert day in found


def test_brazilian_wages_come_on_the_fifth_banking_day(made: Generated) -> None:
    closed = holidays.country_holidays("BR", years=[2025])
    for month in range(1, 13):
        day, open_days = date(2025, month, 1), 0
        while True:
            open_days += day.weekday() < 5 and day not in closed
            if open_days == 5:
                break
            day += timedelta(days=1)
        assert day in paydays(made, "BR", 0)


def test_british_wages_come_on_the_last_banking_day(made: Generated) -> None:
    assert {date(2025, 1, 31), date(2025, 5, 30), date(2025, 8, 29), date(2025, 12, 31)} < set(paydays(made, "GB", 0))


def test_american_fortnightly_wages_come_on_every_second_friday(made: Generated) -> None:
    # The two phases of the fortnight follow the weekly calendar, which is the heaviest of all.
    weekly, first, second = (paydays(made, "US", n) for n in range(3))
    assert sorted(set(first) | set(second)) == weekly
    gaps = {(later - earlier).days for earlier, later in pairwise(first)}
    assert gaps <= {13, 14, 15}  # a Friday that is a holiday is paid on the Thursday


def test_every_calendar_knows_the_latest_and_the_next_payday_of_every_day(made: Generated) -> None:
    calendars = made.hidden.land.paydays
    days = np.arange(calendars.latest.shape[1]) + calendars.first_day
    assert np.all(calendars.latest <= days)
    assert np.all(calendars.following > days)
    assert np.all(calendars.following - calendars.latest <= 36)
    shares = [calendars.weight[calendars.market == index].sum() for index in range(len(COUNTRIES))]
    np.testing.assert_allclose(shares, 1.0)

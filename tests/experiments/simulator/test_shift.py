"""A shifted world differs in what was shifted and in nothing else, and its truth can be read back."""

from datetime import date

import numpy as np
import pytest

from experiments.simulator.generate import generate
from experiments.simulator.landscape import landscape
from experiments.simulator.settings import Settings, Shift
from experiments.simulator.truth import read_truth, settings_json, truth_tables
from features.errors import InvalidValueError

START = date(2025, 1, 1)


def settings(shift: Shift | None = None) -> Settings:
    return Settings(seed=4, start=START, months=6, customers=300, shift=shift or Shift())


def test_other_issuers_keep_their_customers_and_lose_their_habits() -> None:
    usual, other = generate(settings()), generate(settings(Shift(issuers=1)))
    np.testing.assert_array_equal(usual.hidden.people.market, other.hidden.people.market)
    assert usual.hidden.land.issuers.ids == other.hidden.land.issuers.ids
    assert not np.array_equal(usual.hidden.land.issuers.by_hour, other.hidden.land.issuers.by_hour)


def test_moved_paydays_come_so_many_days_later() -> None:
    usual, moved = landscape(settings()).paydays, landscape(settings(Shift(paydays=3))).paydays
    np.testing.assert_array_equal(moved.latest[:, 10:], usual.latest[:, 7:-3] + 3)
    np.testing.assert_array_equal(moved.weight, usual.weight)


def test_a_month_of_outages_is_worse_and_the_others_are_as_they_were() -> None:
    usual, bad = landscape(settings()), landscape(settings(Shift(outage_month=3)))
    first, last = ((usual.settings.month_day(month) - usual.settings.calendar_first) * 24 for month in (2, 3))
    assert bad.issuer_down[:, first:last].mean() > 5 * usual.issuer_down[:, first:last].mean()
    np.testing.assert_array_equal(bad.issuer_down[:, :first], usual.issuer_down[:, :first])


def test_the_shift_is_part_of_the_truth() -> None:
    made = generate(settings(Shift(issuers=2, paydays=1, outage_month=2)))
    assert read_truth(settings_json(made.settings), truth_tables(made)).hidden.land.settings == made.settings


@pytest.mark.parametrize("bad", [{"paydays": 16}, {"paydays": -1}, {"outage_month": 121}])
def test_a_shift_out_of_range_is_refused(bad: dict[str, int]) -> None:
    with pytest.raises(InvalidValueError):
        Shift(**bad)

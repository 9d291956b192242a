"""Money comes on paydays and drains between them, and the log shows it."""

import numpy as np
import pytest

from experiments.simulator.answers import Asks, chance
from experiments.simulator.causes import Cause
from experiments.simulator.generate import Generated
from experiments.simulator.journal import NO_POLICY
from experiments.simulator.methods import NEVER, SLOTS
from experiments.simulator.money import days_since_pay, days_to_pay, funds_mean, funds_noise
from features.calendars import days_from_payday
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR


def first_attempts(made: Generated) -> Asks:
    journal = made.journal.take(np.flatnonzero(made.journal.order == 0))
    gone = np.full(len(journal), NEVER, dtype=np.int64)
    return Asks(journal.customer, journal.payment, journal.slot, journal.processor, journal.at, journal.amount, gone)


def test_days_since_pay_agree_with_walking_back_hour_by_hour(made: Generated) -> None:
    land, people, them = made.hidden.land, made.hidden.people, made.hidden.methods
    asks = first_attempts(made).take(np.arange(0, 4_000, 97))
    hour = asks.at // MICROS_PER_HOUR
    since, began = days_since_pay(land, people, them, asks.customer, asks.slot, hour)
    for row in range(hour.size):
        who = asks.customer[row]
        shift = people.pay_shift[who] + them.statement_day[who * SLOTS + asks.slot[row]]
        paydays = set(land.paydays.latest[people.pay_calendar[who]].tolist())
        zone = people.zone[who : who + 1]
        local_hour = int(land.local(zone, hour[row : row + 1] * MICROS_PER_HOUR)[0] // MICROS_PER_HOUR)
        back = local_hour
        while not (back % 24 == people.salary_hour[who] and back // 24 - shift in paydays):
            back -= 1
        assert began[row] == back // 24
        assert since[row] == (local_hour - back) // 24


def test_the_next_payday_is_where_the_days_since_pay_begin_anew(made: Generated) -> None:
    land, people, them = made.hidden.land, made.hidden.people, made.hidden.methods
    asks = first_attempts(made).take(np.arange(0, 4_000, 53))
    hour = asks.at // MICROS_PER_HOUR
    ahead = days_to_pay(land, people, them, asks.customer, asks.slot, hour)
    day_before = days_since_pay(land, people, them, asks.customer, asks.slot, hour + 24 * (ahead - 1))[0]
    that_day = days_since_pay(land, people, them, asks.customer, asks.slot, hour + 24 * ahead)[0]
    changes_of_clock = np.abs(that_day) > 0
    assert changes_of_clock.mean() < 0.05
    assert np.all(day_before[~changes_of_clock] >= 0)


def test_noise_is_standard_normal_and_stays_within_an_hour(made: Generated) -> None:
    land, people, them = made.hidden.land, made.hidden.people, made.hidden.methods
    asks = first_attempts(made)
    hour = asks.at // MICROS_PER_HOUR
    noise = funds_noise(land, people, them, asks.customer, asks.slot, hour)
    next_hour = funds_noise(land, people, them, asks.customer, asks.slot, hour + 1)
    assert abs(noise.mean()) < 0.03
    assert noise.std() == pytest.approx(1.0, abs=0.03)
    assert 0.85 < np.corrcoef(noise, next_hour)[0, 1] < 0.97


def test_dearer_payments_are_covered_less_often(made: Generated) -> None:
    land, people, them = made.hidden.land, made.hidden.people, made.hidden.methods
    asks = first_attempts(made)
    hour = asks.at // MICROS_PER_HOUR
    usual = funds_mean(land, people, them, asks.customer, asks.slot, hour, asks.amount)
    double = funds_mean(land, people, them, asks.customer, asks.slot, hour, 2 * asks.amount)
    assert np.all(double < usual)


def test_the_stated_chance_is_the_share_that_is_approved(made: Generated) -> None:
    journal = made.journal
    approved = journal.cause[journal.order == 0] == Cause.APPROVED
    stated = chance(made.hidden, first_attempts(made))
    assert stated.mean() == pytest.approx(approved.mean(), abs=0.004)
    for low, high in ((0.2, 0.6), (0.6, 0.9), (0.9, 0.99)):
        band = (stated >= low) & (stated < high)
        error = 4 * np.sqrt(0.25 / band.sum())
        assert band.sum() > 200
        assert approved[band].mean() == pytest.approx(stated[band].mean(), abs=error)


@pytest.mark.parametrize("market", [0, 1, 2, 3, 4])
def test_retries_for_lack_of_funds_do_better_just_after_the_customers_payday(made: Generated, market: int) -> None:
    hidden, journal = made.hidden, made.journal
    payment = journal.customer * 1_000 + journal.payment
    broke = payment[(journal.order == 0) & (journal.cause == Cause.NO_FUNDS)]
    chosen = (
        (journal.policy != NO_POLICY) & np.isin(payment, broke) & (hidden.people.market[journal.customer] == market)
    )
    retries = journal.take(np.flatnonzero(chosen))
    since = days_since_pay(
        hidden.land, hidden.people, hidden.methods, retries.customer, retries.slot, retries.at // MICROS_PER_HOUR
    )[0]
    approved = retries.cause == Cause.APPROVED
    assert approved[since <= 2].mean() > approved[since >= 8].mean() + 0.15


def test_the_markets_custom_tells_a_learner_something_but_not_all(made: Generated) -> None:
    """The custom every learner may know (`features.calendars`) helps in Saudi Arabia, less than the hidden truth."""
    hidden, journal = made.hidden, made.journal
    first = journal.take(np.flatnonzero((journal.order == 0) & (hidden.people.market[journal.customer] == 5)))
    local = hidden.land.local(hidden.people.zone[first.customer], first.at)
    custom = days_from_payday("SA", local // MICROS_PER_DAY)
    truth = days_since_pay(
        hidden.land, hidden.people, hidden.methods, first.customer, first.slot, first.at // MICROS_PER_HOUR
    )[0]
    broke = (first.cause == Cause.NO_FUNDS).astype(float)
    by_custom, by_truth = np.corrcoef(custom, broke)[0, 1], np.corrcoef(truth, broke)[0, 1]
    assert 0 < by_custom < by_truth

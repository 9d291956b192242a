"""The value of a retry against the formula worked by hand."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_builders import NOW, card, context, failed
from features.action import Retry, Slot
from features.money import Money
from model.economics import Economics
from model.valuation import gains, values

FIGURES = """
[value]
margin = 0.5
later_invoices = 1.0
half_life_days = 10.0
delay_per_day = 0.01
[harm]
card = "1.00 EUR"
[fees.north]
approved = {fixed = "2.00 EUR", share = 0.1}
declined = "3.00 EUR"
"""


def in_days(days: float, processor: str = "north") -> Retry:
    start = NOW + timedelta(days=days)
    return Retry(Slot(start, start + timedelta(hours=1)), "card_1", processor)


def test_the_value_is_that_of_the_formula() -> None:
    failure = context([card()], [failed(card())], amount=Money(10_000, "EUR"))
    worth = values(failure, [in_days(10)], np.array([0.25]), Economics.from_toml(FIGURES))[0]
    gain = 10_000 * 0.5 * 2 * 0.5 - 10_000 * 0.01 * 10
    cost = 0.25 * (200 + 1000) + 0.75 * (300 + 100)
    assert worth.gain == Money(round(gain), "EUR")
    assert worth.cost == Money(round(cost), "EUR")
    assert worth.net == Money(round(0.25 * gain - cost), "EUR")
    assert worth.break_even_cost == Money(round(0.25 * gain), "EUR")


@given(st.floats(0.01, 0.99), st.floats(0, 60))
def test_an_attempt_that_costs_its_break_even_is_worth_nothing(probability: float, days: float) -> None:
    failure = context([card()], [failed(card())])
    free = '[harm]\ncard = "0 EUR"\n[fees.default]\napproved = "0 EUR"\ndeclined = "0 EUR"\n'
    costless = values(failure, [in_days(days)], np.array([probability]), Economics.from_toml(free))
    assert costless.net[0] == pytest.approx(costless.break_even_cost[0])
    euros = costless.break_even_cost[0] / 100
    if euros >= 0:
        costly = free.replace('approved = "0 EUR"', f'approved = "{euros:.2f} EUR"')
        costly = costly.replace('declined = "0 EUR"', f'declined = "{euros:.2f} EUR"')
        priced = values(failure, [in_days(days)], np.array([probability]), Economics.from_toml(costly))
        assert priced.net[0] == pytest.approx(0.0, abs=0.51)


def test_some_of_the_values_at_other_chances_are_those_of_these_retries_at_these_chances() -> None:
    failure, figures = context([card()], [failed(card())]), Economics.from_toml(FIGURES)
    retries = [in_days(days) for days in (1, 5, 9)]
    every = values(failure, retries, np.array([0.2, 0.5, 0.7]), figures)
    chance = np.array([0.9, 0.1])
    some, worked = every.at(np.array([2, 0]), chance), values(failure, [retries[2], retries[0]], chance, figures)
    assert [some[k] for k in range(2)] == [worked[k] for k in range(2)]
    assert some.net.tolist() == worked.net.tolist()
    assert some.declined_cost.tolist() == worked.declined_cost.tolist()


def test_half_of_the_value_is_left_after_the_half_life() -> None:
    economics = Economics.from_toml("[value]\nhalf_life_days = 20.0\ndelay_per_day = 0.0\n")
    now, later = gains(Money(1_000, "EUR"), np.array([0.0, 20.0]), economics)
    assert later == pytest.approx(now / 2)


def test_waiting_never_adds_value() -> None:
    worth = gains(Money(1_000, "EUR"), np.linspace(0, 60, 200), Economics.default())
    assert (np.diff(worth) < 0).all()


def test_fees_in_another_currency_are_weighed_in_the_payment_s() -> None:
    failure = context([card()], [failed(card())], amount=Money(5_000, "JPY"))
    figures = FIGURES + "[exchange.per_base]\nJPY = 150.0\n"
    worth = values(failure, [in_days(0)], np.array([0.0]), Economics.from_toml(figures))[0]
    assert worth.cost == Money(600, "JPY")

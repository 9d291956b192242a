"""Inferred paydays against counting votes one by one."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from features.calendars import MONTH, to_date, to_day
from features.known import Known
from features.own_paydays import RECOVERIES, STRENGTH, OwnPaydays, own_paydays

FIRST = to_day(date(2025, 1, 1))
_RECOVERIES = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 35)), max_size=RECOVERIES + 3)


def _infer(recoveries: list[tuple[int, int]]) -> OwnPaydays:
    failed = np.array([FIRST + start for start, _ in recoveries], dtype=np.int64)
    paid = failed + np.array([wait for _, wait in recoveries], dtype=np.int64)
    place = np.arange(len(recoveries))
    past = Known(np.zeros(len(recoveries), np.int64), place, np.array([0]), np.array([len(recoveries)]))
    return own_paydays(past, np.ones(len(recoveries), bool), failed, paid)


def _votes(recoveries: list[tuple[int, int]]) -> dict[int, float]:
    told = [(start, wait) for start, wait in recoveries if wait <= 27][-RECOVERIES:]
    votes = dict.fromkeys(range(1, 32), 0.0)
    for start, wait in told:
        failed, paid = to_date(FIRST + start), to_date(FIRST + start + wait)
        days = [paid.day]
        while wait and (days[-1] - 2) % 31 + 1 != failed.day:
            days.append((days[-1] - 2) % 31 + 1)
        for day in days:
            votes[day] += 1 / len(days)
    return votes


@settings(deadline=None)
@given(_RECOVERIES)
def test_every_recovery_votes_for_the_days_between_its_failure_and_its_approval(
    recoveries: list[tuple[int, int]],
) -> None:
    own, votes = _infer(recoveries), _votes(recoveries)
    np.testing.assert_allclose(np.diff(own.running[0]), list(votes.values()), atol=1e-9)
    assert own.support[0] == round(sum(votes.values()))
    assert np.isnan(own.day[0]) == (own.support[0] == 0)


@settings(deadline=None)
@given(_RECOVERIES, st.integers(0, 400), st.integers(0, 70))
def test_the_chance_that_money_came_is_the_shrunk_share_of_votes_for_the_days_passed(
    recoveries: list[tuple[int, int]], first: int, wait: int
) -> None:
    own, votes = _infer(recoveries), _votes(recoveries)
    low, high = FIRST + first, FIRST + first + wait
    chance = own.chance_between(np.array([low]), np.array([high]))[0]
    mass, day, total = 0.0, low, sum(votes.values())
    while day < high:
        if to_date(day + 1).day == 1:  # a short month's missing days pass with its last one
            mass += sum(votes[d] for d in range(to_date(day).day + 1, 32))
        day += 1
        mass += votes[to_date(day).day]
    expected = (min(mass, total) + STRENGTH * min(wait / MONTH, 1)) / (total + STRENGTH)
    np.testing.assert_allclose(chance, expected, atol=1e-9)


def test_a_customer_paid_on_the_tenth_is_found_out() -> None:
    monthly = [date(2025, m, 1) for m in range(1, 8)]
    recoveries = [
        (to_day(d) + 3 + m % 4 - FIRST, 8 - m % 3) for m, d in enumerate(monthly)
    ]  # failed between the 4th and the 7th, paid between the 10th and the 14th
    own = _infer(recoveries)
    assert 7 <= own.day[0] <= 12
    last = to_day(date(2025, 9, 5))
    before, after = own.chance_between(np.array([last, last]), last + np.array([1, 9]))
    assert after > 0.8
    assert before < after / 3


def test_no_recovery_leaves_an_even_chance() -> None:
    own = _infer([])
    day = to_day(date(2025, 9, 5)) + np.zeros(2, dtype=np.int64)
    np.testing.assert_allclose(own.chance_between(day, day + np.array([0, 15])), [0, 15 / MONTH])

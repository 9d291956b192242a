"""Schedules learnt from a log come close to those fitted on full outcomes, and the search for the best is exact."""

from collections.abc import Sequence
from datetime import date
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from builders import simple_classify
from experiments.history_contexts import HistoryContexts
from experiments.schedules.cover import best_cover
from experiments.schedules.hazard import best_days, fitted
from experiments.schedules.learnt import BEST_FIXED, CALENDAR, DUE_DAY, FULL, FullOutcomes, from_log, from_outcomes
from experiments.schedules.tries import Tries, tries_of
from features.calendars import to_day
from features.table_of_history import from_arrow
from model.failures import failures
from model.schedules import Timetable
from replay_builders import HORIZON, days_of, monthly_log

HISTORY, OUTCOMES = monthly_log(1_500, seed=1)
TRIES = tries_of(from_arrow(HISTORY, simple_classify), HORIZON)
UNSEEN, UNSEEN_OUTCOMES = monthly_log(1_000, seed=2)
FAILED_ON = {c.payment.payment_id: failures(c)[0].at.date() for c in HistoryContexts(UNSEEN, HORIZON).failures()}


def recovered(timetable: Timetable, most: int) -> float:
    """Share of unseen payments that a timetable recovers."""
    won = [
        any(clears[day - 1] == "1" for day in timetable.days(FAILED_ON[payment])[:most])
        for payment, clears in UNSEEN_OUTCOMES.items()
    ]
    return float(np.mean(won))


def test_tries_are_the_retries_of_the_log_by_day() -> None:
    assert len(TRIES) == sum(
        name != 1 for name in (int(a.rsplit("-", 1)[1]) for a in HISTORY["attempt_id"].to_pylist())
    )
    assert (TRIES.day > TRIES.last).all()
    assert TRIES.day.min() >= 1
    assert TRIES.day.max() <= HORIZON
    first = TRIES.take(TRIES.last == 0)
    assert len(np.unique(first.payment)) == len(first) == 1_500


def full_outcomes() -> FullOutcomes:
    when = {c.payment.payment_id: failures(c)[0].at.date() for c in HistoryContexts(HISTORY, HORIZON).failures()}
    return FullOutcomes(np.array([to_day(when[name]) for name in OUTCOMES]), days_of(list(OUTCOMES.values())))


def test_what_the_log_teaches_recovers_much_of_what_full_outcomes_teach() -> None:
    most = (1, 2, 3)
    learnt, full = from_log(TRIES, HORIZON, most), from_outcomes(full_outcomes(), HORIZON, most)
    for number in most:
        ours = {one.name: recovered(one.timetable, number) for one in learnt[number]}
        bound = {one.name.removesuffix(FULL): recovered(one.timetable, number) for one in full[number]}
        for name in (BEST_FIXED, DUE_DAY, CALENDAR):
            assert ours[name] > 0.8 * bound[name], (number, ours, bound)
        assert min(ours[DUE_DAY], ours[CALENDAR]) > ours[BEST_FIXED] + 0.1  # money comes by the calendar


def value_of(hazard: NDArray[np.float64], schedule: Sequence[int]) -> float:
    """P(recovered) of a schedule; days without a hazard add nothing."""
    still, last = 1.0, 0
    for day in schedule:
        chance = hazard[last, day]
        if np.isfinite(chance):
            still *= 1.0 - float(chance)
            last = day
    return 1.0 - still


def test_the_best_days_are_found_exactly() -> None:
    rng = np.random.default_rng(3)
    days = 9
    for most in (1, 2, 3, 4):
        hazard = np.where(np.arange(days + 1) > np.arange(days)[:, None], rng.random((days, days + 1)) * 0.6, np.nan)
        best = max(
            (chosen for k in range(1, most + 1) for chosen in combinations(range(1, days + 1), k)),
            key=lambda chosen: value_of(hazard, chosen),
        )
        assert value_of(hazard, best_days(hazard, most)) == pytest.approx(value_of(hazard, best))


def test_a_day_the_log_never_tried_is_never_chosen() -> None:
    few = TRIES.take(TRIES.day <= 10)
    assert max(best_days(fitted(few, HORIZON).hazard, 3)) <= 16  # the widest smoothing reaches four days and a little


def test_hazards_of_a_flat_world_are_flat() -> None:
    rng = np.random.default_rng(4)
    n = 20_000
    last = rng.integers(0, 10, n)
    tries = Tries(
        np.arange(n), np.full(n, 20_000), last, last + rng.integers(1, 10, n), (rng.random(n) < 0.3).astype(np.float64)
    )
    hazard = fitted(tries, 20).hazard
    cells = hazard[tries.last, tries.day]
    assert np.abs(cells - 0.3).mean() < 0.03


@pytest.mark.parametrize("most", [1, 2, 3])
def test_the_cover_is_the_best_of_all_sets(most: int) -> None:
    clears = np.random.default_rng(5).random((200, 9)) < 0.15
    best = max(combinations(range(9), most), key=lambda chosen: int(clears[:, list(chosen)].any(axis=1).sum()))
    assert best_cover(clears, most) == best


def test_beyond_four_days_exchanges_come_within_a_hundredth_of_the_best_of_all_sets() -> None:
    for seed in range(20):
        clears = np.random.default_rng(seed).random((300, 12)) < 0.12
        best = max(int(clears[:, list(s)].any(axis=1).sum()) for s in combinations(range(12), 6))
        found = int(clears[:, list(best_cover(clears, 6))].any(axis=1).sum())
        assert found >= 0.99 * best


def test_part_of_the_month_decides_the_day() -> None:
    due_day = {one.name: one.timetable for one in from_log(TRIES, HORIZON, (1,))[1]}[DUE_DAY]
    for failed in (date(2025, 3, 3), date(2025, 3, 27)):
        (after,) = due_day.days(failed)
        assert 8 <= date.fromordinal(failed.toordinal() + after).day <= 16

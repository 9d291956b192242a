"""The value of choosing good times is told by a random log as it would be told by doing so."""

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats
from training.policy_value import BEST_SHARE, PolicyValue, value_of_best_times

TIMES = 40


def log(rows: int, seed: int, skill: float) -> tuple[Floats, Floats, Floats, Floats, float]:
    """A log that chose among 40 times with known, uneven odds; scores see the truth blurred; the true value of them."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(2.0, 3.0, (rows, TIMES))
    score = skill * truth + (1.0 - skill) * rng.random((rows, TIMES))
    odds = rng.dirichlet(np.full(TIMES, 3.0), rows)
    taken = np.array([rng.choice(TIMES, p=row) for row in odds])
    each = np.arange(rows)
    y = (rng.random(rows) < truth[each, taken]).astype(np.float64)
    best = int(BEST_SHARE * TIMES)
    chosen = np.take_along_axis(truth, np.argsort(-score, axis=1)[:, :best], axis=1)
    return y, odds[each, taken], score[each, taken], score, float(chosen.mean())


def value(rows: int, seed: int, skill: float) -> tuple[PolicyValue | None, float]:
    y, propensity, own, others, true = log(rows, seed, skill)
    return value_of_best_times(y, propensity, np.arange(rows), own, others), true


def test_the_true_value_lies_within_two_standard_errors_about_nineteen_times_in_twenty() -> None:
    found = [value(3_000, seed, 0.8) for seed in range(30)]
    within = [abs(got.value - true) < 1.96 * got.standard_error for got, true in found if got is not None]
    assert len(within) == 30
    assert sum(within) >= 26


def test_better_scores_choose_better_times() -> None:
    values = [value(12_000, 0, skill)[0] for skill in (0.0, 0.5, 1.0)]
    told = [one.value for one in values if one is not None]
    assert told == sorted(told)
    assert told[2] - told[0] > 0.1


def test_scores_that_tell_nothing_apart_are_worth_what_the_log_is_on_average() -> None:
    y, propensity, own, others, _ = log(4_000, 1, 0.5)
    flat = value_of_best_times(y, propensity, np.arange(4_000), own * 0.0, others * 0.0)
    assert flat is not None
    assert abs(flat.value - float(np.sum(y / propensity) / np.sum(1 / propensity))) < 1e-12


def test_too_few_rows_that_speak_for_the_policy_give_no_value() -> None:
    customer: NDArray[np.int64] = np.arange(60)
    y, propensity, own, others, _ = log(60, 2, 0.5)
    assert value_of_best_times(y, propensity, customer, own, others) is None

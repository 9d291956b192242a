"""Curves say what is back by each day and how much was left to recover."""

import numpy as np
import pytest

from cohort_builders import Owed, cohort, instant
from experiments.analysis.recovery_curve import recovery_curves
from experiments.metrics.maturity import Window
from features.errors import InvalidValueError

OWED = [
    Owed(0, 100, paid=0.5),
    Owed(0, 200, paid=2.5),
    Owed(1, 300, paid=3.0, taken_back=3.5),
    Owed(1, 400),
    Owed(2, 500, failed=1, paid=2),
    Owed(3, 600, failed=9, paid=9.1),
]


def test_a_curve_is_what_one_counts_by_hand() -> None:
    (curve,) = recovery_curves(cohort(OWED, [0, 0, 1, 0], [0.0, 0.0, 1.0, 9.0]), Window(4), instant(10))
    assert curve.variant == "control"
    np.testing.assert_allclose(curve.share, np.array([100, 100, 300, 300]) / 1_000)
    assert curve.at_risk == (4, 3, 3, 2)
    assert curve.payments == 4
    assert (curve.low <= curve.share).all()
    assert (curve.high >= curve.share).all()


def test_the_interval_of_the_last_day_is_that_of_the_ratio_over_customers() -> None:
    rng = np.random.default_rng(1)
    owed = [
        Owed(unit, amount=float(rng.integers(50, 90)), paid=float(rng.uniform(0, 8)))
        for unit in range(300)
        for _ in range(3)
    ]
    (curve,) = recovery_curves(cohort(owed, [0] * 300, [0.0] * 300), Window(4), instant(10))
    above = np.zeros(300)
    below = np.zeros(300)
    for one in owed:
        below[one.unit] += one.amount
        above[one.unit] += one.amount * (one.paid <= 4)
    ratio = above.sum() / below.sum()
    error = np.std((above - ratio * below) / below.mean(), ddof=1) / 300**0.5
    assert curve.share[-1] == pytest.approx(ratio)
    assert curve.high[-1] - curve.share[-1] == pytest.approx(1.959964 * error)


def test_a_window_below_a_day_has_no_curve() -> None:
    with pytest.raises(InvalidValueError, match="at least one day"):
        recovery_curves(cohort([], [], []), Window(0.5), instant(10))

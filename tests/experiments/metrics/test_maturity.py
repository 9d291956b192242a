"""Units are collecting until their whole window is over, and only then enter a figure."""

import numpy as np
import pytest

from cohort_builders import Owed, cohort, instant, instants
from experiments.metrics.catalogue import METRICS, PRIMARY
from experiments.metrics.maturity import Window, mature, matures_at
from experiments.metrics.unit_rows import Covariate, all_rows, unit_rows
from features.errors import InvalidValueError


def test_a_unit_is_mature_when_joining_outcome_and_settling_days_are_over() -> None:
    window = Window(outcome_days=14, joining_days=7, settling_days=3)
    exposed = instants([0.0, 1.0])
    assert matures_at(exposed, window).tolist() == instants([24.0, 25.0]).tolist()
    assert mature(exposed, window, instant(24.0)).tolist() == [True, False]


def test_an_early_recovery_does_not_let_its_unit_in_early() -> None:
    quick = cohort([Owed(0, paid=1), Owed(1)], [0, 0], [0.0, 0.0])
    assert len(unit_rows(METRICS[PRIMARY], quick, Window(30), instant(29.9))) == 0
    assert len(unit_rows(METRICS[PRIMARY], quick, Window(30), instant(30))) == 2


def test_immature_rows_are_what_is_known_so_far_and_leave_out_who_is_not_exposed_yet() -> None:
    facts = cohort([Owed(0, paid=5), Owed(1, paid=9), Owed(2, failed=20)], [0, 1, 0], [0.0, 0.0, 20.0])
    rows = all_rows(METRICS[PRIMARY], facts, Window(30), instant(7))
    assert rows.columns[:, 0].tolist() == [1_000, 0]


@pytest.mark.parametrize("window", [(0.0, 0.0, 0.0), (float("nan"), 0.0, 0.0), (30.0, -1.0, 0.0), (30.0, 0.0, -1.0)])
def test_windows_without_sense_are_refused(window: tuple[float, float, float]) -> None:
    with pytest.raises(InvalidValueError, match="a number of days"):
        Window(*window)


def test_covariates_stand_beside_the_outcome_and_a_missing_one_is_named() -> None:
    known = {"past_recovered": np.array([3.0, 4.0]), "past_failed": np.array([6.0, 7.0])}
    facts = cohort([Owed(0), Owed(1)], [0, 1], [0.0, 0.0], covariates=known)
    rows = unit_rows(METRICS[PRIMARY], facts, Window(30), instant(60), Covariate("past_recovered", "past_failed"))
    assert rows.columns[:, 2:].tolist() == [[3.0, 6.0], [4.0, 7.0]]
    with pytest.raises(InvalidValueError, match="past_failed, past_recovered"):
        unit_rows(METRICS[PRIMARY], facts, Window(30), instant(60), Covariate("past"))

"""The promises of the analysis in small; `make experiments-validate` runs enough trials to put figures on them.

Bounds are quantiles of what trials that keep the promise give, one wrong alarm in a thousand; seeds are fixed.
"""

import math

import pytest
from scipy.stats import binom

from benchmarks.experiments.broken_splits import lost_exposures, tilted
from benchmarks.experiments.covariates import reduction
from benchmarks.experiments.coverage import coverage
from benchmarks.experiments.early_looks import early_looks
from benchmarks.experiments.false_alarms import false_alarms
from benchmarks.experiments.lines import Line, share, table
from benchmarks.experiments.margins import at_the_margin
from benchmarks.experiments.sizes import power
from experiments.definition import Method

_FEW, _MANY = 0.0005, 0.9995


def test_daily_looks_at_a_a_tests_raise_no_more_false_alarms_than_promised() -> None:
    found = false_alarms(1, 40)
    assert found.sequential <= binom.ppf(_MANY, 40, 0.05)
    assert found.withheld <= binom.ppf(_MANY, 40, 0.01)
    assert binom.ppf(_FEW, 40, 0.05) <= found.fixed_end <= binom.ppf(_MANY, 40, 0.05)
    assert found.fixed_any >= 8  # what reading the fixed interval daily would do


@pytest.mark.parametrize("method", list(Method))
def test_the_planned_size_gives_the_planned_power(method: Method) -> None:
    found = power(2, 250, method, known=True)
    assert binom.ppf(_FEW, 250, 0.8) <= found.found <= binom.ppf(_MANY, 250, 0.8)


def test_a_covariate_takes_off_the_square_of_its_correlation() -> None:
    found = reduction(3, 0.7, 2_000, units=200)
    assert found.reported == pytest.approx(0.49, abs=0.01)
    assert found.between == pytest.approx(0.49, abs=0.05)


def test_intervals_by_customer_cover_and_intervals_by_payment_do_not() -> None:
    found = coverage(4, 250)
    least = binom.ppf(_FEW, 250, 0.95)
    assert found.by_customer >= least
    assert found.with_past >= least
    assert found.by_payment < least


def test_planted_faults_of_the_split_are_caught_and_outcomes_withheld() -> None:
    split, exposures = tilted(5, 10), lost_exposures(6, 3)
    assert split.caught == split.trials
    assert split.day < 30
    assert exposures.caught == exposures.trials
    assert math.isnan(tilted(7, 5, treated=0.5).day)


def test_immature_units_make_an_equal_policy_lose_and_are_not_in_the_report() -> None:
    found = early_looks(8, 8)
    assert found.wrong_early == 8
    assert found.wrong_matured <= binom.ppf(_MANY, 8, 0.05)
    assert abs(found.matured) <= 4 * found.error
    assert found.early < -0.1


def test_a_line_that_does_not_hold_is_said_to() -> None:
    lines = [share("at most 5 %", 80, 1_000, "1,000 trials", 0, 0.05), Line("it holds", "0", "1", holds=True)]
    assert not lines[0].holds
    assert "| at most 5 % | 8.00% (6.39% to 9.86%) | 1,000 trials | **no** |" in table(lines)
    assert "| it holds | 0 | 1 | yes |" in table(lines)


def test_a_guard_rail_exactly_at_its_margin_is_rarely_called_breached_or_held() -> None:
    found = at_the_margin(9, 30)
    assert found.breached <= binom.ppf(_MANY, 30, 0.05)
    assert max(found.held) <= binom.ppf(_MANY, 30, 0.025)

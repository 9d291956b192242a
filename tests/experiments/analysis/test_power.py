"""Planned sizes are those of the textbook."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from experiments.analysis.intervals import Tuning, always_valid_multiplier, fixed_multiplier
from experiments.analysis.multiplicity import shared
from experiments.analysis.power import Baseline, Design, baseline, multiplier, needed
from experiments.definition import Method
from experiments.metrics.maturity import Window
from features.errors import InvalidValueError
from row_builders import clustered, means

WINDOW = Window(28)
HALF = Baseline(mean=0.5, variance=0.25, reduction=0.0, units_per_week=1_000)
ONCE = Design(method=Method.FIXED)


def test_two_points_on_fifty_per_cent_take_the_9_800_units_an_arm_of_the_textbook() -> None:
    """2 (1.96 + 0.84)² 0.25 / 0.02² = 9,811 an arm."""
    found = needed(HALF, 0.02, ONCE, WINDOW)
    assert found.units / 2 == pytest.approx(2 * (1.959964 + 0.841621) ** 2 * 0.25 / 0.02**2, abs=1)
    assert found.weeks == pytest.approx(found.units / 1_000 + 4)
    assert found.relative == pytest.approx(0.04)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("power", [0.7, 0.8, 0.95])
def test_the_power_at_the_planned_size_is_the_planned_power(method: Method, power: float) -> None:
    design = Design(control_share=0.2, variant_share=0.4, power=power, method=method)
    units = needed(HALF, 0.03, design, WINDOW).units
    shift = 0.03 / math.sqrt(0.25 / (units / 3) + 0.25 / (2 * units / 3))
    reach = multiplier(design)
    assert stats.norm.sf(reach - shift) + stats.norm.cdf(-reach - shift) == pytest.approx(power, abs=1e-3)


def test_weeks_count_only_the_units_that_take_part_and_the_time_the_last_of_them_need() -> None:
    found = needed(HALF, 0.015, Design(coverage=0.5, control_share=0.3, variant_share=0.3), WINDOW)
    assert found.weeks == pytest.approx(found.units / (1_000 * 0.5 * 0.6) + 4)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("claims", [1, 2, 4])
def test_the_planned_size_gives_the_power_at_the_interval_of_a_verdict_on_several_variants(
    method: Method, claims: int
) -> None:
    """By the multiplier of the analysis itself: a share of alpha, tuned for the whole."""
    design = Design(method=method, claims=claims)
    units = needed(HALF, 0.03, design, WINDOW).units
    alpha = shared(design.alpha, claims)
    fixed, always = fixed_multiplier(alpha), always_valid_multiplier(units, Tuning(units, design.alpha), alpha)
    reach = fixed if method is Method.FIXED else float(always)
    assert stats.norm.cdf(0.03 / math.sqrt(0.25 * 4 / units) - reach) == pytest.approx(0.8, abs=1e-3)


def test_looking_daily_costs_units_and_a_covariate_saves_them() -> None:
    daily = Design()
    ratio = needed(HALF, 0.02, daily, WINDOW).units / needed(HALF, 0.02, ONCE, WINDOW).units
    assert ratio == pytest.approx(((multiplier(daily) + 0.841621) / (1.959964 + 0.841621)) ** 2, rel=1e-3)
    assert 1.5 < ratio < 2
    known = Baseline(0.5, 0.25, 0.36, 1_000)
    assert needed(known, 0.02, ONCE, WINDOW).units == pytest.approx(
        0.64 * needed(HALF, 0.02, ONCE, WINDOW).units, rel=1e-3
    )


def test_a_baseline_is_read_off_past_units() -> None:
    rng = np.random.default_rng(1)
    columns = clustered(rng, 20_000)
    found = baseline(columns, weeks=10)
    assert found.mean == pytest.approx(columns[:, 0].sum() / columns[:, 1].sum())
    linear = (columns[:, 0] - found.mean * columns[:, 1]) / columns[:, 1].mean()
    past = columns[:, 2] - columns[:, 2].sum() / columns[:, 3].sum() * columns[:, 3]
    assert found.variance == pytest.approx(np.var(linear, ddof=1))
    assert found.reduction == pytest.approx(np.corrcoef(linear, past)[0, 1] ** 2)
    assert found.units_per_week == 2_000


def test_plans_without_sense_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="smallest_effect"):
        needed(HALF, 0.0, ONCE, WINDOW)
    with pytest.raises(InvalidValueError, match="history"):
        baseline(means(np.ones(1)), 4)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Design(control_share=0.0),
        lambda: Design(variant_share=0.6),
        lambda: Design(power=1.0),
        lambda: Design(alpha=0.0),
        lambda: Design(coverage=2.0),
        lambda: Design(claims=0),
    ],
)
def test_designs_out_of_range_are_refused(wrong: Callable[[], Design]) -> None:
    with pytest.raises(InvalidValueError):
        wrong()

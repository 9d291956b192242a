"""The fixed interval covers at one look; the other covers at all looks together."""

import math

import numpy as np
import pytest
from scipy import integrate, stats

from experiments.analysis.intervals import (
    Tuning,
    always_valid_multiplier,
    always_valid_p,
    fixed_multiplier,
    fixed_p,
)
from features.errors import InvalidValueError


def test_the_fixed_multiplier_and_p_value_are_the_normal_ones() -> None:
    assert fixed_multiplier(0.05) == pytest.approx(1.959964, abs=1e-6)
    assert float(fixed_p(-2.5)) == pytest.approx(2 * stats.norm.sf(2.5))


@pytest.mark.parametrize(("z", "units"), [(0.0, 400.0), (1.5, 2_000.0), (2.8, 5_000.0), (3.5, 90_000.0)])
def test_the_always_valid_p_value_is_one_over_the_mixture_likelihood_ratio(z: float, units: float) -> None:
    """Robbins' mixture by numerical integration: unit-variance means, effects drawn from a normal of variance rho²."""
    tuning = Tuning(5_000)
    rho = tuning.rho_squared**0.5
    mean = z / math.sqrt(units)

    def weighed(effect: float) -> float:
        log_ratio = units * (effect * mean - effect**2 / 2)
        return math.exp(log_ratio) * float(stats.norm.pdf(effect, scale=rho))

    mixed, _ = integrate.quad(weighed, -12 * rho, 12 * rho, limit=500, points=[0.0, mean])
    assert float(always_valid_p(z, units, tuning)) == pytest.approx(min(1.0, 1 / mixed), rel=1e-6)


@pytest.mark.parametrize("alpha", [0.01, 0.05, 0.2])
def test_the_p_value_is_alpha_where_the_interval_touches_zero(alpha: float) -> None:
    tuning = Tuning(8_000, alpha)
    for units in (300.0, 8_000.0, 50_000.0):
        z = float(always_valid_multiplier(units, tuning, alpha))
        assert float(always_valid_p(z, units, tuning)) == pytest.approx(alpha)


def test_it_is_tightest_about_the_size_it_is_tuned_for() -> None:
    """The tuning is a close approximation of the exact minimum (the paper's equation with Lambert's W)."""
    units = 10_000.0
    tuned = float(always_valid_multiplier(units, Tuning(units), 0.05))
    others = [float(always_valid_multiplier(units, Tuning(units * f), 0.05)) for f in np.geomspace(0.05, 20, 200)]
    assert tuned <= min(others) * 1.001
    assert float(always_valid_multiplier(500.0, Tuning(units), 0.05)) > tuned


def test_daily_looks_miss_the_truth_no_more_often_than_promised_and_the_fixed_interval_far_more() -> None:
    rng = np.random.default_rng(11)
    units = np.arange(100, 6_100, 100)
    sums = np.cumsum(rng.normal(scale=10.0, size=(4_000, len(units))), axis=1)
    z = np.abs(sums) / np.sqrt(units)
    always = (z > always_valid_multiplier(units.astype(float), Tuning(6_000), 0.05)).any(axis=1).mean()
    fixed = (z > fixed_multiplier(0.05)).any(axis=1).mean()
    assert always <= 0.05
    assert fixed > 0.25


@pytest.mark.parametrize("alpha", [0.0, 1.0, float("nan")])
def test_an_alpha_that_is_none_is_refused(alpha: float) -> None:
    with pytest.raises(InvalidValueError, match="alpha"):
        fixed_multiplier(alpha)
    with pytest.raises(InvalidValueError, match="planned_units"):
        Tuning(0)

"""A broken split is caught, at any look, and a sound one left alone."""

import numpy as np
import pytest
from scipy import integrate, stats

from experiments.analysis.split import ALARM, Phase, check_split
from features.errors import InvalidValueError

HALVES = {"control": 0.5, "treatment": 0.5}


def test_the_chi_square_is_that_of_scipy() -> None:
    weights = {"a": 2.0, "b": 1.0, "c": 1.0}
    counts = {"a": 5_100, "b": 2_400, "c": 2_500}
    found = check_split([Phase(weights, counts)])
    expected = stats.chisquare([5_100, 2_400, 2_500], [5_000, 2_500, 2_500]).pvalue
    assert found.chi_square_p == pytest.approx(expected)
    assert found.expected == {"a": 5_000, "b": 2_500, "c": 2_500}


@pytest.mark.parametrize(("a", "b"), [(60, 40), (520, 480), (5_300, 4_700)])
def test_the_sequential_p_value_is_one_over_the_mixed_likelihood_ratio(a: int, b: int) -> None:
    prior = stats.beta(500, 500)

    def ratio(share: float) -> float:
        return float(np.exp(a * np.log(share / 0.5) + b * np.log((1 - share) / 0.5)) * prior.pdf(share))

    mixed, _ = integrate.quad(ratio, 0.3, 0.7, points=[0.5, a / (a + b)], limit=500)
    found = check_split([Phase(HALVES, {"control": a, "treatment": b})])
    assert found.anytime_p == pytest.approx(min(1.0, 1 / mixed), rel=1e-6)


def test_forty_nine_to_fifty_one_in_two_hundred_thousand_is_caught() -> None:
    found = check_split([Phase(HALVES, {"control": 98_000, "treatment": 102_000})])
    assert not found.healthy
    assert found.chi_square_p < 1e-15


def test_daily_looks_at_sound_splits_raise_an_alarm_in_less_than_one_in_a_hundred() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(150):
        treated = np.cumsum(rng.binomial(500, 0.5, 60))
        alarms += any(
            not check_split([Phase(HALVES, {"control": 500 * day - t, "treatment": int(t)})]).healthy
            for day, t in enumerate(treated.tolist(), start=1)
        )
    assert alarms <= stats.binom.ppf(0.999, 150, ALARM)


def test_weights_that_changed_are_judged_stretch_by_stretch() -> None:
    early = Phase({"control": 0.9, "treatment": 0.1}, {"control": 9_010, "treatment": 990})
    late = Phase(HALVES, {"control": 5_020, "treatment": 4_980})
    together = check_split([early, late])
    assert together.healthy
    assert together.counted == {"control": 14_030, "treatment": 5_970}
    assert not check_split([Phase(HALVES, together.counted)]).healthy


def test_a_unit_in_a_variant_without_weight_is_a_broken_split() -> None:
    found = check_split([Phase({"control": 1.0, "new": 0.0}, {"control": 50, "new": 1})])
    assert not found.healthy
    assert found.chi_square_p == 0


def test_no_units_are_no_reason_for_alarm() -> None:
    found = check_split([Phase(HALVES, {})])
    assert (found.anytime_p, found.chi_square_p) == (1.0, 1.0)


@pytest.mark.parametrize(
    ("weights", "counts"), [({"a": -1.0}, {}), ({"a": 1.0}, {"b": 3}), ({"a": 1.0}, {"a": -3}), ({"a": 0.0}, {})]
)
def test_plans_and_counts_without_sense_are_refused(weights: dict[str, float], counts: dict[str, int]) -> None:
    with pytest.raises(InvalidValueError):
        Phase(weights, counts)

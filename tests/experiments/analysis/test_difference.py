"""Differences and their standard errors agree with regressions, resampling and brute force."""

import numpy as np
import pytest

from experiments.analysis.difference import contrast, outcome_variance
from experiments.analysis.moments import Moments
from experiments.metrics.cohort import Floats
from experiments.resamples import Resamples
from row_builders import clustered, means


def _pair(seed: int, units: int = 4_000) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    return clustered(rng, units), clustered(rng, units + 500, lift=0.03)


def test_moments_are_those_of_numpy() -> None:
    columns, _ = _pair(1)
    found = Moments.of(columns)
    np.testing.assert_allclose(found.mean, columns.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(columns, rowvar=False), rtol=1e-9)


def test_moments_at_each_look_are_those_of_the_rows_there_at_it() -> None:
    columns, _ = _pair(2, 600)
    look = np.random.default_rng(3).integers(0, 7, len(columns))
    found = Moments.by_look(columns, look, 7)
    for at in range(7):
        seen = columns[look <= at]
        assert found.units[at] == len(seen)
        np.testing.assert_allclose(found.mean[at], seen.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(found.covariance[at], np.cov(seen, rowvar=False), rtol=1e-8)


def test_the_standard_error_of_a_ratio_is_that_of_resampling_customers() -> None:
    control, treatment = _pair(4)
    plain = [np.column_stack([arm[:, :2], np.zeros(len(arm)), np.ones(len(arm))]) for arm in (control, treatment)]
    found = contrast(Moments.of(plain[0]), Moments.of(plain[1]))
    spread = []
    for seed, arm in enumerate(plain):
        sums = Resamples.draw(np.arange(len(arm)), 1_500, seed).sums(arm[:, :2])
        spread.append(float(np.var(sums[:, 0] / sums[:, 1])))
    assert float(found.standard_error) == pytest.approx(sum(spread) ** 0.5, rel=0.06)
    assert float(found.difference) == pytest.approx(
        treatment[:, 0].sum() / treatment[:, 1].sum() - control[:, 0].sum() / control[:, 1].sum()
    )


def test_with_a_covariate_of_a_mean_the_difference_is_the_coefficient_of_a_regression() -> None:
    rng = np.random.default_rng(5)
    arms = []
    for size, lift in ((700, 0.0), (900, 0.2)):
        past = rng.normal(5, 2, size)
        arms.append(means(0.7 * past + lift + rng.normal(size=size), past))
    found = contrast(Moments.of(arms[0]), Moments.of(arms[1]))
    both = np.concatenate(arms)
    treated = np.repeat([0.0, 1.0], [700, 900])
    design = np.column_stack([np.ones(1_600), treated, both[:, 2]])
    coefficients, residuals, *_ = np.linalg.lstsq(design, both[:, 0], rcond=None)
    assert float(found.difference) == pytest.approx(coefficients[1], rel=1e-9)
    classic = residuals[0] / (1_600 - 3) * np.linalg.inv(design.T @ design)[1, 1]
    assert float(found.standard_error) == pytest.approx(classic**0.5, rel=0.03)


def test_a_covariate_takes_off_the_square_of_its_correlation() -> None:
    rng = np.random.default_rng(6)
    for correlation in (0.0, 0.3, 0.6, 0.9):
        arms = []
        for _ in range(2):
            past, noise = rng.normal(size=(2, 20_000))
            arms.append(means(correlation * past + (1 - correlation**2) ** 0.5 * noise, past))
        found = contrast(Moments.of(arms[0]), Moments.of(arms[1]))
        assert float(found.reduction) == pytest.approx(correlation**2, abs=0.02)
        plain, adjusted = outcome_variance(Moments.of(arms[0]))
        assert float(1 - adjusted / plain) == pytest.approx(correlation**2, abs=0.02)


def test_a_chance_imbalance_of_the_covariate_is_taken_off() -> None:
    past = np.tile([0.0, 1.0], 500)
    control, treatment = means(past, past), means(np.ones(1_000), np.ones(1_000))
    treatment[0] = (0.0, 1.0, 0.0, 1.0)
    found = contrast(Moments.of(control), Moments.of(treatment))
    assert float(found.difference) == pytest.approx(0.0, abs=1e-12)
    assert float(found.reduction) == pytest.approx(1.0)


def test_weights_of_changing_propensities_undo_what_they_confound() -> None:
    """Treated units come mostly late, when recovery is easier; there is no effect."""
    rng = np.random.default_rng(7)
    late = rng.random(60_000) < 0.5
    propensity = np.where(late, 0.9, 0.3)
    treated = rng.random(60_000) < propensity
    outcome = (rng.random(60_000) < np.where(late, 0.7, 0.4)).astype(float)
    weight = 1 / np.where(treated, propensity, 1 - propensity)
    plain = means(outcome)
    arms = [Moments.of(plain[chosen]) for chosen in (~treated, treated)]
    weighted = [Moments.of((plain * weight[:, None])[chosen]) for chosen in (~treated, treated)]
    naive, honest = contrast(*arms), contrast(*weighted)
    assert abs(float(naive.difference)) > 10 * float(naive.standard_error)
    assert abs(float(honest.difference)) < 3 * float(honest.standard_error)


def test_nothing_below_the_line_or_fewer_than_two_units_has_no_answer() -> None:
    some = Moments.of(means(np.arange(5.0)))
    empty = Moments.of(np.zeros((0, 4)))
    nothing = means(np.ones(5))
    nothing[:, 1] = 0.0
    assert np.isnan(contrast(some, empty).difference)
    assert np.isnan(contrast(some, Moments.of(nothing)).difference)
    assert np.isnan(contrast(some, Moments.of(means(np.ones(1)))).standard_error)

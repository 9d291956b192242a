"""Calibration is chosen when it helps customers it has not seen, and left alone when it does not."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.isotonic import IsotonicRegression

from experiments.resamples import Floats, Resamples
from model.calibration import Beta, Line, Temperature, calibrated
from training.calibrate import (
    FITS,
    choose_calibration,
    fit_beta,
    fit_by_category,
    fit_isotonic,
    fit_temperature,
    fit_venn_abers,
)
from training.metrics import log_loss, logit

Int64s = NDArray[np.int64]


def none_of(y: Floats) -> Int64s:
    """No row's category is known."""
    return np.full(len(y), -1, dtype=np.int64)


def world(rows: int, stretch: float, seed: int = 0) -> tuple[Floats, Floats]:
    """Outcomes and probabilities whose logits are too large by a factor."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.5, 3.0, rows)
    y = (rng.random(rows) < truth).astype(np.float64)
    return y, 1 / (1 + np.exp(-stretch * logit(truth)))


def test_temperature_finds_the_factor_by_which_logits_were_stretched() -> None:
    y, p = world(50_000, 2.5)
    assert fit_temperature(y, p, none_of(y)).temperature == pytest.approx(2.5, rel=0.05)


def test_temperature_beats_every_temperature_on_a_grid() -> None:
    y, p = world(2_000, 0.6)
    best = log_loss(y, fit_temperature(y, p, none_of(y)).apply(p))
    assert all(best <= log_loss(y, Temperature(t).apply(p)) + 1e-9 for t in np.geomspace(0.1, 10, 200))


def test_beta_reaches_the_loss_of_another_optimiser_within_its_bounds() -> None:
    y, p = world(2_000, 1.8)
    best = log_loss(y, fit_beta(y, p, none_of(y)).apply(p))
    other = minimize(lambda at: log_loss(y, Beta(abs(at[0]), abs(at[1]), at[2]).apply(p)), [1, 1, 0], method="Powell")
    assert best <= other.fun + 1e-6


def test_isotonic_levels_are_the_means_of_pooled_blocks() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    y = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    np.testing.assert_allclose(fit_isotonic(y, p, none_of(y)).apply(p), [1 / 8, 0.5, 0.5, 0.5, 0.5, 7 / 8])


def test_venn_abers_merges_two_isotonic_fits_that_hold_the_knot_as_declined_and_as_approved() -> None:
    y, p = world(120, 1.5)
    fitted = fit_venn_abers(y, p, none_of(y))
    assert fitted.raw == tuple(np.sort(p))
    for knot in (0, 17, 60, 119):
        p0, p1 = (
            IsotonicRegression().fit(np.append(p, fitted.raw[knot]), np.append(y, label)).predict([fitted.raw[knot]])[0]
            for label in (0.0, 1.0)
        )
        assert fitted.merged[knot] == pytest.approx(p1 / (1 - p0 + p1), abs=1e-9)


def two_kinds(rows: int, seed: int = 0) -> tuple[Floats, Floats, Int64s]:
    """A world in which one category is told too high and another too low, and on average all is well."""
    y, p = world(rows, 1.0, seed)
    category = np.arange(rows) % 2
    return y, 1 / (1 + np.exp(-(logit(p) + np.where(category == 0, 0.6, -0.6)))), category


def test_each_category_gets_the_line_that_undoes_its_own_error() -> None:
    fitted = fit_by_category(*two_kinds(40_000))
    first, second = fitted.lines.values()
    assert (first.intercept, second.intercept) == pytest.approx((-0.6, 0.6), abs=0.08)
    assert (first.slope, second.slope) == pytest.approx((1.0, 1.0), abs=0.08)


def test_a_category_with_few_rows_keeps_nearly_the_common_line() -> None:
    y, p, _ = two_kinds(4_000)
    category = np.where(np.arange(4_000) < 10, 1, 0)
    fitted = fit_by_category(y, p, category)
    few, many = (list(fitted.lines.values())[place] for place in (1, 0))
    assert abs(few.intercept - fitted.other.intercept) < 0.1
    assert isinstance(many, Line)


def test_categories_are_calibrated_apart_only_where_that_helps() -> None:
    resamples = Resamples.draw(np.arange(3_000) // 3, 200, seed=0)
    fold = np.arange(3_000) // 3 % 5
    y, p, category = two_kinds(3_000)
    assert choose_calibration(y, p, fold, category, resamples, 5).kind == "by_category"
    kinds = [choose_calibration(*world(3_000, 1.0, seed), fold, category, resamples, 5).kind for seed in range(6)]
    assert kinds.count("by_category") <= 1


def choose(y: Floats, p: Floats) -> str:
    fold = np.arange(len(y)) // 3 % 5
    resamples = Resamples.draw(np.arange(len(y)) // 3, 200, seed=0)
    return choose_calibration(y, p, fold, none_of(y), resamples, 5).kind


def test_good_probabilities_are_left_alone() -> None:
    assert [choose(*world(3_000, 1.0, seed)) for seed in range(8)].count("none") >= 6


def test_overconfident_probabilities_are_corrected() -> None:
    assert choose(*world(3_000, 2.0)) != "none"


def test_with_few_outcomes_nothing_is_fitted() -> None:
    y, p = world(60, 3.0)
    assert choose(y[:40] * 0, p[:40]) == "none"


def test_no_row_is_calibrated_by_a_curve_that_saw_its_customer() -> None:
    y, p = world(2_000, 2.0)
    fold, category = np.arange(2_000) % 4, np.arange(2_000) % 3
    chosen = choose_calibration(y, p, fold, category, Resamples.draw(np.arange(2_000), 100, seed=0), 4)
    for number in range(4):
        others, own = fold != number, fold == number
        fitted = FITS[chosen.kind](y[others], p[others], category[others])
        expected = calibrated(fitted, p[own], category[own])
        np.testing.assert_array_equal(chosen.apply_out_of_fold(p, fold, category)[own], expected)
    assert chosen.kind != "none"

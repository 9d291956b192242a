"""Calibration is chosen when it helps customers it has not seen, and left alone when it does not."""

import numpy as np
import pytest
from scipy.optimize import minimize

from model.calibration import Beta, Temperature
from training.calibrate import FITS, choose_calibration, fit_beta, fit_isotonic, fit_temperature
from training.metrics import log_loss, logit
from training.resamples import Floats, Resamples


def world(rows: int, stretch: float, seed: int = 0) -> tuple[Floats, Floats]:
    """Outcomes and probabilities whose logits are too large by a factor."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.5, 3.0, rows)
    y = (rng.random(rows) < truth).astype(np.float64)
    return y, 1 / (1 + np.exp(-stretch * logit(truth)))


def test_temperature_finds_the_factor_by_which_logits_were_stretched() -> None:
    assert fit_temperature(*world(50_000, 2.5)).temperature == pytest.approx(2.5, rel=0.05)


def test_temperature_beats_every_temperature_on_a_grid() -> None:
    y, p = world(2_000, 0.6)
    best = log_loss(y, fit_temperature(y, p).apply(p))
    assert all(best <= log_loss(y, Temperature(t).apply(p)) + 1e-9 for t in np.geomspace(0.1, 10, 200))


def test_beta_reaches_the_loss_of_another_optimiser_within_its_bounds() -> None:
    y, p = world(2_000, 1.8)
    best = log_loss(y, fit_beta(y, p).apply(p))
    other = minimize(lambda at: log_loss(y, Beta(abs(at[0]), abs(at[1]), at[2]).apply(p)), [1, 1, 0], method="Powell")
    assert best <= other.fun + 1e-6


def test_isotonic_levels_are_the_means_of_pooled_blocks() -> None:
    p = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    y = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    np.testing.assert_allclose(fit_isotonic(y, p).apply(p), [1 / 8, 0.5, 0.5, 0.5, 0.5, 7 / 8])


def choose(y: Floats, p: Floats) -> str:
    fold = np.arange(len(y)) // 3 % 5
    resamples = Resamples.draw(np.arange(len(y)) // 3, 200, seed=0)
    return choose_calibration(y, p, fold, resamples, 5).kind


def test_good_probabilities_are_left_alone() -> None:
    assert [choose(*world(3_000, 1.0, seed)) for seed in range(8)].count("none") >= 6


def test_overconfident_probabilities_are_corrected() -> None:
    assert choose(*world(3_000, 2.0)) != "none"


def test_with_few_outcomes_nothing_is_fitted() -> None:
    y, p = world(60, 3.0)
    assert choose(y[:40] * 0, p[:40]) == "none"


def test_no_row_is_calibrated_by_a_curve_that_saw_its_customer() -> None:
    y, p = world(2_000, 2.0)
    fold = np.arange(2_000) % 4
    chosen = choose_calibration(y, p, fold, Resamples.draw(np.arange(2_000), 100, seed=0), 4)
    for number in range(4):
        others, own = fold != number, fold == number
        expected = FITS[chosen.kind](y[others], p[others]).apply(p[own])
        np.testing.assert_array_equal(chosen.apply_out_of_fold(p, fold)[own], expected)
    assert chosen.kind != "none"

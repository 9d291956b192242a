"""Figures of merit agree with scikit-learn and with their definitions, whole and resampled."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from experiments.resamples import Floats, Resamples
from training.metrics import BY_NAME, METRICS, calibration_line, estimate, expected_calibration_error, logit


def world(rows: int = 600, seed: int = 0) -> tuple[Floats, Floats, Resamples]:
    """Outcomes, somewhat overconfident probabilities with ties, and resamples of 120 customers."""
    rng = np.random.default_rng(seed)
    truth = rng.beta(1.5, 3.0, rows)
    p = np.round(1 / (1 + np.exp(-1.4 * logit(truth) - 0.2)), 2).clip(0.01, 0.99)
    y = (rng.random(rows) < truth).astype(np.float64)
    return y, p, Resamples.draw(rng.integers(0, 120, rows), 40, seed=seed)


def test_figures_equal_those_of_scikit_learn() -> None:
    y, p, _ = world()
    assert BY_NAME["log_loss"].value(y, p) == pytest.approx(sklearn_log_loss(y, p))
    assert BY_NAME["brier"].value(y, p) == pytest.approx(brier_score_loss(y, p))
    assert BY_NAME["auc"].value(y, p) == pytest.approx(roc_auc_score(y, p))
    assert BY_NAME["pr_auc"].value(y, p) == pytest.approx(average_precision_score(y, p))


def test_the_calibration_line_is_the_logistic_regression_on_the_logit() -> None:
    y, p, _ = world()
    fit = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(logit(p)[:, None], y)
    assert calibration_line(y, p) == pytest.approx((fit.intercept_[0], fit.coef_[0, 0]), abs=1e-4)


def test_a_predictor_stretched_by_a_factor_has_the_inverse_slope() -> None:
    rng = np.random.default_rng(5)
    truth = rng.beta(2, 3, 60_000)
    y = (rng.random(60_000) < truth).astype(np.float64)
    stretched = 1 / (1 + np.exp(-2.0 * logit(truth)))
    assert calibration_line(y, stretched)[1] == pytest.approx(0.5, abs=0.02)


def test_calibration_error_is_the_distance_of_a_constant_from_the_rate() -> None:
    y = np.tile([1.0, 0.0, 0.0, 0.0], 150)
    assert expected_calibration_error(y, np.full(600, 0.45)) == pytest.approx(0.2)


@pytest.mark.parametrize("name", ["log_loss", "brier", "auc", "pr_auc", "ece"])
def test_a_resampled_figure_is_the_figure_of_the_rows_repeated_as_often_as_drawn(name: str) -> None:
    y, p, resamples = world(rows=240)
    metric = BY_NAME[name]
    got = metric.resampled(y, p, resamples)
    for number, weights in enumerate(resamples.weights()):
        rows = np.repeat(np.arange(len(y)), weights.astype(np.int64))
        if name == "ece":  # its bins stay those of the whole sample
            bins = np.empty(len(y), dtype=np.int64)
            bins[np.argsort(p, kind="stable")] = np.arange(len(y)) * 15 // len(y)
            gaps = [abs(np.sum((p - y)[rows][bins[rows] == b])) for b in range(15)]
            expected = sum(gaps) / len(rows)
        else:
            expected = metric.value(y[rows], p[rows])
        assert got[number] == pytest.approx(expected)


def test_resampled_slopes_spread_like_refitted_ones() -> None:
    y, p, resamples = world(rows=3000)
    refitted = []
    for weights in resamples.weights():
        rows = np.repeat(np.arange(len(y)), weights.astype(np.int64))
        refitted.append(calibration_line(y[rows], p[rows])[1])
    quick = BY_NAME["slope"].resampled(y, p, resamples)
    np.testing.assert_allclose(quick, refitted, atol=0.03)


def test_ranking_and_slope_have_no_answer_when_every_row_had_the_same_outcome() -> None:
    y, p, resamples = world()
    answers = {metric.name: estimate(metric, np.ones_like(y), p, resamples) for metric in METRICS}
    assert [name for name, answer in answers.items() if answer is None] == ["auc", "pr_auc", "slope", "intercept"]


def test_every_interval_encloses_its_figure() -> None:
    y, p, resamples = world(rows=2000)
    for metric in METRICS:
        interval = estimate(metric, y, p, resamples)
        assert interval is not None
        assert interval.low <= interval.value <= interval.high

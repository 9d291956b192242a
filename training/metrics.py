"""How good predicted probabilities are, each figure with a 95 % interval by resampling customers."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Estimate, Floats, Resamples, percentile_interval, pivot_interval

ECE_BINS = 15
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure of merit.

    Args:
        name: As it stands in tables and in MLflow.
        better: Whether a `lower` or a `higher` value is better, or it should be `near` a target.
        needs_both: Undefined unless both outcomes occur.
        value: (outcomes, probabilities), both shape (n,) → the figure.
        resampled: (outcomes, probabilities, resamples) → the figure in each resample, shape (resamples,).
    """

    name: str
    better: str
    needs_both: bool
    meaning: str
    value: Callable[[Floats, Floats], float]
    resampled: Callable[[Floats, Floats, Resamples], Floats]


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure and its resamples, shape (resamples,); from the same draws two of them differ pairwise."""

    value: float
    resampled: Floats


def measure(metric: Metric, y: Floats, p: Floats, resamples: Resamples) -> Measured | None:
    """The figure and its resamples; None where it has no answer.

    There is none without rows; for some, with one outcome only; nor for the slope where all probabilities are equal.
    """
    if len(y) == 0 or (metric.needs_both and not 0.0 < y.mean() < 1.0):
        return None
    resampled = metric.resampled(y, p, resamples)
    return None if np.isnan(resampled).all() else Measured(metric.value(y, p), resampled)


def estimate(metric: Metric, y: Floats, p: Floats, resamples: Resamples) -> Estimate | None:
    """The figure with its interval; None where it has no answer."""
    measured = measure(metric, y, p, resamples)
    return None if measured is None else interval_of(metric, measured)


def interval_of(metric: Metric, measured: Measured) -> Estimate:
    """The 95 % interval of a measured figure."""
    if metric.name == "ece":
        return pivot_interval(measured.value, measured.resampled, floor=0.0)
    return percentile_interval(measured.value, measured.resampled)


def losses(y: Floats, p: Floats) -> Floats:
    """Log loss of each row in nats: -ln of the probability given to what happened."""
    given = np.where(y > 0.5, p, 1.0 - p)
    return np.asarray(-np.log(np.clip(given, _TINY, None)), dtype=np.float64)


def logit(p: Floats) -> Floats:
    """ln(p / (1 - p)), with p kept inside (0, 1)."""
    inside = np.clip(p, _TINY, 1.0 - _TINY)
    return np.asarray(np.log(inside) - np.log1p(-inside), dtype=np.float64)


def probability(logits: Floats) -> Floats:
    """1 / (1 + e^-logit), same shape."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0))), dtype=np.float64)


def log_loss(y: Floats, p: Floats) -> float:
    """Mean log loss in nats."""
    return float(losses(y, p).mean())


def brier(y: Floats, p: Floats) -> float:
    """Mean squared error of the probability (Brier 1950)."""
    return float(np.mean((p - y) ** 2))


def expected_calibration_error(y: Floats, p: Floats) -> float:
    """Mean distance between predicted and observed rate over 15 bins of equal size, weighted by size.

    Noise alone makes it positive: about 0.8 √(p(1-p)/m) with m rows a bin for a perfect model.
    """
    return float(np.abs(_bin_gaps(y, p).sum(axis=0)).sum() / len(y))


def auc(y: Floats, p: Floats) -> float:
    """Area under the ROC curve: how often an approved row outranks a declined one; ties count half."""
    return _Ranked(y, p).auc(np.ones_like(y))


def average_precision(y: Floats, p: Floats) -> float:
    """Area under the precision-recall curve as a step function (no interpolation)."""
    return _Ranked(y, p).average_precision(np.ones_like(y))


def calibration_line(y: Floats, p: Floats) -> tuple[float, float]:
    """Intercept and slope of logit P(y) = intercept + slope · logit p (Cox 1958); 0 and 1 are perfect."""
    design = np.stack([np.ones_like(p), logit(p)], axis=1)
    line = np.array([0.0, 1.0])
    for _ in range(50):
        gradient, hessian = _line_terms(y, design, line)
        step = np.linalg.lstsq(hessian.sum(axis=0).reshape(2, 2), gradient.sum(axis=0), rcond=None)[0]
        line = line + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-10:
            break
    return float(line[0]), float(line[1])


def resampled_losses(y: Floats, p: Floats, resamples: Resamples) -> Floats:
    """Log loss in each resample."""
    return _mean_of(losses(y, p), resamples)


def _mean_of(rows: Floats, resamples: Resamples) -> Floats:
    sums = resamples.sums(np.stack([rows, np.ones_like(rows)], axis=1))
    return sums[:, 0] / _or_nan(sums[:, 1])


def _or_nan(rows: Floats) -> Floats:
    return np.where(rows > 0, rows, np.nan)


def _bin_gaps(y: Floats, p: Floats) -> Floats:
    """Predicted minus observed of each row in the column of its bin, shape (n, bins)."""
    order = np.argsort(p, kind="stable")
    bins = np.empty(len(p), dtype=np.int64)
    bins[order] = np.arange(len(p)) * ECE_BINS // len(p)
    gaps = np.zeros((len(p), ECE_BINS))
    gaps[np.arange(len(p)), bins] = p - y
    return gaps


def _resampled_ece(y: Floats, p: Floats, resamples: Resamples) -> Floats:
    sums = resamples.sums(np.column_stack([_bin_gaps(y, p), np.ones_like(y)]))
    return np.asarray(np.abs(sums[:, :-1]).sum(axis=1) / _or_nan(sums[:, -1]), dtype=np.float64)


def _line_terms(y: Floats, design: Floats, line: Floats) -> tuple[Floats, Floats]:
    """Each row's share of the gradient (n, 2) and of the Hessian (n, 4) of the log likelihood."""
    p = 1.0 / (1.0 + np.exp(-design @ line))
    gradient = design * (y - p)[:, None]
    hessian = (design[:, :, None] * design[:, None, :]) * (p * (1 - p))[:, None, None]
    return gradient, hessian.reshape(len(y), 4)


def _resampled_lines(y: Floats, p: Floats, resamples: Resamples) -> Floats:
    """Intercept and slope in each resample, shape (resamples, 2): one Newton step from the full fit."""
    design = np.stack([np.ones_like(p), logit(p)], axis=1)
    line = np.array(calibration_line(y, p))
    sums = resamples.sums(np.concatenate(_line_terms(y, design, line), axis=1))
    a, b, d = sums[:, 2], sums[:, 3], sums[:, 5]
    determinant = a * d - b * b
    safe = np.where(np.abs(determinant) > 1e-9, determinant, np.nan)
    steps = np.stack([d * sums[:, 0] - b * sums[:, 1], a * sums[:, 1] - b * sums[:, 0]], axis=1) / safe[:, None]
    return np.asarray(line + steps, dtype=np.float64)


class _Ranked:
    """Rows sorted by falling probability, with the ends of runs of equal probability."""

    def __init__(self, y: Floats, p: Floats) -> None:
        self.order = np.argsort(-p, kind="stable")
        self.approved = y[self.order]
        ranked = p[self.order]
        self.ends: NDArray[np.int64] = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))

    def counts(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weighted approvals and declines at or above each distinct probability."""
        ranked = weights[self.order]
        hits = np.cumsum(ranked * self.approved)[self.ends]
        return hits, np.cumsum(ranked)[self.ends] - hits

    def auc(self, weights: Floats) -> float:
        hits, misses = self.counts(weights)
        if hits[-1] <= 0 or misses[-1] <= 0:
            return float("nan")
        area = np.sum(np.diff(misses, prepend=0.0) * (hits + np.concatenate([[0.0], hits[:-1]]))) / 2
        return float(area / (hits[-1] * misses[-1]))

    def average_precision(self, weights: Floats) -> float:
        hits, misses = self.counts(weights)
        if hits[-1] <= 0:
            return float("nan")
        precision = hits / np.where(hits + misses > 0, hits + misses, np.nan)
        return float(np.nansum(np.diff(hits, prepend=0.0) * precision) / hits[-1])


def _resampled_auc(y: Floats, p: Floats, resamples: Resamples) -> Floats:
    ranked = _Ranked(y, p)
    return np.array([ranked.auc(weights) for weights in resamples.weights()])


def _resampled_precision(y: Floats, p: Floats, resamples: Resamples) -> Floats:
    ranked = _Ranked(y, p)
    return np.array([ranked.average_precision(weights) for weights in resamples.weights()])


METRICS: tuple[Metric, ...] = (
    Metric("log_loss", "lower", False, "mean log loss in nats", log_loss, resampled_losses),
    Metric("brier", "lower", False, "mean squared error", brier, lambda y, p, r: _mean_of((p - y) ** 2, r)),
    Metric(
        "ece",
        "lower",
        False,
        "calibration error, 15 equal bins, less the part that noise alone makes",
        expected_calibration_error,
        _resampled_ece,
    ),
    Metric("auc", "higher", True, "area under the ROC curve", auc, _resampled_auc),
    Metric("pr_auc", "higher", True, "area under precision-recall", average_precision, _resampled_precision),
    Metric(
        "slope",
        "near 1",
        True,
        "calibration slope",
        lambda y, p: calibration_line(y, p)[1],
        lambda y, p, r: _resampled_lines(y, p, r)[:, 1],
    ),
    Metric(
        "intercept",
        "near 0",
        True,
        "calibration intercept",
        lambda y, p: calibration_line(y, p)[0],
        lambda y, p, r: _resampled_lines(y, p, r)[:, 0],
    ),
)

BY_NAME = {metric.name: metric for metric in METRICS}

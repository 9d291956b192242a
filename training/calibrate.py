"""Fits calibrators and chooses one, or none: only a gain that is larger than its own noise is taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression

from experiments.resamples import Floats, Resamples
from features.table import CATEGORIES
from model.calibration import (
    Beta,
    ByCategory,
    Calibrator,
    Isotonic,
    Line,
    Temperature,
    Unchanged,
    VennAbers,
    calibrated,
)
from training.metrics import log_loss, logit, losses

MIN_OUTCOMES = 20  # of each kind, below which nothing can be learnt about calibration
_TINY = 1e-12
_MOST_KNOTS = 256  # Venn-Abers refits once a knot and outcome; more knots than this change nothing that can be seen
_LINE_ROWS = 100.0  # a category's own line counts as much as the common one when it has about so many rows

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Gain:
    """How much log loss (nats a row) one kind of calibrator saves over none, and the standard error of that."""

    kind: str
    log_loss: float
    gain: float
    standard_error: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibrator chosen, and why.

    Args:
        calibrator: Fitted on every calibration row; what a deployed model applies.
        by_fold: One of the same kind for each customer fold, fitted on the other folds only.
        gains: What each kind saved, each row calibrated by a calibrator that did not see its customer.
    """

    kind: str
    calibrator: Calibrator
    by_fold: tuple[Calibrator, ...]
    gains: tuple[Gain, ...]

    def apply_out_of_fold(self, p: Floats, fold: Int64s, category: Int64s) -> Floats:
        """Calibrated probabilities, each by the calibrator that never saw the row's customer; shape (n,)."""
        return _by_fold(self.by_fold, p, fold, category)


def fit_none(_y: Floats, _p: Floats, _category: Int64s) -> Unchanged:
    """Leave probabilities as they are."""
    return Unchanged()


def fit_temperature(y: Floats, p: Floats, _category: Int64s) -> Temperature:
    """The temperature of least log loss, between 1/20 and 20."""
    score = logit(p)
    fit = minimize_scalar(
        lambda t: float(np.mean(np.logaddexp(0.0, score * np.exp(-t)) - y * score * np.exp(-t))),
        bounds=(-np.log(20.0), np.log(20.0)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return Temperature(float(np.exp(fit.x)))


def fit_beta(y: Floats, p: Floats, _category: Int64s) -> Beta:
    """The beta curve of least log loss with a, b >= 0, by a bounded quasi-Newton search from the identity."""
    inside = np.clip(p, _TINY, 1.0 - _TINY)
    design = np.stack([np.log(inside), -np.log1p(-inside), np.ones_like(p)], axis=1)

    def loss(at: Floats) -> tuple[float, Floats]:
        score = design @ at
        gradient = design.T @ (1.0 / (1.0 + np.exp(-np.clip(score, -60, 60))) - y) / len(y)
        return float(np.mean(np.logaddexp(0.0, score) - y * score)), gradient

    bounds = [(0.0, None), (0.0, None), (None, None)]
    fit = minimize(loss, np.array([1.0, 1.0, 0.0]), jac=True, bounds=bounds, method="L-BFGS-B", tol=1e-12)
    return Beta(*(float(value) for value in fit.x))


def fit_isotonic(y: Floats, p: Floats, _category: Int64s) -> Isotonic:
    """Pool adjacent violators; levels are kept 1/(n + 2) away from 0 and 1, where certainty would be a guess."""
    edge = 1.0 / (len(y) + 2)
    fit = IsotonicRegression(y_min=edge, y_max=1.0 - edge, out_of_bounds="clip").fit(p, y)
    return Isotonic(tuple(map(float, fit.X_thresholds_)), tuple(map(float, fit.y_thresholds_)))


def fit_venn_abers(y: Floats, p: Floats, _category: Int64s) -> VennAbers:
    """Inductive Venn-Abers on at most 256 knots of equal size (Vovk, Petej & Fedorova 2015).

    At each knot an isotonic line is fitted twice with the knot as one row more, declined and approved; what the two
    say of it, p0 and p1, is merged to p1 / (1 - p0 + p1), which is least wrong in log loss whichever is right.
    """
    bins = min(_MOST_KNOTS, len(y))
    of_row = np.empty(len(p), dtype=np.int64)
    of_row[np.argsort(p, kind="stable")] = np.arange(len(p)) * bins // len(p)
    rows = np.bincount(of_row, minlength=bins)
    knots, place = np.unique(np.bincount(of_row, weights=p, minlength=bins) / rows, return_inverse=True)
    weight = np.bincount(place, weights=rows).astype(np.float64)
    approved = np.bincount(place, weights=np.bincount(of_row, weights=y, minlength=bins)).astype(np.float64)
    both = np.array(
        [[_isotonic_at(knot, weight, approved, label) for label in (0.0, 1.0)] for knot in range(len(knots))]
    )
    merged = np.maximum.accumulate(both[:, 1] / (1.0 - both[:, 0] + both[:, 1]))
    return VennAbers(tuple(map(float, knots)), tuple(map(float, merged)))


def _isotonic_at(knot: int, weight: Floats, approved: Floats, label: float) -> float:
    """The rising fit at a knot when one row more with that outcome lies there.

    By the min-max formula of isotonic regression: the largest over starts before of the smallest mean to ends after.
    """
    rows = np.concatenate([[0.0], np.cumsum(weight)])
    hits = np.concatenate([[0.0], np.cumsum(approved)])
    starts = np.arange(knot + 1)
    ends = np.arange(knot + 1, len(rows))
    means = (hits[ends][None, :] - hits[starts][:, None] + label) / (rows[ends][None, :] - rows[starts][:, None] + 1.0)
    return float(means.min(axis=1).max())


def fit_by_category(y: Floats, p: Floats, category: Int64s) -> ByCategory:
    """A line on the logit scale for each decline category, drawn towards the line of all rows.

    The pull is a ridge penalty worth about 100 rows of the common line, so that a category with few rows keeps it.
    """
    common = _ridge_line(y, logit(p), np.array([0.0, 1.0]), 0.0)
    lines = {}
    for code in np.unique(category[category >= 0]):
        own = category == code
        intercept, slope = _ridge_line(y[own], logit(p[own]), common, _LINE_ROWS)
        lines[str(CATEGORIES[code])] = Line(float(intercept), max(0.0, float(slope)))
    return ByCategory(lines, Line(float(common[0]), max(0.0, float(common[1]))))


def _ridge_line(y: Floats, score: Floats, centre: Floats, rows: float) -> Floats:
    """(intercept, slope) of least log loss plus the pull to the centre, by Newton steps.

    The penalty is that of `rows` rows with the curvature of P = 1/2 at scores of spread one: rows / 8 times
    the squared distance.
    """
    design = np.stack([np.ones_like(score), score], axis=1)
    line, pull = centre.copy(), max(rows / 4.0, 1e-6)
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(design @ line, -60, 60)))
        gradient = design.T @ (y - p) - pull * (line - centre)
        hessian = (design * (p * (1 - p))[:, None]).T @ design + pull * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        line = line + np.clip(step, -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-10:
            break
    return line


FITS: Mapping[str, Callable[[Floats, Floats, Int64s], Calibrator]] = {
    "none": fit_none,
    "temperature": fit_temperature,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
    "venn_abers": fit_venn_abers,
    "by_category": fit_by_category,
}


def choose_calibration(
    y: Floats, p: Floats, fold: Int64s, category: Int64s, resamples: Resamples, folds: int
) -> Calibration:
    """Choose a kind of calibrator, or none, by log loss on customers a calibrator has not seen.

    A kind is taken over none only if it saves more than one bootstrap standard error; of those the one that
    saves most. With fewer than 20 approvals or declines nothing is fitted.

    Args:
        y: Outcomes of the calibration window, 1 approved, shape (n,).
        p: Raw out-of-fold probabilities, shape (n,).
        fold: Customer fold of each row, shape (n,), in 0 … folds - 1.
        category: Decline category of each row, -1 for not known, shape (n,).
        resamples: Draws of the customers of these rows.
        folds: How many customer folds there are.
    """
    if min(y.sum(), len(y) - y.sum()) < MIN_OUTCOMES:
        return Calibration("none", Unchanged(), (Unchanged(),) * folds, ())
    fitted = {kind: _fit_by_fold(fit, y, p, fold, category, folds) for kind, fit in FITS.items()}
    gains = tuple(
        _gain(kind, y, p, _by_fold(by_fold, p, fold, category), resamples) for kind, by_fold in fitted.items()
    )
    worthy = [gain for gain in gains if gain.gain > gain.standard_error]
    kind = max(worthy, key=lambda gain: gain.gain).kind if worthy else "none"
    return Calibration(kind, FITS[kind](y, p, category), fitted[kind], gains)


def _fit_by_fold(
    fit: Callable[[Floats, Floats, Int64s], Calibrator],
    y: Floats,
    p: Floats,
    fold: Int64s,
    category: Int64s,
    folds: int,
) -> tuple[Calibrator, ...]:
    others = (fold != number for number in range(folds))
    return tuple(fit(y[rows], p[rows], category[rows]) for rows in others)


def _by_fold(calibrators: tuple[Calibrator, ...], p: Floats, fold: Int64s, category: Int64s) -> Floats:
    answers = np.empty_like(p)
    for number, calibrator in enumerate(calibrators):
        rows = fold == number
        answers[rows] = calibrated(calibrator, p[rows], category[rows])
    return answers


def _gain(kind: str, y: Floats, raw: Floats, answers: Floats, resamples: Resamples) -> Gain:
    saved = losses(y, raw) - losses(y, answers)
    sums = resamples.sums(np.stack([saved, np.ones_like(saved)], axis=1))
    spread = np.nanstd(sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan), ddof=1)
    return Gain(kind, log_loss(y, answers), float(saved.mean()), float(spread))

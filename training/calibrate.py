"""Fits calibrators and chooses one, or none: only a gain that is larger than its own noise is taken."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from sklearn.isotonic import IsotonicRegression

from model.calibration import Beta, Calibrator, Isotonic, Temperature, Unchanged
from training.metrics import log_loss, logit, losses
from training.resamples import Floats, Resamples

MIN_OUTCOMES = 20  # of each kind, below which nothing can be learnt about calibration
_TINY = 1e-12


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

    def apply_out_of_fold(self, p: Floats, fold: NDArray[np.int64]) -> Floats:
        """Calibrated probabilities, each by the calibrator that never saw the row's customer; shape (n,)."""
        return _by_fold(self.by_fold, p, fold)


def fit_none(_y: Floats, _p: Floats) -> Unchanged:
    """Leave probabilities as they are."""
    return Unchanged()


def fit_temperature(y: Floats, p: Floats) -> Temperature:
    """The temperature of least log loss, between 1/20 and 20."""
    score = logit(p)
    fit = minimize_scalar(
        lambda t: float(np.mean(np.logaddexp(0.0, score * np.exp(-t)) - y * score * np.exp(-t))),
        bounds=(-np.log(20.0), np.log(20.0)),
        method="bounded",
        options={"xatol": 1e-10},
    )
    return Temperature(float(np.exp(fit.x)))


def fit_beta(y: Floats, p: Floats) -> Beta:
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


def fit_isotonic(y: Floats, p: Floats) -> Isotonic:
    """Pool adjacent violators; levels are kept 1/(n + 2) away from 0 and 1, where certainty would be a guess."""
    edge = 1.0 / (len(y) + 2)
    fit = IsotonicRegression(y_min=edge, y_max=1.0 - edge, out_of_bounds="clip").fit(p, y)
    return Isotonic(tuple(map(float, fit.X_thresholds_)), tuple(map(float, fit.y_thresholds_)))


FITS: Mapping[str, Callable[[Floats, Floats], Calibrator]] = {
    "none": fit_none,
    "temperature": fit_temperature,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}


def choose_calibration(y: Floats, p: Floats, fold: NDArray[np.int64], resamples: Resamples, folds: int) -> Calibration:
    """Choose among none, temperature, beta and isotonic by log loss on customers a calibrator has not seen.

    A kind is taken over none only if it saves more than one bootstrap standard error; of those the one that
    saves most. With fewer than 20 approvals or declines nothing is fitted.

    Args:
        y: Outcomes of the calibration window, 1 approved, shape (n,).
        p: Raw out-of-fold probabilities, shape (n,).
        fold: Customer fold of each row, shape (n,), in 0 … folds - 1.
        resamples: Draws of the customers of these rows.
        folds: How many customer folds there are.
    """
    if min(y.sum(), len(y) - y.sum()) < MIN_OUTCOMES:
        return Calibration("none", Unchanged(), (Unchanged(),) * folds, ())
    fitted = {kind: _fit_by_fold(fit, y, p, fold, folds) for kind, fit in FITS.items()}
    gains = tuple(_gain(kind, y, p, _by_fold(by_fold, p, fold), resamples) for kind, by_fold in fitted.items())
    worthy = [gain for gain in gains if gain.gain > gain.standard_error]
    kind = max(worthy, key=lambda gain: gain.gain).kind if worthy else "none"
    return Calibration(kind, FITS[kind](y, p), fitted[kind], gains)


def _fit_by_fold(
    fit: Callable[[Floats, Floats], Calibrator], y: Floats, p: Floats, fold: NDArray[np.int64], folds: int
) -> tuple[Calibrator, ...]:
    others = (fold != number for number in range(folds))
    return tuple(fit(y[rows], p[rows]) for rows in others)


def _by_fold(calibrators: tuple[Calibrator, ...], p: Floats, fold: NDArray[np.int64]) -> Floats:
    calibrated = np.empty_like(p)
    for number, calibrator in enumerate(calibrators):
        rows = fold == number
        calibrated[rows] = calibrator.apply(p[rows])
    return calibrated


def _gain(kind: str, y: Floats, raw: Floats, calibrated: Floats, resamples: Resamples) -> Gain:
    saved = losses(y, raw) - losses(y, calibrated)
    sums = resamples.sums(np.stack([saved, np.ones_like(saved)], axis=1))
    spread = np.nanstd(sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan), ddof=1)
    return Gain(kind, log_loss(y, calibrated), float(saved.mean()), float(spread))

"""How far a probability may be off: what the boosters disagree on, and what the calibration window could tell."""

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats, Resamples
from model.boosted import Uncertainty, boosters_of, raw_logits
from training.fit import Bag, TreeSettings
from training.metrics import logit

Int64s = NDArray[np.int64]
Matrix = NDArray[np.float32]

_BINS = 10
_MIN_ROWS_A_BIN = 50


def out_of_fold(bag: Bag, matrix: Matrix, fold: Int64s, threads: int = 0) -> Floats:
    """Uncalibrated logit of each row by the boosters that never saw its customer, shape (n,).

    The mean is over logits, as in a deployed model, but over the unseen boosters only: two instead of five.
    """
    logits = raw_logits(boosters_of(bag.texts), matrix, threads)
    unseen = bag.unseen(fold)
    return np.asarray(np.sum(logits * unseen, axis=1) / unseen.sum(axis=1), dtype=np.float64)


def uncertainty(y: Floats, p: Floats, resamples: Resamples, settings: TreeSettings) -> Uncertainty:
    """What intervals are made of, from the calibration window.

    Args:
        y: Outcomes, shape (n,).
        p: Calibrated out-of-fold probabilities, shape (n,).
        resamples: Draws of the customers of these rows.
    """
    bins = int(np.clip(len(y) // _MIN_ROWS_A_BIN, 1, _BINS))
    of_row = np.empty(len(p), dtype=np.int64)
    of_row[np.argsort(p, kind="stable")] = np.arange(len(p)) * bins // len(p)
    member = (of_row[:, None] == np.arange(bins)).astype(np.float64)
    sums = resamples.sums(np.concatenate([member * y[:, None], member], axis=1))
    rates = (sums[:, :bins] + 0.5) / (sums[:, bins:] + 1.0)
    centres = logit(member.T @ p / member.sum(axis=0))
    # A bin of one probability repeats its neighbour's centre; the widest doubt there is kept.
    distinct, place = np.unique(centres, return_inverse=True)
    errors = np.zeros(len(distinct))
    np.maximum.at(errors, place, logit(rates).std(axis=0, ddof=1))
    return Uncertainty(_spread_factor(settings), tuple(map(float, distinct)), tuple(map(float, errors)))


def _spread_factor(settings: TreeSettings) -> float:
    """From the standard deviation of the boosters' logits to a standard error.

    With K groups of customers of which each booster leaves out h neighbours, an estimate that is linear in the
    customers has squared error (K - 1)(K - h) / (K h) times the boosters' sample variance; h = 1 is the
    delete-a-group jackknife (Kott 2001, Journal of Official Statistics 17(4)).
    """
    groups, left_out = settings.boosters, settings.folds_left_out
    return float(np.sqrt((groups - 1) * (groups - left_out) / (groups * left_out)))

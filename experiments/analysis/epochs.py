"""Arms whose weights followed outcomes: compared within each set of weights, and only then put together.

A bandit gives the better-looking arm more of the later units. Pooled, arms would then be compared across times as much
as across policies; and since the weights depend on what was seen, the pooled mean is biased and not normal (Zhang,
Janson & Murphy 2020; Shin, Ramdas & Rinaldo 2019). Within an epoch the weights are fixed, so the difference there is a
plain one. With n_ka units of arm a in epoch k, arms are put together by

    mean_a = sum_k w_k mean_ka / sum_k w_k,     w_k = (prod_a n_ka)^(1 / number of arms)

the same weights for all arms. For two arms w_k s_k is s sqrt(n_k), s_k being the standard error of the epoch's
difference and n_k its units, so that the studentised sum is the batched one of Zhang, Janson & Murphy (2020, BOLS) with
weights sqrt(n_k / n): every epoch adds a variance that was settled before it began, whatever the bandit did, which
makes it normal at the end and a Brownian motion in n on the way; so both intervals hold. Ratios are of the sums put
together (Cochran 1977, section 6.11: the combined ratio estimate), which needs no large epochs.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from experiments.analysis.moments import COLUMNS, Moments
from experiments.metrics.cohort import Flags, Floats, Int64s
from experiments.metrics.spec import Kind, MetricSpec
from experiments.metrics.unit_rows import UnitRows

FEWEST_IN_EPOCH = 50
"""Mature units that every arm compared must have in an epoch for it to count."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm at each look: its moments, and how many units they are of, shape (looks,)."""

    moments: Moments
    counts: Int64s


def arms_by_look(rows: UnitRows, names: Sequence[str], look: Int64s, looks: int) -> list[Arm]:
    """The arms to be compared at each look; row i is there from `look[i]` on."""
    if rows.epoch is None:
        return [_plain(rows, name, look, looks) for name in names]
    found = [
        _epoch(rows.where(rows.epoch == epoch), look[rows.epoch == epoch], names, looks)
        for epoch in np.unique(rows.epoch)
    ]
    put = combined(found)
    return [Arm(_as_fits(rows.spec, one), one.units.astype(np.int64)) for one in put]


def combined(epochs: Sequence[Sequence[Moments]]) -> list[Moments]:
    """The moments of each arm over all epochs; the shapes are those of one epoch's.

    Args:
        epochs: By epoch and arm, all of one leading shape; units are the arm's, means and covariances those within.
    """
    arms = range(len(epochs[0]))
    counts = np.stack([np.stack([arm.units for arm in epoch]) for epoch in epochs])
    counted: Flags = counts.min(axis=1) >= FEWEST_IN_EPOCH
    weight = np.where(counted, np.exp(np.log(np.maximum(counts, 1.0)).mean(axis=1)), 0.0)
    total = weight.sum(axis=0)
    share = weight / np.where(total > 0, total, np.nan)
    return [_put_together([epoch[arm] for epoch in epochs], share, counted) for arm in arms]


def _put_together(epochs: Sequence[Moments], share: Floats, counted: Flags) -> Moments:
    """One arm: the mean, and the covariance that `units` units of one population would have for the same error."""
    units = sum(
        (np.where(ok, one.units, 0.0) for one, ok in zip(epochs, counted, strict=True)), np.zeros(share.shape[1:])
    )
    mean = np.zeros((*share.shape[1:], COLUMNS))
    covariance = np.zeros((*share.shape[1:], COLUMNS, COLUMNS))
    for one, part, ok in zip(epochs, share, counted, strict=True):
        mean += np.where(ok[..., None], part[..., None] * one.mean, 0.0)
        spread = part**2 / np.where(ok, one.units, 1.0)
        covariance += np.where(ok[..., None, None], spread[..., None, None] * one.covariance, 0.0)
    none = ~(units > 0)
    mean[none], covariance[none] = np.nan, np.nan
    return Moments(units, mean, units[..., None, None] * covariance)


def _plain(rows: UnitRows, name: str, look: Int64s, looks: int) -> Arm:
    arm, columns = rows.arm(name), rows.weighted
    if rows.spec.kind is Kind.EVENT:
        moments = Moments.with_one_more_of_each(columns[arm], look[arm], looks)
    else:
        moments = Moments.by_look(columns[arm], look[arm], looks)
    return Arm(moments, np.cumsum(np.bincount(look[arm], minlength=looks)))


def _epoch(rows: UnitRows, look: Int64s, names: Sequence[str], looks: int) -> list[Moments]:
    """The arms within one epoch. Hájek's weights are taken by their mean there, so that they weigh no epoch."""
    found = []
    for name in names:
        arm = rows.arm(name)
        weight = rows.weight[arm]
        columns = rows.columns[arm] * (weight / (weight.mean() if len(weight) else 1.0))[:, None]
        found.append(Moments.by_look(columns, look[arm], looks))
    return found


def _as_fits(spec: MetricSpec, arm: Moments) -> Moments:
    """Moments as fits the metric: rare events get one unit more of each sort (see `with_one_more_of_each`)."""
    if spec.kind is not Kind.EVENT:
        return arm
    n, usual = arm.units[..., None], arm.mean
    more = np.stack([usual, usual], axis=-2)
    more[..., 0, 0], more[..., 1, 0] = usual[..., 1], 0.0
    mean = (n * usual + more.sum(axis=-2)) / (n + 2)
    apart, off = usual - mean, more - mean[..., None, :]
    scatter = (n - 1)[..., None] * arm.covariance + n[..., None] * apart[..., :, None] * apart[..., None, :]
    scatter += np.swapaxes(off, -1, -2) @ off
    return Moments(arm.units + 2, mean, scatter / (n + 1)[..., None])

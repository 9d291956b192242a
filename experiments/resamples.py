"""Intervals by resampling customers: rows of one customer are alike, so customers are drawn, never rows."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_CHUNK = 64  # resamples worked on at a time: bounds memory, not results


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its 95 % interval, in the figure's own unit."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Resamples:
    """Draws of customers with replacement (cluster bootstrap; Cameron, Gelbach & Miller 2008).

    Args:
        cluster: Which customer each row belongs to, 0-based, shape (n,).
        counts: How often each customer was drawn, shape (resamples, customers).
    """

    cluster: NDArray[np.int64]
    counts: NDArray[np.uint8]

    @classmethod
    def draw(cls, customers: NDArray[np.int64], times: int, seed: int) -> Self:
        """Draw `times` resamples of the customers who own the rows; `customers` has shape (n,)."""
        names, cluster = np.unique(customers, return_inverse=True)
        rng = np.random.default_rng(seed)
        size = len(names)
        drawn = (np.bincount(rng.integers(0, size, size), minlength=size) for _ in range(times))
        # No customer is drawn 255 times in practice (the count is Poisson(1)); the cap keeps the table small.
        counts = np.stack([np.minimum(row, 255).astype(np.uint8) for row in drawn])
        return cls(cluster.astype(np.int64), counts)

    @property
    def times(self) -> int:
        """How many resamples there are."""
        return len(self.counts)

    def take(self, rows: NDArray[np.bool_]) -> "Resamples":
        """The same draws, seen by a subset of the rows."""
        return Resamples(self.cluster[rows], self.counts)

    def sums(self, values: Floats) -> Floats:
        """Sum of each column in each resample: `values` (n, k) → (resamples, k)."""
        customers = self.counts.shape[1]
        per_customer = np.stack(
            [np.bincount(self.cluster, weights=column, minlength=customers) for column in values.T], axis=1
        )
        chunks = (self.counts[start : start + _CHUNK] for start in range(0, self.times, _CHUNK))
        return np.concatenate([chunk.astype(np.float64) @ per_customer for chunk in chunks])

    def weights(self) -> Iterator[Floats]:
        """Row weights of each resample in turn, shape (n,)."""
        for counts in self.counts:
            yield counts[self.cluster].astype(np.float64)


def percentile_interval(value: float, resampled: Floats) -> Estimate:
    """The value between the 2.5 % and 97.5 % quantiles of its resamples; those without an answer (NaN) are left out."""
    low, high = np.nanquantile(resampled, (0.025, 0.975))
    return Estimate(value, float(low), float(high))


def mean_interval(values: Floats, draws: Resamples) -> Estimate:
    """The mean of the rows' values, shape (n,), n > 0, with its interval."""
    sums = draws.sums(np.stack([values, np.ones_like(values)], axis=1))
    resampled = sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan)
    return percentile_interval(float(values.mean()), resampled)


def pivot_interval(value: float, resampled: Floats, *, floor: float) -> Estimate:
    """The figure less its bias and the percentile interval mirrored at it, for what resampling pushes one way only.

    A calibration error is a sum of absolute values: sampling noise adds to it, in the data as in each resample.
    The resamples show by how much (Efron & Tibshirani 1993, chapter 10), which is taken off again: 2θ - mean(θ*).
    """
    mirrored = percentile_interval(value, resampled)
    unbiased = 2 * value - float(np.nanmean(resampled))
    low, middle, high = (max(floor, v) for v in (2 * value - mirrored.high, unbiased, 2 * value - mirrored.low))
    return Estimate(middle, low, high)

"""Means and covariances of one arm's units, all that differences of ratios need: for one look, or for many at once.

The four columns are numerator, denominator, covariate numerator and covariate denominator (`metrics.unit_rows`). A unit
is what was assigned: all payments of a customer are summed before, so that rows are independent and the intervals are
those of customer clusters (Deng, Knoblich & Lu 2018; Abadie et al. 2023: cluster where you assign).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from experiments.metrics.cohort import Floats, Int64s

COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Moments:
    """Sample moments of the units of one arm; the leading shape `...` is that of looks or of experiments, often ().

    Args:
        units: How many, shape (...).
        mean: Of each column, shape (..., 4); NaN without units.
        covariance: Unbiased (n - 1), shape (..., 4, 4); NaN below two units.
    """

    units: Floats
    mean: Floats
    covariance: Floats

    @classmethod
    def of(cls, columns: Floats) -> Self:
        """Of all rows, `columns` (..., n, 4)."""
        units = columns.shape[-2]
        if not units:
            nothing = np.full((*columns.shape[:-2], COLUMNS), np.nan)
            return cls(np.zeros(columns.shape[:-2]), nothing, np.full((*nothing.shape, COLUMNS), np.nan))
        mean = columns.mean(axis=-2)
        centred = columns - mean[..., None, :]
        freedom = units - 1 if units > 1 else np.nan
        return cls(np.full(columns.shape[:-2], float(units)), mean, np.swapaxes(centred, -1, -2) @ centred / freedom)

    @classmethod
    def by_look(cls, columns: Floats, look: Int64s, looks: int) -> Self:
        """Of the rows there were at each look: row i enters at look `look[i]` and stays; shapes (looks, ...)."""
        centre = columns.mean(axis=0) if len(columns) else np.zeros(COLUMNS)
        centred = columns - centre
        units = np.cumsum(np.bincount(look, minlength=looks)).astype(np.float64)
        sums = np.stack([_running(column, look, looks) for column in centred.T], axis=-1)
        products = np.empty((looks, COLUMNS, COLUMNS))
        for a in range(COLUMNS):
            for b in range(a, COLUMNS):
                products[:, a, b] = products[:, b, a] = _running(centred[:, a] * centred[:, b], look, looks)
        return cls(*_moments(units, sums, products, centre))

    @classmethod
    def with_one_more_of_each(cls, columns: Floats, look: Int64s, looks: int) -> Self:
        """The same with one unit that had the event and one that had not, there from the start.

        For counts so rare that an arm may have none: an arm without events has no variance, and an interval of width
        zero would claim certainty (Agresti & Caffo 2000).
        """
        pseudo = np.array([[1.0, 1.0, 0.0, 1.0], [0.0, 1.0, 0.0, 1.0]])
        if len(columns):
            usual = columns.mean(axis=0)
            pseudo = np.stack([[usual[1], *usual[1:]], [0.0, *usual[1:]]])
        return cls.by_look(np.concatenate([columns, pseudo]), np.concatenate([look, [0, 0]]), looks)


def _running(values: Floats, look: Int64s, looks: int) -> Floats:
    return np.cumsum(np.bincount(look, values, minlength=looks))


def _moments(units: Floats, sums: Floats, products: Floats, centre: Floats) -> tuple[Floats, Floats, Floats]:
    """(units, mean, covariance) from sums about the centre."""
    n = np.where(units > 0, units, np.nan)
    mean = sums / n[..., None]
    spread = products - sums[..., :, None] * mean[..., None, :]
    freedom = np.where(units > 1, units - 1, np.nan)
    return units, centre + mean, spread / freedom[..., None, None]

"""How much a ratio differs between two arms, with its standard error: delta method, and CUPED with a covariate.

A ratio of means R = E[Y] / E[X] is estimated by r = mean(y) / mean(x), which is asymptotically a mean of

    u = r + (y - r x) / mean(x)                                             (Deng, Knoblich & Lu 2018)

so its variance is that of u over the units. A covariate known before the failure, v (itself a mean or a ratio), has the
same expectation in both arms; what of u goes along with it is noise and is taken off (Deng, Xu, Kohavi & Walker 2013):

    difference = (r_t - r_c) - theta (v_t - v_c),     theta = cov(u, v) / var(v), pooled within the arms

which leaves var(u) (1 - correlation²). The variance of theta is of lower order. With X = 1 it is the
covariance-adjusted difference of means, to the last digit the coefficient of a regression on arm and covariate.
"""

from dataclasses import dataclass

import numpy as np

from experiments.analysis.moments import Moments
from experiments.metrics.cohort import Floats


@dataclass(frozen=True, slots=True)
class Contrast:
    """One arm less the other; every array has the shape of the moments, NaN where there is no answer.

    Args:
        control, treatment: The ratios, adjusted so that their difference is the difference.
        control_error, treatment_error: Their standard errors.
        units: Of both arms.
        reduction: Share of the variance that the covariate removed.
    """

    control: Floats
    treatment: Floats
    control_error: Floats
    treatment_error: Floats
    units: Floats
    reduction: Floats

    @property
    def difference(self) -> Floats:
        """Treatment less control."""
        found: Floats = self.treatment - self.control
        return found

    @property
    def standard_error(self) -> Floats:
        """Of the difference; the arms are independent."""
        found: Floats = np.hypot(self.control_error, self.treatment_error)
        return found


def contrast(control: Moments, treatment: Moments) -> Contrast:
    """The difference between two arms."""
    with np.errstate(divide="ignore", invalid="ignore"):
        arms = [_linearised(arm) for arm in (control, treatment)]
        (c, t), (nc, nt) = arms, (control.units, treatment.units)
        pooled = (nc - 1)[..., None, None] * c[1] + (nt - 1)[..., None, None] * t[1]
        known = pooled[..., 1, 1] > 0
        theta = np.where(known, pooled[..., 0, 1] / np.where(known, pooled[..., 1, 1], 1.0), 0.0)
        middle = (nc * c[0][..., 1] + nt * t[0][..., 1]) / (nc + nt)
        ratios = [ratio[..., 0] - theta * (ratio[..., 1] - middle) for ratio, _ in arms]
        adjusted = [_adjusted(spread, theta) / n for (_, spread), n in zip(arms, (nc, nt), strict=True)]
        plain = c[1][..., 0, 0] / nc + t[1][..., 0, 0] / nt
        reduction = 1.0 - (adjusted[0] + adjusted[1]) / plain
    errors = [np.sqrt(np.maximum(variance, 0.0)) for variance in adjusted]
    return Contrast(ratios[0], ratios[1], errors[0], errors[1], nc + nt, reduction)


def outcome_variance(arm: Moments) -> tuple[Floats, Floats]:
    """Variance of the linearised outcome of one unit: (plain, with the covariate's part taken off)."""
    _, spread = _linearised(arm)
    known = spread[..., 1, 1] > 0
    theta = np.where(known, spread[..., 0, 1] / np.where(known, spread[..., 1, 1], 1.0), 0.0)
    return spread[..., 0, 0], _adjusted(spread, theta)


def _linearised(arm: Moments) -> tuple[Floats, Floats]:
    """Ratios of outcome and covariate, shape (..., 2), and the covariance of their linearised units, (..., 2, 2)."""
    y, x, v, w = (arm.mean[..., i] for i in range(4))
    x, w = np.where(x != 0, x, np.nan), np.where(w != 0, w, np.nan)
    ratios = np.stack([y / x, v / w], axis=-1)
    slope = np.zeros((*arm.units.shape, 2, 4))
    slope[..., 0, 0], slope[..., 0, 1] = 1 / x, -ratios[..., 0] / x
    slope[..., 1, 2], slope[..., 1, 3] = 1 / w, -ratios[..., 1] / w
    return ratios, slope @ arm.covariance @ np.swapaxes(slope, -1, -2)


def _adjusted(spread: Floats, theta: Floats) -> Floats:
    """Variance of u - theta v, shape (...)."""
    found: Floats = spread[..., 0, 0] - 2 * theta * spread[..., 0, 1] + theta**2 * spread[..., 1, 1]
    return found

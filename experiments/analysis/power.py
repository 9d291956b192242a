"""How long an experiment must run: units and weeks for a smallest effect.

With v the variance of one unit's linearised outcome (ratio, clustered by unit, the covariate's part taken off) and
shares w_c, w_t of the N units of both arms, the difference has variance v (1/w_c + 1/w_t) / N, and an effect d is found
with probability `power` where

    N = (m + z_power)² v (1/w_c + 1/w_t) / d²

m is the normal quantile for one look at the end, and the always-valid multiplier at its tuned size for daily looks:
then `power` is reached at the last look alone, and earlier looks add to it. Weeks include the time the last units need
to mature.
"""

import math
from dataclasses import dataclass

from scipy.special import ndtri

from experiments.analysis.difference import outcome_variance
from experiments.analysis.intervals import Tuning, always_valid_multiplier, fixed_multiplier
from experiments.analysis.moments import Moments
from experiments.analysis.multiplicity import shared
from experiments.definition import Method
from experiments.metrics.cohort import Floats
from experiments.metrics.maturity import Window
from features.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the merchant's own history says of the metric.

    Args:
        mean: The metric.
        variance: Of one unit's linearised outcome.
        reduction: Share of it that the covariate removes.
        units_per_week: Units that would be exposed, at full coverage.
    """

    mean: float
    variance: float
    reduction: float
    units_per_week: float

    @property
    def remaining(self) -> float:
        """Variance that the covariate leaves."""
        return self.variance * (1 - self.reduction)


@dataclass(frozen=True, slots=True)
class Design:
    """How units are shared and what is asked.

    Args:
        control_share, variant_share: Of the units exposed; the rest goes to other arms.
        coverage: Share of units that enter the experiment.
        claims: Variants besides control, each with its share of alpha.

    Raises:
        InvalidValueError: A share, alpha, the power or the claims are out of their range.
    """

    control_share: float = 0.5
    variant_share: float = 0.5
    coverage: float = 1.0
    alpha: float = 0.05
    power: float = 0.8
    method: Method = Method.SEQUENTIAL
    claims: int = 1

    def __post_init__(self) -> None:
        for name in ("control_share", "variant_share", "coverage"):
            if not 0 < getattr(self, name) <= 1:
                raise InvalidValueError(name, getattr(self, name), "a share above 0 and at most 1")
        if self.control_share + self.variant_share > 1 + 1e-9:
            raise InvalidValueError("variant_share", self.variant_share, "shares that add up to at most 1")
        if not 0.5 <= self.power < 1:
            raise InvalidValueError("power", self.power, "a probability from 0.5 to below 1, usually 0.8")
        if self.claims < 1:
            raise InvalidValueError("claims", self.claims, "at least one variant besides control")
        multiplier(self)

    @property
    def inverse_shares(self) -> float:
        """1/w_c + 1/w_t, the shares taken of the two arms."""
        both = self.control_share + self.variant_share
        return both / self.control_share + both / self.variant_share


@dataclass(frozen=True, slots=True)
class Needed:
    """What an effect takes.

    Args:
        effect: In the metric's unit; `relative` as a share of the baseline.
        units: Of both arms.
        weeks: Until the last of them is mature.
    """

    effect: float
    relative: float
    units: int
    weeks: float


def baseline(columns: Floats, weeks: float) -> Baseline:
    """From rows of past units (columns of `metrics.unit_rows`) that were exposed in so many weeks.

    Raises:
        InvalidValueError: There are fewer than two units, or nothing stands below the line.
    """
    arm = Moments.of(columns)
    variance, remaining = (float(one) for one in outcome_variance(arm))
    if not math.isfinite(variance):
        raise InvalidValueError("history", len(columns), "at least two past units with something below the line")
    reduction = 1 - remaining / variance if variance else 0.0
    return Baseline(float(arm.mean[0] / arm.mean[1]), variance, reduction, len(columns) / weeks)


def multiplier(design: Design) -> float:
    """How many standard errors the interval of a verdict takes at the planned size: at the variant's share of alpha,
    tuned for the whole of it, as the analysis does."""
    alpha = shared(design.alpha, design.claims)
    if design.method is Method.FIXED:
        return fixed_multiplier(alpha)
    return float(always_valid_multiplier(1.0, Tuning(1, design.alpha), alpha))


def needed(base: Baseline, effect: float, design: Design, window: Window) -> Needed:
    """Units and weeks for an effect in the metric's unit.

    Raises:
        InvalidValueError: The effect is zero.
    """
    if not effect:
        raise InvalidValueError("smallest_effect", effect, "an effect other than zero")
    reach = multiplier(design) + float(ndtri(design.power))
    units = math.ceil(reach**2 * base.remaining * design.inverse_shares / effect**2)
    arriving = base.units_per_week * design.coverage * (design.control_share + design.variant_share)
    weeks = units / arriving + window.days / 7
    return Needed(effect, effect / base.mean if base.mean else math.nan, units, weeks)

"""The effect of a variant on a metric as a report shows it: difference, relative change, and both intervals."""

import math
from dataclasses import dataclass, replace

import numpy as np

from experiments.analysis.difference import Contrast, contrast
from experiments.analysis.epochs import arms_by_look
from experiments.analysis.intervals import (
    FEWEST,
    Tuning,
    always_valid_multiplier,
    always_valid_p,
    fixed_multiplier,
    fixed_p,
)
from experiments.analysis.readable import carried
from experiments.metrics.cohort import Int64s
from experiments.metrics.unit_rows import UnitRows


@dataclass(frozen=True, slots=True)
class Interval:
    """From `low` to `high`, in the metric's unit."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Effect:
    """A variant less its control on one metric, from mature units.

    Args:
        control, treatment: The metric in each arm, with their standard errors.
        units: Mature units of control and variant.
        fixed, always: The intervals of the difference; only the second may be looked at before the planned end.
        fixed_p, always_p: Their p-values.
        relative: The difference as a share of the control, with its interval by the method's own multiplier; None where
            the control is zero or too uncertain to divide by.
        alpha: Chance that the interval misses the truth.
        reduction: Share of the variance removed by the covariate.
        unadjusted: The same without the covariate; None where there is none.
    """

    metric: str
    variant: str
    control: float
    treatment: float
    control_error: float
    treatment_error: float
    units: tuple[int, int]
    fixed: Interval
    always: Interval
    fixed_p: float
    always_p: float
    relative: float | None
    relative_fixed: Interval | None
    relative_always: Interval | None
    alpha: float
    reduction: float
    unadjusted: "Effect | None" = None

    @property
    def difference(self) -> float:
        """Variant less control."""
        return self.treatment - self.control

    @property
    def standard_error(self) -> float:
        """Of the difference."""
        return math.hypot(self.control_error, self.treatment_error)


def effects_by_look(
    rows: UnitRows, variant: str, control: str, look: Int64s, looks: int, tuning: Tuning, alpha: float
) -> list[Effect | None]:
    """The effect at each look; row i is there from `look[i]` on. None where an arm has fewer than `FEWEST` units.

    Also None where a few units outweigh the rest (`readable`), and where no arm shows any variation at all: there is
    nothing to estimate an uncertainty from.
    """
    arms = arms_by_look(rows, (control, variant), look, looks)
    found = contrast(*(arm.moments for arm in arms))
    pairs = [(int(c), int(t)) for c, t in zip(*(arm.counts for arm in arms), strict=True)]
    enough = np.logical_and(*(carried(rows, name, look, looks).enough for name in (control, variant)))
    return [
        _effect(rows.spec.name, variant, _at(found, i), pair, tuning, alpha) if enough[i] else None
        for i, pair in enumerate(pairs)
    ]


def effect(rows: UnitRows, variant: str, control: str, tuning: Tuning, alpha: float) -> Effect | None:
    """The effect in all rows; None without an answer (see `effects_by_look`)."""
    look = np.zeros(len(rows), dtype=np.int64)
    found = effects_by_look(rows, variant, control, look, 1, tuning, alpha)[0]
    if found is None or rows.covariate is None:
        return found
    return replace(found, unadjusted=effect(rows.unadjusted(), variant, control, tuning, alpha))


def _at(found: Contrast, i: int) -> tuple[float, ...]:
    """(control, treatment, control error, treatment error, reduction) at one look."""
    columns = (found.control, found.treatment, found.control_error, found.treatment_error, found.reduction)
    return tuple(float(column[i]) for column in columns)


def _effect(
    metric: str, variant: str, at: tuple[float, ...], units: tuple[int, int], tuning: Tuning, alpha: float
) -> Effect | None:
    control, treatment, control_error, treatment_error, reduction = at
    error = math.hypot(control_error, treatment_error)
    if min(units) < FEWEST or not error > 0 or not math.isfinite(error):
        return None
    total = float(sum(units))
    difference = treatment - control
    once, ever = fixed_multiplier(alpha), float(always_valid_multiplier(total, tuning, alpha))
    z = difference / error
    errors = (control_error, treatment_error)
    return Effect(
        metric=metric,
        variant=variant,
        control=control,
        treatment=treatment,
        control_error=control_error,
        treatment_error=treatment_error,
        units=units,
        fixed=Interval(difference - once * error, difference + once * error),
        always=Interval(difference - ever * error, difference + ever * error),
        fixed_p=float(fixed_p(z)),
        always_p=float(always_valid_p(z, total, tuning)),
        relative=difference / control if control else None,
        relative_fixed=relative_interval(control, treatment, errors, once),
        relative_always=relative_interval(control, treatment, errors, ever),
        alpha=alpha,
        reduction=reduction,
    )


def relative_interval(
    control: float, treatment: float, errors: tuple[float, float], multiplier: float
) -> Interval | None:
    """Fieller's interval for treatment / control - 1 of independent arms (Fieller 1954); None where it is unbounded.

    All ratios q with |treatment - q control| <= multiplier sqrt(s_t² + q² s_c²): a quadratic in q. With the multiplier
    of a confidence sequence the set holds at every look, as each q is tested by a mean of its own.
    """
    spread = multiplier**2
    a = control**2 - spread * errors[0] ** 2
    b = control * treatment
    c = treatment**2 - spread * errors[1] ** 2
    inside = b**2 - a * c
    if a <= 0 or inside < 0:
        return None
    low, high = sorted(((b - math.sqrt(inside)) / a, (b + math.sqrt(inside)) / a))
    return Interval(low - 1, high - 1)

"""What a report draws: the effect as it stood on each day, and how much is back by each day of the window."""

from dataclasses import dataclass

import numpy as np

from experiments.analysis.analysis import VariantAnalysis, in_epochs, metric
from experiments.analysis.effect import Effect
from experiments.analysis.intervals import Tuning
from experiments.analysis.recovery_curve import RecoveryCurve, recovery_curves
from experiments.analysis.timeline import timeline
from experiments.definition import Method
from experiments.metrics.maturity import days
from experiments.metrics.unit_rows import unit_rows
from experiments.report import Report
from features.instants import to_micros


@dataclass(frozen=True, slots=True)
class Look:
    """The effect at the end of a day.

    Args:
        day: Days after the first exposure; the last is that of the report.
        effect: None while too few units are mature.
    """

    day: float
    effect: Effect | None


def effect_by_day(report: Report, variant: VariantAnalysis) -> tuple[Look, ...]:
    """The primary metric's effect on every day from the first mature unit on.

    None by the fixed method, which is read once; on a broken split; and where a variant had no bucket for a while, so
    that not all units can be compared.
    """
    plan, cohort = report.plan, report.cohort
    arms = (plan.control, variant.variant)
    whole = all(phase.weights.get(name, 0.0) > 0 for phase in plan.weights for name in arms)
    if plan.method is Method.FIXED or variant.primary is None or not whole:
        return ()
    as_of = np.datetime64(to_micros(report.as_of), "us")
    adjusted = (plan.covariates or {}).get(plan.primary)
    rows = unit_rows(metric(plan.primary), cohort, plan.window, as_of, adjusted)
    rows = in_epochs(rows, cohort.units, plan.weights)
    since = as_of - rows.matured_at.min()
    looks = np.array([as_of - days(back) for back in range(int(since / days(1)), -1, -1)], dtype="datetime64[us]")
    tuning = Tuning(plan.tuned_units or plan.planned_units, plan.alpha)
    found = timeline(rows, variant.variant, plan.control, looks, tuning, variant.primary.alpha)
    last = report.analysis.days_run
    return tuple(Look(last - (len(looks) - 1 - i), effect) for i, effect in enumerate(found))


def several_epochs(report: Report) -> bool:
    """Whether a bandit changed the weights."""
    return len({phase.epoch for phase in report.plan.weights}) > 1


def curves_of(report: Report) -> tuple[RecoveryCurve, ...]:
    """How much is back by each day, by variant; none before the primary metric may be read.

    None either where a bandit changed the weights: the effect compares within epochs, which curves over all of them
    would contradict.
    """
    if several_epochs(report) or not any(report.primary(one) for one in report.analysis.variants):
        return ()
    return recovery_curves(report.cohort, report.plan.window, np.datetime64(to_micros(report.as_of), "us"))

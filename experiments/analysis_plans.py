"""What a definition says of its analysis: nothing is left to be chosen when the numbers are known.

The planned number of units is the definition's own. Where it states none, it is estimated from the first units to
mature, all variants together: blind to who got what, and the same on every later day (Kieser & Friede 2003 on why such
an estimate costs no false alarms). The always-valid intervals are then tuned for a fixed number instead, since what
they are tuned for has to be settled before the first look.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import numpy as np

from experiments.allocation import allocation, propensities
from experiments.analysis.analysis import AnalysisPlan, PlannedWeights, metric
from experiments.analysis.guard_rails import GuardRail
from experiments.analysis.power import Design, baseline, needed
from experiments.assignment import coverage_at
from experiments.cohorts import SEGMENTS
from experiments.covariates import covariate_for
from experiments.definition import HOLD_OUT, Change, CovariateName, Definition
from experiments.metrics.cohort import Cohort
from experiments.metrics.maturity import Window
from experiments.metrics.unit_rows import Covariate, unit_rows
from experiments.weights import STEPS, starting_weights, weights_at
from features.instants import to_micros

FIRST_UNITS = 400
"""How many mature units an estimate of the planned number takes, and the fewest that it plans for."""

_TUNED_UNITS = 10_000
_LONG_AGO = np.datetime64("1970-01-01T00:00", "us")


@dataclass(frozen=True, slots=True)
class Planned:
    """Mature units of control and one variant at which the planned power is reached.

    Args:
        settled: Whether that is known yet; before it nothing is read by the fixed method.
        stated: Whether the definition says so, or the first units did.
    """

    units: int
    settled: bool
    stated: bool


def design_of(definition: Definition) -> Design:
    """How control and the smallest variant share the units at the start, and what is asked of their comparison."""
    chance = propensities(allocation(definition, 1.0, starting_weights(definition)))
    others = [share for name, share in chance.items() if name not in {definition.control, HOLD_OUT}]
    return Design(
        control_share=chance[definition.control],
        variant_share=min(others),
        coverage=definition.coverage or 1.0,
        alpha=definition.alpha,
        power=definition.power,
        method=definition.method,
        claims=len(others),
    )


def window_of(definition: Definition) -> Window:
    """The definition's days, for payments that had failed when the unit was exposed."""
    return Window(float(definition.window_days))


def planned_units(definition: Definition, cohort: Cohort, as_of: np.datetime64) -> Planned:
    """The definition's number, or the one that its first mature units make.

    Raises:
        InvalidValueError: The primary metric does not exist.
    """
    if definition.planned_units is not None:
        return Planned(definition.planned_units, settled=True, stated=True)
    known = covariates_of(definition).get(definition.primary_metric)
    rows = unit_rows(metric(definition.primary_metric), cohort, window_of(definition), as_of, known)
    rows = rows.where(~rows.arm(HOLD_OUT))
    first = rows.columns[np.argsort(rows.matured_at, kind="stable")[:FIRST_UNITS]]
    if len(first) < FIRST_UNITS or not first[:, 0].sum() or not first[:, 1].sum():
        return Planned(max(FIRST_UNITS, len(rows) + 1), settled=False, stated=False)
    base = baseline(first, weeks=1.0)
    effect = definition.smallest_effect * base.mean
    found = needed(base, effect, design_of(definition), window_of(definition))
    return Planned(max(FIRST_UNITS, found.units), settled=True, stated=False)


def covariates_of(definition: Definition) -> Mapping[str, Covariate]:
    """What each metric of a definition is adjusted by.

    Raises:
        InvalidValueError: A metric does not exist.
    """
    if definition.covariate is CovariateName.NONE:
        return {}
    named = {definition.primary_metric, *definition.secondary_metrics, *definition.guardrails}
    found = {name: covariate_for(metric(name)) for name in sorted(named)}
    return {name: covariate for name, covariate in found.items() if covariate is not None}


def analysis_plan(definition: Definition, planned: Planned, unmeasured: AbstractSet[str] = frozenset()) -> AnalysisPlan:
    """The plan of a definition's analysis.

    Args:
        unmeasured: Metrics of which nobody told anything.

    Raises:
        InvalidValueError: A metric does not exist or the primary one is not measured, or nobody is compared.
    """
    return AnalysisPlan(
        control=definition.control,
        weights=_weights(definition),
        window=window_of(definition),
        planned_units=planned.units,
        minimum_days=definition.min_run_days,
        primary=definition.primary_metric,
        guard_rails=tuple(GuardRail(name, rail.margin) for name, rail in sorted(definition.guardrails.items())),
        secondary=definition.secondary_metrics,
        segments=SEGMENTS,
        covariates=covariates_of(definition),
        alpha=definition.alpha,
        method=definition.method,
        hold_out=HOLD_OUT if definition.hold_out else None,
        same_policy=_same_policy(definition),
        unmeasured=frozenset(unmeasured),
        tuned_units=None if planned.stated else _TUNED_UNITS,
    )


def _weights(definition: Definition) -> tuple[PlannedWeights, ...]:
    """What each variant was planned to get, from every change of coverage or weights on; buckets are whole, so that a
    ramp may move it too."""
    found, epoch = [], 0
    for entry in definition.history:
        epoch += entry.what is Change.REWEIGHTED
        coverage = coverage_at(definition, entry.at)
        if entry.what in STEPS and coverage:
            shares = allocation(definition, coverage, weights_at(definition, entry.at))
            found.append(PlannedWeights(np.datetime64(to_micros(entry.at), "us"), propensities(shares), epoch))
    if found:
        return tuple(found)
    return (PlannedWeights(_LONG_AGO, propensities(allocation(definition, definition.coverage or 1.0))),)


def _same_policy(definition: Definition) -> bool:
    """Whether all variants do the same: an A/A test."""
    first, *others = [(one.policy, one.tighten) for one in definition.variants.values()]
    return all(one == first for one in others)

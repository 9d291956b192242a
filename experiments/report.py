"""The report of an experiment at an instant: its analysis, and of it what may be read on that day."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from experiments.allocation import allocation, propensities
from experiments.analysis.analysis import Analysis, AnalysisPlan, Secondary, VariantAnalysis, analyse
from experiments.analysis.effect import Effect
from experiments.analysis.segments import Segments
from experiments.analysis_plans import Planned, analysis_plan, planned_units
from experiments.cohorts import ObservedPayment, cohort_of, unmeasured_in
from experiments.definition import Definition, Method
from experiments.metrics.cohort import Cohort
from features.instants import to_micros
from model.economics import Economics


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of an experiment.

    Args:
        currency: Of all money in it, in minor units.
        merchant_id: Whose payments it is about; None for those of all.
    """

    definition: Definition
    as_of: datetime
    currency: str
    planned: Planned
    plan: AnalysisPlan
    cohort: Cohort
    analysis: Analysis
    merchant_id: str | None = None

    @property
    def planned_known(self) -> bool:
        """Whether the planned number may be shown; an estimate is made of outcomes, and withheld with them."""
        return self.planned.stated or (self.planned.settled and not self.analysis.withheld)

    @property
    def unmeasured(self) -> tuple[str, ...]:
        """Metrics that the definition names and whose facts nobody tells of."""
        named = (*sorted(self.definition.guardrails), *self.definition.secondary_metrics)
        return tuple(name for name in dict.fromkeys(named) if name in self.plan.unmeasured)

    def primary(self, variant: VariantAnalysis) -> Effect | None:
        """The effect on the primary metric; None where there is none, or it may not be read yet."""
        return variant.primary if variant.primary and self._may_be_read(variant.primary) else None

    def secondary(self, variant: VariantAnalysis) -> tuple[Secondary, ...]:
        """Those secondary metrics that may be read."""
        return tuple(one for one in variant.secondary if self._may_be_read(one.effect))

    def segments(self, variant: VariantAnalysis) -> tuple[Segments, ...]:
        """Exploratory; none before the primary metric may be read."""
        return variant.segments if self.primary(variant) else ()

    def _may_be_read(self, effect: Effect) -> bool:
        """The fixed method is read once, at the planned size; before it nothing is shown that invites to stop."""
        return self.plan.method is Method.SEQUENTIAL or sum(effect.units) >= self.plan.planned_units


def report_of(
    definition: Definition,
    payments: Iterable[ObservedPayment],
    economics: Economics,
    as_of: datetime,
    merchant_id: str | None = None,
) -> Report:
    """Analyse what became of an experiment's payments, as known at an instant.

    Args:
        merchant_id: Whose payments these are, where they are of one.

    Raises:
        InvalidValueError: The primary metric is not measured, a payment has a variant that the definition does not
            name, or a currency has no rate.
    """
    at = np.datetime64(to_micros(as_of), "us")
    variants = tuple(propensities(allocation(definition, coverage=1.0)))
    observed = tuple(payments)
    cohort = cohort_of(observed, variants, economics)
    planned = planned_units(definition, cohort, at)
    plan = analysis_plan(definition, planned, unmeasured_in(observed, as_of))
    found = analyse(cohort, plan, at)
    return Report(definition, as_of, economics.exchange.base, planned, plan, cohort, found, merchant_id)

"""What an experiment in a world has to find: every payment of it played under every variant, in the same luck.

The true effect of a variant on a metric is the metric as if the variant had answered for all payments, less the metric
as if the control had (Neyman 1923; Rubin 1974). Both are known where a world answers any retry, so that nothing is
estimated: no units are drawn, and there is no interval. It is the effect on these payments, which an interval of the
experiment has to hold as often as it promises.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from experiments.allocation import allocation, propensities
from experiments.analysis.analysis import metric
from experiments.analysis_plans import window_of
from experiments.assignment import FirstFailure, assigned
from experiments.cohorts import SEGMENTS, ObservedPayment, cohort_of
from experiments.definition import HOLD_OUT, Definition
from experiments.metrics.unit_rows import unit_rows
from experiments.outcomes import Followed, PaymentOutcome, Try, Word, outcome_of
from experiments.payers import BEYOND_PAYMENTS
from experiments.replay import Episode
from experiments.world import Living, World
from features.context import Context
from features.instants import to_micros
from features.vocabulary import Outcome
from model.decision import Assignment
from model.economics import Economics

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entrant:
    """A failed payment that takes part in an experiment, as known at its first failure."""

    context: Context
    failure: FirstFailure
    assignment: Assignment


@dataclass(frozen=True, slots=True)
class Sums:
    """A metric over all payments: what stands above and below its line."""

    above: float
    below: float

    @property
    def value(self) -> float | None:
        """Above by below; None where nothing is below."""
        return self.above / self.below if self.below else None


@dataclass(frozen=True, slots=True)
class Truth:
    """The metrics of an experiment as if each variant had answered for all of its payments.

    Args:
        payments, units: How many took part.
        shares: P(variant) of a unit.
        sums: By metric and variant.
    """

    payments: int
    units: int
    shares: Mapping[str, float]
    sums: Mapping[str, Mapping[str, Sums]]

    def value(self, name: str, variant: str) -> float | None:
        """A metric under a variant; None without an answer."""
        return self.sums[name][variant].value

    def effect(self, name: str, variant: str, control: str) -> float | None:
        """What a variant changes of a metric."""
        return _difference(self.value(name, variant), self.value(name, control))

    def lift(self, name: str) -> float | None:
        """What all variants together, each at its share, change of a metric against the hold-out."""
        found = self.sums[name]
        treated = [(self.shares[variant], one) for variant, one in found.items() if variant != HOLD_OUT]
        mixed = Sums(sum(s * one.above for s, one in treated), sum(s * one.below for s, one in treated))
        return _difference(mixed.value, found[HOLD_OUT].value)


def entrants(definition: Definition, failures: Iterable[Context]) -> tuple[Entrant, ...]:
    """The failed payments that take part, in the order given; testers are left out."""
    found = []
    for context in failures:
        failure = FirstFailure.of(context)
        assignment = assigned(definition, failure) if failure else None
        if failure is not None and assignment is not None and not assignment.tester:
            found.append(Entrant(context, failure, assignment))
    return tuple(found)


def arms(definition: Definition) -> Mapping[str, float]:
    """The share of every variant of a definition, the hold-out included."""
    return propensities(allocation(definition, coverage=1.0))


def became(episode: Episode, failed_at: datetime, world: World, window_days: int) -> PaymentOutcome:
    """What became of a payment that was played, told in the words of a ledger."""
    payment = episode.context.payment
    tries = [
        Try(made.at, made.outcome, made.initiator, made.amount.amount_minor, processor=made.processor)
        for made in episode.attempts
    ]
    words: list[tuple[datetime, Word]] = []
    if isinstance(world, Living) and not any(made.outcome is Outcome.APPROVED for made in tries):
        settled, left = world.settled_at(payment.payment_id), world.left_at(payment.payment_id)
        if settled is not None and (left is None or settled <= left):
            words.append((settled, Word.PAID))
        elif left is not None:
            words.append((left, Word.CANCELLED))
    ends_at = failed_at + timedelta(days=window_days)
    return outcome_of(Followed(failed_at, payment.amount.amount_minor, tries, words), window_days, ends_at)


def truth_of(
    definition: Definition,
    taking_part: Sequence[Entrant],
    outcomes: Mapping[str, Sequence[PaymentOutcome]],
    economics: Economics,
) -> Truth:
    """The metrics that the definition names, as far as they are measured, under each variant.

    Args:
        outcomes: By variant, what became of each payment under it, in the order of `taking_part`.

    Raises:
        InvalidValueError: A metric does not exist, or a currency has no rate.
    """
    named = (definition.primary_metric, *definition.secondary_metrics, *sorted(definition.guardrails))
    measured = [name for name in dict.fromkeys(named) if name not in BEYOND_PAYMENTS]
    sums: dict[str, dict[str, Sums]] = {name: {} for name in measured}
    for variant, found in outcomes.items():
        for name, one in _sums(definition, variant, taking_part, found, measured, economics).items():
            sums[name][variant] = one
    units = {one.assignment.unit_id for one in taking_part}
    return Truth(len(taking_part), len(units), arms(definition), sums)


def _sums(
    definition: Definition,
    variant: str,
    taking_part: Sequence[Entrant],
    outcomes: Sequence[PaymentOutcome],
    measured: Sequence[str],
    economics: Economics,
) -> Mapping[str, Sums]:
    observed = [_observed(one, variant, outcome) for one, outcome in zip(taking_part, outcomes, strict=True)]
    cohort, window = cohort_of(observed, (variant,), economics), window_of(definition)
    last = max((one.context.as_of for one in taking_part), default=None)
    if last is None:
        return {name: Sums(0.0, 0.0) for name in measured}
    as_of = np.datetime64(to_micros(last + window.days * _A_DAY), "us")
    columns = {name: unit_rows(metric(name), cohort, window, as_of).columns for name in measured}
    return {name: Sums(float(found[:, 0].sum()), float(found[:, 1].sum())) for name, found in columns.items()}


def _observed(one: Entrant, variant: str, outcome: PaymentOutcome) -> ObservedPayment:
    failure = one.failure
    labels = (failure.market or "", failure.rail.value, failure.category.value)
    return ObservedPayment(
        unit=(failure.merchant_id, one.assignment.unit_id),
        variant=variant,
        propensity=1.0,
        exposed_at=one.context.as_of,
        failed_at=failure.failed_at,
        amount=failure.amount,
        segments=dict(zip(SEGMENTS, labels, strict=True)),
        outcome=outcome,
    )


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b

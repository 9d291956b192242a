"""The experiments that answer: loaded whole at start, each variant with the policy and the limits it answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from experiments.arm_policies import (
    BestPlan,
    ExploringPlan,
    FixedDays,
    Greedy,
    LearntSchedule,
    MonthDays,
    NoRetry,
    Oracle,
)
from experiments.assignment import FirstFailure, assigned
from experiments.checking import Known, tightenings
from experiments.definition import ANSWERING, HOLD_OUT, Definition, Unit, Variant
from experiments.metric_names import METRIC_NAMES
from experiments.weights import divided_since
from features.context import Context
from features.errors import InputError
from model.arms import Arm, ExploringArm, GreedyArm, NoRetryArm, PlanArm, ScheduleArm
from model.caps.rulebook import Rulebook
from model.decision import Assignment
from model.economics import Economics
from model.exploring import ExploringPlan as ExploringPolicy
from model.plan_policies import PlanPolicy
from model.schedules import FixedDays as DaysAfter
from model.schedules import MonthDays as DaysOfMonth
from model.scorer import Scorer
from serving.definitions import faults_in, folder_at
from serving.ledger.exposures import Exposure
from serving.ledger.exposures import Known as OnRecord
from serving.settings import Settings


@dataclass(frozen=True, slots=True)
class Answerer:
    """What a variant answers with: its policy, and rules at least as strict as the merchant's."""

    arm: Arm
    rulebook: Rulebook


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A payment in an experiment: who answers for it, and what is to be written of it.

    Args:
        exposed: Whether the variant has answered for it before.
        divided_since: Since when the buckets had been divided as they were when the unit got its variant.
    """

    answerer: Answerer
    assignment: Assignment
    failure: FirstFailure
    exposed: bool
    divided_since: datetime | None = None

    def exposure(self, now: datetime, attempts_allowed: int | None) -> Exposure | None:
        """The exposure, made now; None where the ledger has it already.

        Args:
            attempts_allowed: How many retries the merchant's own limits leave, whatever the variant's are.
        """
        if self.exposed:
            return None
        failure = self.failure
        return Exposure(
            merchant_id=failure.merchant_id,
            payment_id=failure.payment_id,
            customer_id=failure.customer_id,
            assignment=self.assignment,
            exposed_at=now,
            failed_at=failure.failed_at,
            amount=failure.amount,
            market=failure.market or "",
            rail=failure.rail,
            category=failure.category,
            attempts_allowed=attempts_allowed,
            divided_since=self.divided_since,
        )


@dataclass(frozen=True, slots=True)
class Live:
    """One experiment that answers."""

    definition: Definition
    answerers: Mapping[str, Answerer]


@dataclass(frozen=True, slots=True)
class LiveExperiments:
    """Every experiment of the folder, and those of them that answer.

    Args:
        definitions: All of them, drafts and concluded ones too.
    """

    definitions: tuple[Definition, ...] = ()
    live: tuple[Live, ...] = ()

    def enrolled(self, context: Context, known: OnRecord) -> Enrolled | None:
        """The variant that answers for a payment; None where none does.

        Args:
            known: What the ledger knows of it. A variant that has answered before goes on answering, whatever has
                changed since; a customer keeps the variant of an earlier payment, whatever the weights are by now; and
                a failure that the request does not tell of is the first one all the same.
        """
        told = FirstFailure.of(context) if self.live else None
        if told is None:
            return None
        failure = _first(told, known)
        earlier = {assignment.experiment: assignment for assignment in known.before}
        of_customer = {one.assignment.experiment: one for one in reversed(known.of_customer)}
        for one in self.live:
            before = earlier.get(one.definition.key)
            of_unit = of_customer.get(one.definition.key) if one.definition.unit is Unit.CUSTOMER else None
            kept = of_unit.assignment if of_unit else None
            assignment = before or assigned(one.definition, failure, kept)
            if assignment is not None and assignment.variant in one.answerers:
                since = divided_since(one.definition, failure.failed_at)
                if of_unit is not None and assignment is kept:
                    since = of_unit.divided_since
                return Enrolled(one.answerers[assignment.variant], assignment, failure, before is not None, since)
        return None


NO_EXPERIMENTS = LiveExperiments()


def load_experiments(settings: Settings, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> LiveExperiments:
    """The experiments of the folder that the settings name.

    Raises:
        InputError: A definition has a fault, or a variant that runs cannot answer a request; all are named.
    """
    if settings.experiments is None:
        return NO_EXPERIMENTS
    folder = folder_at(settings.experiments)
    known = Known(rulebook, METRIC_NAMES)
    faults = faults_in(folder.reads, known)
    if faults:
        raise InputError("experiments cannot be used: " + " ".join(fault.sentence for fault in faults))
    definitions = folder.definitions
    live = tuple(
        _live(definition, scorer, rulebook, economics) for definition in definitions if definition.status in ANSWERING
    )
    return LiveExperiments(definitions, live)


def _first(told: FirstFailure, known: OnRecord) -> FirstFailure:
    if known.failed_at is None or known.failed_at >= told.failed_at:
        return told
    market = known.market or told.market
    return replace(told, failed_at=known.failed_at, rail=known.rail, category=known.category, market=market)


def _live(definition: Definition, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> Live:
    answerers = {
        name: _answerer(definition, variant, scorer, rulebook, economics)
        for name, variant in definition.variants.items()
    }
    return Live(definition, {**answerers, HOLD_OUT: Answerer(NoRetryArm(), rulebook)})


def _answerer(
    definition: Definition, variant: Variant, scorer: Scorer, rulebook: Rulebook, economics: Economics
) -> Answerer:
    own = rulebook.tightened(tightenings(variant)) if variant.tighten else rulebook
    return Answerer(_arm(definition, variant, scorer, own, economics), own)


def arm_of(definition: Definition, name: str, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> Arm:
    """The policy of a variant, or of those whom nobody retries, with a scorer, rules and figures of any version."""
    if name == HOLD_OUT:
        return NoRetryArm()
    return _arm(definition, definition.variants[name], scorer, rulebook, economics)


def _arm(definition: Definition, variant: Variant, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> Arm:
    match variant.policy:
        case NoRetry():
            return NoRetryArm()
        case FixedDays(days=days):
            return ScheduleArm(f"fixed-{'-'.join(map(str, days))}", DaysAfter(days))
        case MonthDays(days=days, within_days=within):
            return ScheduleArm(f"month-days-{'-'.join(map(str, days))}", DaysOfMonth(days, within))
        case Greedy(by=by, max_retries=most, horizon_days=horizon):
            return GreedyArm(by, most, horizon)
        case BestPlan(max_retries=most, horizon_days=horizon):
            return PlanArm(most, horizon)
        case ExploringPlan(share=share, within=within_best, max_retries=most, horizon_days=horizon):
            plan = PlanPolicy(scorer, rulebook, economics, most, horizon)
            return ExploringArm(ExploringPolicy(plan, definition.salt, share, within_best))
        case LearntSchedule() | Oracle():
            raise InputError(f"{definition.key}: {variant.policy.kind} cannot answer a request")

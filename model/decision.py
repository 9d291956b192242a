"""A decision as a value: what to do, why, what it is worth, what it may not do; and its canonical JSON."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Literal

from pydantic import TypeAdapter

from features.action import Action, Retry, Stop
from features.context_json import canonical
from features.money import Money
from model.caps.verdict import Verdict
from model.scorer import Score, ScoreSource
from model.step_down import StepDown
from model.valuation import Value

CODE_VERSION = "0.1.0"

PolicySource = ScoreSource | Literal["schedule"]
"""Who chose: a model's plan, the shipped prior's plan, or a fixed schedule that gives no chance."""


class StopReason(StrEnum):
    """Why no attempt is to be made."""

    ALREADY_PAID = "already_paid"
    CANCELLED = "cancelled"
    OPTED_OUT = "opted_out"
    ON_HOLD = "on_hold"
    ATTEMPT_PENDING = "attempt_pending"
    RECOVERY_WINDOW_OVER = "recovery_window_over"
    NO_USABLE_METHOD = "no_usable_method"
    NO_SLOT_LEFT = "no_slot_left"
    NO_ALLOWED_ACTION = "no_allowed_action"
    NOT_WORTH_IT = "not_worth_it"
    RETRIES_USED_UP = "retries_used_up"
    SCHEDULE_OVER = "schedule_over"
    NO_RETRY = "no_retry"


class Topic(StrEnum):
    """What a reason is about."""

    FAILURE = "failure"
    LIMIT = "limit"
    METHOD = "method"
    PROCESSOR = "processor"
    TIMING = "timing"
    VALUE = "value"
    PLAN = "plan"
    SCORE = "score"
    STOP = "stop"
    POLICY = "policy"


@dataclass(frozen=True, slots=True)
class Reason:
    """One plain sentence with figures, and what it is about."""

    topic: Topic
    sentence: str


@dataclass(frozen=True, slots=True)
class PlannedAttempt:
    """One attempt of a plan.

    Args:
        score: Its chance if every attempt before it was declined.
        value: What it is worth by itself once it is made, in terms of now.
        reached: Probability that it is made at all: that every attempt before it is declined.
    """

    retry: Retry
    score: Score
    value: Value
    reached: float


@dataclass(frozen=True, slots=True)
class Plan:
    """The attempts planned to the horizon; each is made only if those before it were declined.

    Args:
        attempts: In order of time; empty when nothing is worth trying.
        expected_attempts: How many of them are made on average.
        recovery_probability: That one of them is approved.
        recovery_low, recovery_high: The same with every chance at the lower and at the upper end of its 90 % interval:
            one model made them all, so that they are wrong together, and their errors add up.
        expected_recovered: Amount expected to be collected by them.
        expected_cost: Fees and harm expected from them.
        expected_net: What they are worth after costs, later invoices included; stopping now is worth nothing.
        break_even_cost: If every attempt cost this much whatever its outcome, the plan would be worth nothing.
    """

    attempts: tuple[PlannedAttempt, ...]
    expected_attempts: float
    recovery_probability: float
    recovery_low: float
    recovery_high: float
    expected_recovered: Money
    expected_cost: Money
    expected_net: Money
    break_even_cost: Money


@dataclass(frozen=True, slots=True)
class Choice:
    """The action taken and the probability with which the policy would take it."""

    action: Action
    propensity: float


@dataclass(frozen=True, slots=True)
class Assignment:
    """The variant of an experiment that answered.

    Args:
        unit_id: The customer or payment that was assigned.
        propensity: P(this variant) of a unit that takes part.
        tester: Named in the definition; counts in no analysis.
    """

    experiment: str
    variant: str
    unit_id: str
    propensity: float
    tester: bool = False


@dataclass(frozen=True, slots=True)
class Alternative:
    """A retry that was allowed and not chosen, and why.

    Args:
        value: What it is worth by itself.
        plan_value: What the best plan that starts with it is worth, as plans are compared: with cautious chances.
    """

    retry: Retry
    score: Score
    value: Value
    plan_value: Money
    why_not: str


@dataclass(frozen=True, slots=True)
class Curve:
    """The chance of one route over the horizon, at the best slot of each day; every tuple has the same length.

    Args:
        start: Of the slots, rising.
        probability, low, high: P(approved) with its 90 % interval, as of now.
        allowed: Whether every rule allows the slot.
    """

    method_id: str
    processor: str
    start: tuple[datetime, ...]
    probability: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    allowed: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Removed:
    """Retries that a rule forbids, grouped by method and rule.

    Args:
        proposed: Proposed retries of the method.
        removed: How many of them the rule forbids.
        verdict: The rule's answer for the latest of them; `frees_at` None means never.
    """

    method_id: str
    proposed: int
    removed: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Versions:
    """What the decision was made with."""

    model: str
    rulebook: str
    economics: str
    code: str = CODE_VERSION


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do about a failed payment.

    Args:
        decision_id: Hash of everything else in it; the same content has the same id.
        context_digest: Hash of the canonical JSON of the context it answers.
        time_zone: The issuer's clock the chosen slot lies on; None for a stop.
        by_day: Whether the history knows days only, so that the slot stands for a day.
        plan_value: What the plan is worth as plans are compared, with cautious chances; stopping now is worth nothing.
        alternatives: The next best to start with, best first.
        curves: The chance over the horizon, one a route.
        verdicts: Every rule that applies to the chosen retry; for a stop, the rules that forbid.
        removed: What the rules took away.
        payer_could: What the payer could do, most helpful first.
        policy: Name of the policy that chose.
        policy_source: Whether a model or the shipped prior scored, or a fixed schedule chose without chances.
        valid_until: Ask again then: the slot is over, or something has changed by then.
        stepped_down: The policies that should have answered and did not, first the one that came first.
        assignment: The variant whose policy chose; None outside of experiments.
    """

    decision_id: str
    payment_id: str
    as_of: datetime
    choice: Choice
    time_zone: str | None
    by_day: bool
    plan: Plan
    plan_value: Money
    alternatives: tuple[Alternative, ...]
    curves: tuple[Curve, ...]
    verdicts: tuple[Verdict, ...]
    removed: tuple[Removed, ...]
    reasons: tuple[Reason, ...]
    payer_could: tuple[str, ...]
    policy: str
    policy_source: PolicySource
    versions: Versions
    context_digest: str
    valid_until: datetime
    stepped_down: tuple[StepDown, ...] = ()
    assignment: Assignment | None = None

    @property
    def retry(self) -> Retry | None:
        """The retry to make, or None for a stop."""
        return self.choice.action if isinstance(self.choice.action, Retry) else None

    @property
    def stop(self) -> Stop | None:
        """The stop, or None for a retry."""
        return self.choice.action if isinstance(self.choice.action, Stop) else None

    @property
    def score(self) -> Score | None:
        """P(approved) of the chosen retry, or None for a stop and where a schedule chose."""
        return self.plan.attempts[0].score if self.retry and self.plan.attempts else None

    @property
    def value(self) -> Value | None:
        """The value of the chosen retry, or None for a stop and where a schedule chose."""
        return self.plan.attempts[0].value if self.retry and self.plan.attempts else None


def decision_to_json(decision: Decision) -> bytes:
    """The decision as UTF-8 JSON with sorted keys; equal decisions give equal bytes."""
    return canonical(_adapter().dump_python(decision))


def identified(decision: Decision) -> Decision:
    """The decision with its id: a hash of its content."""
    content = decision_to_json(replace(decision, decision_id="") if decision.decision_id else decision)
    return replace(decision, decision_id=f"dec_{hashlib.sha256(content).hexdigest()[:32]}")


def after_stepping_down(decision: Decision, steps: Sequence[StepDown]) -> Decision:
    """The decision of a policy that answers for others, which says why they did not; the reasons begin with it."""
    if not steps:
        return decision
    told = tuple(Reason(Topic.POLICY, step.sentence) for step in steps)
    return identified(replace(decision, reasons=(*told, *decision.reasons), stepped_down=tuple(steps)))


@cache
def _adapter() -> TypeAdapter[Decision]:
    return TypeAdapter(Decision)

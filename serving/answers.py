"""From a decision to the answer that goes out: the same facts in the words of the HTTP interface."""

from zoneinfo import ZoneInfo

from features.action import Retry, Stop
from features.context import Context
from features.money import Money
from features.vocabulary import DeclineCategory
from model.caps.engine import Verdict
from model.decision import Alternative, Curve, Decision, PlannedAttempt, Removed, StopReason
from model.issuer_clock import issuer_clock
from model.scorer import Score
from model.step_down import StepDown
from serving.answer_schemas import (
    AssignmentOut,
    CurveOut,
    DecisionAnswer,
    HoldAction,
    Limit,
    MoneyOut,
    OtherRetry,
    PlannedRetry,
    PlanOut,
    Probability,
    ReasonOut,
    RemovedRetries,
    RetryAction,
    StepDownOut,
    StopAction,
    VersionsOut,
    Window,
)


def answer_of(decision: Decision, context: Context) -> DecisionAnswer:
    """The answer to the request that gave this context."""
    score, value = decision.score, decision.value
    return DecisionAnswer(
        decision_id=decision.decision_id,
        payment_id=decision.payment_id,
        as_of=decision.as_of,
        valid_until=decision.valid_until,
        action=_action(decision, context),
        probability=_probability(score) if score else None,
        expected_net_value=money_of(value.net) if value else None,
        expected_cost=money_of(value.cost) if value else None,
        break_even_cost=money_of(value.break_even_cost) if value else None,
        plan=_plan(decision, context),
        alternatives=tuple(_alternative(other, context) for other in decision.alternatives),
        curves=tuple(_curve(curve) for curve in decision.curves),
        limits=tuple(limit_of(verdict) for verdict in decision.verdicts),
        removed=tuple(_removed(removed) for removed in decision.removed),
        reasons=tuple(ReasonOut(topic=r.topic, sentence=r.sentence) for r in decision.reasons),
        payer_could=decision.payer_could,
        notes=notes_on(context),
        policy=decision.policy,
        policy_source=decision.policy_source,
        stepped_down=tuple(_step_down(step) for step in decision.stepped_down),
        versions=VersionsOut(
            model=decision.versions.model,
            rulebook=decision.versions.rulebook,
            economics=decision.versions.economics,
            code=decision.versions.code,
        ),
        experiment=_experiment(decision),
    )


def _experiment(decision: Decision) -> AssignmentOut | None:
    one = decision.assignment
    if one is None:
        return None
    return AssignmentOut(key=one.experiment, variant=one.variant, propensity=one.propensity, tester=one.tester)


def notes_on(context: Context) -> tuple[str, ...]:
    """What the context holds that was not understood, one sentence each."""
    unknown = {
        f"decline code {decline.code} of {attempt.processor} ({decline.network}) stands in no table; taken as unknown"
        for attempt in context.attempts
        if (decline := attempt.decline) and decline.code and decline.category is DeclineCategory.UNKNOWN
    }
    return tuple(sorted(unknown))


def _step_down(step: StepDown) -> StepDownOut:
    return StepDownOut(policy_source=step.policy_source, why=step.why, sentence=step.sentence)


def _action(decision: Decision, context: Context) -> RetryAction | StopAction | HoldAction:
    action, propensity = decision.choice.action, decision.choice.propensity
    if isinstance(action, Stop):
        reason = StopReason(action.reason)
        if reason is StopReason.ON_HOLD:
            return HoldAction(kind="hold", reason=reason, propensity=propensity)
        return StopAction(kind="stop", reason=reason, propensity=propensity)
    return RetryAction(
        kind="retry",
        window=_window(action, context),
        method_id=action.method_id,
        processor=action.processor,
        by_day=decision.by_day,
        propensity=propensity,
    )


def _window(retry: Retry, context: Context) -> Window:
    name = issuer_clock(context, context.method(retry.method_id)).zone
    slot, zone = retry.slot, ZoneInfo(name)
    return Window(
        start=slot.start,
        end=slot.end,
        start_local=slot.start.astimezone(zone),
        end_local=slot.end.astimezone(zone),
        time_zone=name,
    )


def _alternative(other: Alternative, context: Context) -> OtherRetry:
    return OtherRetry(
        window=_window(other.retry, context),
        method_id=other.retry.method_id,
        processor=other.retry.processor,
        probability=_probability(other.score),
        expected_net_value=money_of(other.value.net),
        plan_value=money_of(other.plan_value),
        why_not=other.why_not,
    )


def _plan(decision: Decision, context: Context) -> PlanOut:
    plan = decision.plan
    return PlanOut(
        attempts=tuple(_planned(attempt, context) for attempt in plan.attempts),
        expected_attempts=plan.expected_attempts,
        recovery_probability=plan.recovery_probability,
        recovery_low=plan.recovery_low,
        recovery_high=plan.recovery_high,
        expected_recovered=money_of(plan.expected_recovered),
        expected_cost=money_of(plan.expected_cost),
        expected_net_value=money_of(plan.expected_net),
        break_even_cost=money_of(plan.break_even_cost),
        value=money_of(decision.plan_value),
    )


def _planned(attempt: PlannedAttempt, context: Context) -> PlannedRetry:
    return PlannedRetry(
        window=_window(attempt.retry, context),
        method_id=attempt.retry.method_id,
        processor=attempt.retry.processor,
        probability=_probability(attempt.score),
        reached=attempt.reached,
        expected_net_value=money_of(attempt.value.net),
    )


def _curve(curve: Curve) -> CurveOut:
    return CurveOut(
        method_id=curve.method_id,
        processor=curve.processor,
        start=curve.start,
        approved=curve.probability,
        low=curve.low,
        high=curve.high,
        allowed=curve.allowed,
    )


def _removed(removed: Removed) -> RemovedRetries:
    return RemovedRetries(
        method_id=removed.method_id,
        proposed=removed.proposed,
        removed=removed.removed,
        limit=limit_of(removed.verdict),
    )


def limit_of(verdict: Verdict) -> Limit:
    """What one rule says."""
    used, limit = verdict.used, verdict.limit
    return Limit(
        rule_id=verdict.rule_id,
        allowed=verdict.allowed,
        used=used,
        limit=limit,
        left=None if used is None or limit is None else max(limit - used, 0),
        frees_at=verdict.frees_at,
        fee=money_of(verdict.fee) if verdict.fee else None,
        sentence=verdict.sentence,
        source=verdict.source,
        confidence=verdict.confidence,
    )


def _probability(score: Score) -> Probability:
    return Probability(approved=score.probability, low=score.low, high=score.high)


def money_of(money: Money) -> MoneyOut:
    """An amount."""
    return MoneyOut(amount_minor=money.amount_minor, currency=money.currency)

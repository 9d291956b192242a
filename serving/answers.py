"""From a decision to the answer that goes out: the same facts in the words of the HTTP interface.

An answer is put together as plain values, in the order of `DecisionAnswer`, and written at once: to make a shape of
each of its hundred parts first would cost more than all of this. The shape itself is for whoever reads the answer.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import orjson

from features.action import Retry, Stop
from features.context import Context
from features.money import Money
from features.vocabulary import DeclineCategory
from model.caps.engine import Verdict
from model.decision import Alternative, Curve, Decision, PlannedAttempt, Removed, StopReason
from model.issuer_clock import issuer_clock
from model.scorer import Score
from model.step_down import StepDown
from serving.answer_schemas import DecisionAnswer, Limit, MoneyOut

Told = Mapping[str, "Told"] | Sequence["Told"] | str | int | float | datetime | None
"""A part of an answer."""
Facts = dict[str, Told]
Zones = Mapping[str, ZoneInfo]
"""The time zone of each method's issuer."""

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY


def answer_of(decision: Decision, context: Context) -> DecisionAnswer:
    """The answer to the request that gave this context."""
    return DecisionAnswer.model_validate(_answer(decision, context))


def answer_body(decision: Decision, context: Context) -> bytes:
    """The same as the body that goes out: what `answer_of` writes as JSON, byte for byte."""
    return orjson.dumps(_answer(decision, context), option=_OPTIONS)


def _answer(decision: Decision, context: Context) -> Facts:
    score, value, versions = decision.score, decision.value, decision.versions
    zones = {method.method_id: ZoneInfo(issuer_clock(context, method).zone) for method in context.methods}
    return {
        "decision_id": decision.decision_id,
        "payment_id": decision.payment_id,
        "as_of": decision.as_of,
        "valid_until": decision.valid_until,
        "action": _action(decision, zones),
        "probability": _probability(score) if score else None,
        "expected_net_value": _money(value.net) if value else None,
        "expected_cost": _money(value.cost) if value else None,
        "break_even_cost": _money(value.break_even_cost) if value else None,
        "plan": _plan(decision, zones),
        "alternatives": tuple([_alternative(other, zones) for other in decision.alternatives]),
        "curves": tuple([_curve(curve) for curve in decision.curves]),
        "limits": tuple([_limit(verdict) for verdict in decision.verdicts]),
        "removed": tuple([_removed(removed) for removed in decision.removed]),
        "reasons": tuple([{"topic": reason.topic, "sentence": reason.sentence} for reason in decision.reasons]),
        "payer_could": decision.payer_could,
        "notes": notes_on(context),
        "policy": decision.policy,
        "policy_source": decision.policy_source,
        "stepped_down": tuple([_step_down(step) for step in decision.stepped_down]),
        "versions": {
            "model": versions.model,
            "rulebook": versions.rulebook,
            "economics": versions.economics,
            "code": versions.code,
        },
        "experiment": _experiment(decision),
    }


def _experiment(decision: Decision) -> Facts | None:
    one = decision.assignment
    if one is None:
        return None
    return {"key": one.experiment, "variant": one.variant, "propensity": one.propensity, "tester": one.tester}


def notes_on(context: Context) -> tuple[str, ...]:
    """What the context holds that was not understood, one sentence each."""
    unknown = {
        f"decline code {decline.code} of {attempt.processor} ({decline.network}) stands in no table; taken as unknown"
        for attempt in context.attempts
        if (decline := attempt.decline) and decline.code and decline.category is DeclineCategory.UNKNOWN
    }
    return tuple(sorted(unknown))


def _step_down(step: StepDown) -> Facts:
    return {"policy_source": step.policy_source, "why": step.why, "sentence": step.sentence}


def _action(decision: Decision, zones: Zones) -> Facts:
    action, propensity = decision.choice.action, decision.choice.propensity
    if isinstance(action, Stop):
        reason = StopReason(action.reason)
        kind = "hold" if reason is StopReason.ON_HOLD else "stop"
        return {"kind": kind, "reason": reason, "propensity": propensity}
    return {
        "kind": "retry",
        "window": _window(action, zones),
        "method_id": action.method_id,
        "processor": action.processor,
        "by_day": decision.by_day,
        "propensity": propensity,
    }


def _window(retry: Retry, zones: Zones) -> Facts:
    zone, start, end = zones[retry.method_id], retry.slot.start, retry.slot.end
    return {
        "start": start,
        "end": end,
        "start_local": start.astimezone(zone),
        "end_local": end.astimezone(zone),
        "time_zone": zone.key,
    }


def _alternative(other: Alternative, zones: Zones) -> Facts:
    return {
        "window": _window(other.retry, zones),
        "method_id": other.retry.method_id,
        "processor": other.retry.processor,
        "probability": _probability(other.score),
        "expected_net_value": _money(other.value.net),
        "plan_value": _money(other.plan_value),
        "why_not": other.why_not,
    }


def _plan(decision: Decision, zones: Zones) -> Facts:
    plan = decision.plan
    return {
        "attempts": tuple([_planned(attempt, zones) for attempt in plan.attempts]),
        "expected_attempts": plan.expected_attempts,
        "recovery_probability": plan.recovery_probability,
        "recovery_low": plan.recovery_low,
        "recovery_high": plan.recovery_high,
        "expected_recovered": _money(plan.expected_recovered),
        "expected_cost": _money(plan.expected_cost),
        "expected_net_value": _money(plan.expected_net),
        "break_even_cost": _money(plan.break_even_cost),
        "value": _money(decision.plan_value),
    }


def _planned(attempt: PlannedAttempt, zones: Zones) -> Facts:
    return {
        "window": _window(attempt.retry, zones),
        "method_id": attempt.retry.method_id,
        "processor": attempt.retry.processor,
        "probability": _probability(attempt.score),
        "reached": attempt.reached,
        "expected_net_value": _money(attempt.value.net),
    }


def _curve(curve: Curve) -> Facts:
    return {
        "method_id": curve.method_id,
        "processor": curve.processor,
        "start": curve.start,
        "approved": curve.probability,
        "low": curve.low,
        "high": curve.high,
        "allowed": curve.allowed,
    }


def _removed(removed: Removed) -> Facts:
    return {
        "method_id": removed.method_id,
        "proposed": removed.proposed,
        "removed": removed.removed,
        "limit": _limit(removed.verdict),
    }


def _limit(verdict: Verdict) -> Facts:
    used, limit = verdict.used, verdict.limit
    return {
        "rule_id": verdict.rule_id,
        "allowed": verdict.allowed,
        "used": used,
        "limit": limit,
        "left": None if used is None or limit is None else max(limit - used, 0),
        "frees_at": verdict.frees_at,
        "fee": _money(verdict.fee) if verdict.fee else None,
        "sentence": verdict.sentence,
        "source": verdict.source,
        "confidence": verdict.confidence,
    }


def limit_of(verdict: Verdict) -> Limit:
    """What one rule says."""
    return Limit.model_validate(_limit(verdict))


def _probability(score: Score) -> Facts:
    return {"approved": score.probability, "low": score.low, "high": score.high}


def _money(money: Money) -> Facts:
    return {"amount_minor": money.amount_minor, "currency": money.currency}


def money_of(money: Money) -> MoneyOut:
    """An amount."""
    return MoneyOut(amount_minor=money.amount_minor, currency=money.currency)

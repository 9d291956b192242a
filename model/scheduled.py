"""The last resort: a decision by a fixed schedule, without any chance, within every limit.

It retries 1, 3, 5 and 7 days after the first failure, at the same time of day, with the method and through the
processor that failed last; with another where that one may not be used. It takes the first slot that every rule allows
from the day that comes next, and it knows nothing of what an attempt is worth.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from features.action import Action, Retry, Stop
from features.context import Context
from features.context_json import context_to_json
from features.errors import InvalidValueError
from features.money import Money
from features.vocabulary import Retryability
from model.candidates import by_day, candidates, horizon_of
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.decide import asked_again_at, halted, payer_may, time_zone_of
from model.decision import Choice, Decision, Plan, Reason, StopReason, Topic, Versions, identified
from model.economics import Economics
from model.explanation import failure_reasons, limit_reasons, stop_reason, unusable_reasons
from model.failures import failures
from model.policies import FIXED_1_3_5_7
from model.record import NOTHING, Halt, Record
from model.retries import most_attempts
from model.screening import Screened, screen
from model.wording import day_words, local_date

SCHEDULE = FIXED_1_3_5_7


def decide_by_schedule(
    context: Context, rulebook: Rulebook, economics: Economics, *, record: Record = NOTHING
) -> Decision:
    """What a fixed schedule does now about a failed payment; its plan holds no attempt, because it knows no chance.

    Raises:
        InvalidValueError: The payment has no attempt yet.
    """
    if not context.own_attempts:
        raise InvalidValueError("attempts", len(context.own_attempts), "at least one attempt of this payment")
    until = horizon_of(context)
    halt = halted(context, until, most_attempts(context, economics)) or record.halt
    due = None if halt else _due(context)
    proposed = () if due is None else tuple(retry for retry in candidates(context, until) if retry.slot.end > due)
    screened = screen(context, proposed, rulebook, record)
    action = _action(context, halt, due, screened)
    nothing = Money(0, context.payment.amount.currency)
    decision = Decision(
        decision_id="",
        payment_id=context.payment.payment_id,
        as_of=context.as_of,
        choice=Choice(action, propensity=1.0),
        time_zone=time_zone_of(context, action),
        by_day=by_day(context),
        plan=Plan((), 0.0, 0.0, 0.0, 0.0, nothing, nothing, nothing, nothing),
        plan_value=nothing,
        alternatives=(),
        curves=(),
        verdicts=_verdicts(screened, action),
        removed=screened.removed,
        reasons=_reasons(context, action, halt, screened),
        payer_could=payer_may(context, action),
        policy=SCHEDULE.name,
        policy_source="schedule",
        versions=Versions(SCHEDULE.name, rulebook.version, economics.version),
        context_digest=hashlib.sha256(context_to_json(context)).hexdigest(),
        valid_until=asked_again_at(context, action, until, screened.removed, halt),
    )
    return identified(decision)


def _due(context: Context) -> datetime | None:
    """When the schedule's next retry is due, at once if it should have been made; None where its days are over."""
    failed = failures(context)
    if not failed:
        return None
    first, latest = failed[0].at, context.own_attempts[-1].at
    left = [first + timedelta(days=day) for day in SCHEDULE.days if first + timedelta(days=day) > latest]
    return max(left[0], context.as_of) if left else None


def _action(context: Context, halt: Halt | None, due: datetime | None, screened: Screened) -> Action:
    if halt is not None:
        return Stop(halt.reason)
    if due is None:
        return Stop(StopReason.RETRIES_USED_UP)
    chosen = _first(context, screened.allowed)
    if chosen is not None:
        return chosen
    if screened.removed:
        return Stop(StopReason.NO_ALLOWED_ACTION)
    return Stop(StopReason.NO_USABLE_METHOD)


def _first(context: Context, allowed: Sequence[Retry]) -> Retry | None:
    """The earliest on the route that failed last, else with its method, else with any that may be tried again."""
    last = failures(context)[-1]
    lost = {a.method_id for a in failures(context) if a.decline and a.decline.retryability is Retryability.NEVER}
    usable = [retry for retry in allowed if retry.method_id not in lost]
    same = [retry for retry in usable if retry.method_id == last.method_id]
    route = [retry for retry in same if retry.processor == last.processor]
    return next(iter((*route, *same, *usable)), None)


def _verdicts(screened: Screened, action: Action) -> tuple[Verdict, ...]:
    if isinstance(action, Retry):
        return screened.verdicts[screened.allowed.index(action)]
    return tuple(dict.fromkeys(removed.verdict for removed in screened.removed))


def _reasons(context: Context, action: Action, halt: Halt | None, screened: Screened) -> tuple[Reason, ...]:
    return (
        *failure_reasons(context),
        *_own_reasons(context, action, halt),
        *limit_reasons(screened.removed),
        *unusable_reasons(context),
    )


def _own_reasons(context: Context, action: Action, halt: Halt | None) -> tuple[Reason, ...]:
    if isinstance(action, Retry):
        days = ", ".join(str(day) for day in SCHEDULE.days)
        zone = time_zone_of(context, action) or "UTC"
        when = day_words(local_date(action.slot.start, zone))
        sentence = f"A fixed schedule decides, {days} days after the first failure: its next retry is on {when}."
        return (Reason(Topic.PLAN, sentence),)
    if halt is not None:
        return tuple(Reason(Topic.STOP, sentence) for sentence in halt.sentences)
    if action.reason == StopReason.RETRIES_USED_UP:
        return (
            Reason(
                Topic.STOP, f"The fixed schedule that decides ended {SCHEDULE.days[-1]} days after the first failure."
            ),
        )
    return (stop_reason(context, StopReason(action.reason), None),)

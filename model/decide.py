"""From a context to an explained decision: propose, limit, score, value and plan, choose, explain.

Pure: the same context, scorer, rulebook and economics give the same decision, byte for byte.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from features.action import Action, Retry, Stop
from features.context import Context
from features.context_json import context_to_json
from features.errors import InvalidValueError
from features.vocabulary import Outcome, Rail
from model.alternatives import alternatives
from model.arms import DEFAULT, Arm, Taken
from model.candidates import by_day, horizon_of, is_expired, usable_processors
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.contingent import explained
from model.curve import curves, forbidden_points
from model.decision import Assignment, Choice, Decision, Reason, Removed, StopReason, Topic, Versions, identified
from model.economics import Economics
from model.explanation import (
    Story,
    arm_reasons,
    failure_reasons,
    limit_reasons,
    retry_reasons,
    stop_reason,
    unusable_reasons,
)
from model.issuer_clock import issuer_clock
from model.payer_advice import payer_could
from model.placed import Placed, placed
from model.planner import Case, Options, Planned, plan
from model.record import NOTHING, Halt, Record
from model.retries import most_attempts
from model.scorer import Scorer, Scores
from model.screening import Screened, screen
from model.slots import NEAR_HOURS

PENDING_CHECK = timedelta(days=1)
# What halts a payment for a while only.
_PASSING = frozenset({StopReason.ATTEMPT_PENDING, StopReason.NO_ALLOWED_ACTION, StopReason.ON_HOLD})


def decide(
    context: Context,
    scorer: Scorer,
    rulebook: Rulebook,
    economics: Economics,
    *,
    horizon: datetime | None = None,
    record: Record = NOTHING,
    arm: Arm = DEFAULT,
    assignment: Assignment | None = None,
    checkpoint: Callable[[], None] = lambda: None,
) -> Decision:
    """What to do now about a failed payment.

    Args:
        context: Everything known, cut at the instant of the decision.
        horizon: No retry after this instant; at most `recover_by` and 60 days ahead, which is also the default.
        record: What is on record beyond the context; its attempts count, and it may forbid any attempt.
        arm: The policy that chooses; the plan where none is given.
        assignment: The variant that the arm stands for.
        checkpoint: Called between scoring, planning and explaining; what it raises ends the work.

    Raises:
        InvalidValueError: The payment has no attempt yet, or a currency has no rate in the economics.
    """
    prepared = _prepared(context, scorer, rulebook, economics, horizon, record, arm)
    checkpoint()
    planned = plan(prepared.case, scorer, rulebook, economics)
    taken = arm.taken(prepared.case, planned, rulebook)
    planned = replace(planned, path=taken.path)
    checkpoint()
    return _decided(prepared, planned, scorer, rulebook, economics, _Answer(arm.name, taken, assignment))


@dataclass(frozen=True, slots=True)
class _Answer:
    """Who answers, what it does, and for which variant."""

    policy: str
    taken: Taken
    assignment: Assignment | None = None


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A context with what may be done about it and the chances of that.

    Args:
        until: Where planning ends.
        where: Where the retries lie that every rule allows.
        barred, denied: Retries that a rule forbids, one a day, and their scores; only to be drawn.
    """

    case: Case
    until: datetime
    halt: Halt | None
    screened: Screened
    where: Placed
    barred: Sequence[Retry]
    denied: Scores


def _prepared(
    context: Context,
    scorer: Scorer,
    rulebook: Rulebook,
    economics: Economics,
    horizon: datetime | None,
    record: Record,
    arm: Arm,
) -> _Prepared:
    if not context.own_attempts:
        expected = "at least one attempt of this payment"
        raise InvalidValueError("attempts", len(context.own_attempts), expected)
    until = min(horizon_of(context), horizon) if horizon else horizon_of(context)
    most = most_attempts(context, economics, arm.max_retries)
    halt = halted(context, until, most) or record.halt or arm.halt(context)
    proposed = () if halt else arm.proposed(context, until)
    screened = screen(context, proposed, rulebook, record)
    where = placed(context, screened.allowed)
    barred = forbidden_points(context, proposed, where)
    scores, denied = _scores(context, scorer, screened.allowed, barred)
    options = Options(screened.allowed, scores, screened.verdicts)
    case = Case(context, options, most, record, limits=screened.limits)
    return _Prepared(case, until, halt, screened, where, barred, denied)


def _scores(
    context: Context, scorer: Scorer, allowed: Sequence[Retry], barred: Sequence[Retry]
) -> tuple[Scores, Scores]:
    """One call for all; none where nothing is allowed."""
    if allowed:
        scores, denied = scorer.score_many([(context, allowed), (context, barred)])
        return scores, denied
    none = np.empty(0, dtype=np.float64)
    nothing = Scores(none, none, none, scorer.version, scorer.source)
    return nothing, nothing


def _decided(
    prepared: _Prepared,
    planned: Planned,
    scorer: Scorer,
    rulebook: Rulebook,
    economics: Economics,
    answer: _Answer,
) -> Decision:
    case, screened, halt = prepared.case, prepared.screened, prepared.halt
    context, scores = case.context, case.options.scores
    others = () if halt or answer.taken.sentence else alternatives(case.options, prepared.where, planned)
    chosen = () if planned.first is None else (case.options.retries[planned.first],)
    compared = (*chosen, *(other.retry for other in others[: len(chosen)]))
    told, parts = explained(case, planned, scorer, compared)
    action = _chosen(context, halt, screened, case.options, planned)
    decision = Decision(
        decision_id="",
        payment_id=context.payment.payment_id,
        as_of=context.as_of,
        choice=Choice(action, answer.taken.propensity),
        time_zone=time_zone_of(context, action),
        by_day=by_day(context),
        plan=told,
        plan_value=planned.value,
        alternatives=others,
        curves=curves(context, screened.allowed, prepared.where, scores, prepared.barred, prepared.denied),
        verdicts=_verdicts(screened, case.options, planned),
        removed=screened.removed,
        reasons=_reasons(
            Story(case, prepared.where, planned, told, others, screened.removed, parts), action, halt, answer.taken
        ),
        payer_could=payer_may(context, action),
        policy=answer.policy,
        policy_source=scores.source,
        versions=Versions(scorer.version, rulebook.version, economics.version),
        context_digest=hashlib.sha256(context_to_json(context)).hexdigest(),
        valid_until=asked_again_at(context, action, prepared.until, screened.removed, halt),
        assignment=answer.assignment,
    )
    return identified(decision)


def halted(context: Context, until: datetime, most: int) -> Halt | None:
    """Why nothing may be planned at all, or None."""
    outcomes = {attempt.outcome for attempt in context.own_attempts}
    reason = None
    if Outcome.APPROVED in outcomes:
        reason = StopReason.ALREADY_PAID
    elif Outcome.UNKNOWN in outcomes:
        reason = StopReason.ATTEMPT_PENDING
    elif until <= context.as_of:
        reason = StopReason.RECOVERY_WINDOW_OVER
    elif most == 0:
        reason = StopReason.RETRIES_USED_UP
    return None if reason is None else Halt(reason, (stop_reason(context, reason, None).sentence,))


def _chosen(context: Context, halt: Halt | None, screened: Screened, options: Options, planned: Planned) -> Action:
    if planned.first is not None:
        return options.retries[planned.first]
    return Stop(halt.reason if halt else _why_nothing(context, screened))


def _why_nothing(context: Context, screened: Screened) -> StopReason:
    if screened.allowed:
        return StopReason.NOT_WORTH_IT
    if screened.removed:
        return StopReason.NO_ALLOWED_ACTION
    usable = any(m.consented and usable_processors(context, m) and not is_expired(context, m) for m in context.methods)
    return StopReason.NO_SLOT_LEFT if usable else StopReason.NO_USABLE_METHOD


def time_zone_of(context: Context, action: Action) -> str | None:
    """The issuer's clock of a retry; None for a stop."""
    return issuer_clock(context, context.method(action.method_id)).zone if isinstance(action, Retry) else None


def _verdicts(screened: Screened, options: Options, planned: Planned) -> tuple[Verdict, ...]:
    if planned.first is not None:
        return options.verdicts[planned.first]
    return tuple(dict.fromkeys(removed.verdict for removed in screened.removed))


def _reasons(story: Story, action: Action, halt: Halt | None, taken: Taken) -> tuple[Reason, ...]:
    context = story.case.context
    if isinstance(action, Retry):
        if taken.sentence is not None:
            return (*arm_reasons(story, taken.sentence), *unusable_reasons(context))
        return (*retry_reasons(story), *unusable_reasons(context))
    said = halt.sentences if halt else (stop_reason(context, StopReason(action.reason), story.planned).sentence,)
    stopped = (Reason(Topic.STOP, sentence) for sentence in said)
    return (*failure_reasons(context), *stopped, *limit_reasons(story.removed), *unusable_reasons(context))


def payer_may(context: Context, action: Action) -> tuple[str, ...]:
    """What the payer could do, where anything is left to do."""
    settled = {StopReason.ALREADY_PAID, StopReason.CANCELLED, StopReason.ATTEMPT_PENDING, StopReason.NO_RETRY}
    return () if isinstance(action, Stop) and action.reason in settled else payer_could(context)


def asked_again_at(
    context: Context, action: Action, until: datetime, removed: tuple[Removed, ...], halt: Halt | None
) -> datetime:
    """When to ask again: a retry's slot is over or can be refined; what stopped it may have passed."""
    if isinstance(action, Retry):
        return _refined_at(context, action)
    if halt is not None and halt.reason in _PASSING:
        return context.as_of + PENDING_CHECK
    freed = [r.verdict.frees_at for r in removed if r.verdict.frees_at is not None]
    return max(context.as_of, min([*freed, until]))


def _refined_at(context: Context, retry: Retry) -> datetime:
    """The end of the slot; for a far hourly slot the instant from which it is planned by the hour."""
    near = timedelta(hours=NEAR_HOURS)
    daily = by_day(context) or context.method(retry.method_id).rail is Rail.BANK_DEBIT
    if daily or retry.slot.start - context.as_of < 2 * near:
        return retry.slot.end
    return retry.slot.start - near

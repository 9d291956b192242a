"""Why a decision came out as it did: plain sentences with figures, the story first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from features.context import Context
from model.candidates import is_expired
from model.contributions import Contribution, contribution_reasons
from model.decision import Alternative, Plan, PlannedAttempt, Reason, Removed, StopReason, Topic
from model.failures import category_of, failures
from model.issuer_clock import issuer_clock
from model.placed import Placed
from model.plan_reasons import plan_reasons
from model.planner import Case, Options, Planned
from model.scorer import ScoreSource
from model.timing import timing_reasons
from model.wording import CATEGORY_NAMES, capitalized, count_words, day_words, local_date, method_words, percent

_MOST_LIMITS = 4


@dataclass(frozen=True, slots=True)
class Story:
    """Everything a decision is explained from.

    Args:
        where: Where the options lie.
        told: The plan with the scorer's own chances.
        others: What else there was, best first.
        parts: What moved the score of the chosen retry, and of the first of the others; empty where nothing is said.
    """

    case: Case
    where: Placed
    planned: Planned
    told: Plan
    others: tuple[Alternative, ...]
    removed: tuple[Removed, ...]
    parts: tuple[Contribution, ...]


def retry_reasons(story: Story) -> tuple[Reason, ...]:
    """Why this retry: failure, limits, method, processor, time, value, plan and chance, in that order."""
    context, options, planned = story.case.context, story.case.options, story.planned
    chosen = story.told.attempts[0]
    return (
        *failure_reasons(context),
        *limit_reasons(story.removed),
        *_method_reason(story, chosen),
        *_processor_reason(story, chosen),
        *timing_reasons(context, options, planned, chosen),
        _value_reason(chosen),
        *plan_reasons(context, planned, story.told, story.others),
        _score_reason(chosen, options),
        *_contributions(story),
        *_budget_reason(options, planned),
    )


def arm_reasons(story: Story, sentence: str) -> tuple[Reason, ...]:
    """Why this retry, where another policy than the plan makes it: what it says, and what the retry is worth."""
    chosen = story.told.attempts[0]
    return (
        *failure_reasons(story.case.context),
        *limit_reasons(story.removed),
        Reason(Topic.PLAN, sentence),
        _value_reason(chosen),
        _score_reason(chosen, story.case.options),
        *_budget_reason(story.case.options, story.planned),
    )


def _contributions(story: Story) -> Iterator[Reason]:
    """What moved the score, where the scorer could say so."""
    parts = story.parts
    if parts:
        yield from contribution_reasons(parts[0], parts[1] if len(parts) > 1 else None)


def failure_reasons(context: Context) -> Iterator[Reason]:
    """What failed last, when, and how often this payment has failed."""
    failed = failures(context)
    if not failed:
        return
    last = failed[-1]
    what = CATEGORY_NAMES[category_of(last)].capitalize()
    code = f" ({last.decline.code})" if last.decline is not None and last.decline.code else ""
    method = next((m for m in context.methods if m.method_id == last.method_id), None)
    zone = issuer_clock(context, method).zone if method else "UTC"
    name = method_words(method) if method else f"method {last.method_id}, which is no longer on file,"
    times = f"; {count_words(len(failed), 'failed attempt')} of this payment so far"
    day = day_words(local_date(last.at, zone))
    yield Reason(Topic.FAILURE, f"{what}{code} on {day} with {name} through {last.processor}{times}.")
    if last.decline is not None and last.decline.advice:
        advice = last.decline.advice.rstrip(".")
        yield Reason(Topic.FAILURE, f"The answer came with advice {last.decline.advice_code or ''}: {advice}.")


def limit_reasons(removed: tuple[Removed, ...]) -> Iterator[Reason]:
    """What each limit took away; one sentence a rule and method, those that took most first."""
    ranked = sorted(removed, key=lambda r: -r.removed / r.proposed)
    sentences = dict.fromkeys(r.verdict.sentence for r in ranked)
    for sentence in list(sentences)[:_MOST_LIMITS]:
        yield Reason(Topic.LIMIT, sentence)


def unusable_reasons(context: Context) -> Iterator[Reason]:
    """Why methods on file could not even be proposed."""
    for method in context.methods:
        name = capitalized(method_words(method))
        if not method.consented:
            yield Reason(Topic.METHOD, f"{name} may not be charged: the customer has not agreed to it.")
        elif method.expires_on is not None and is_expired(context, method):
            yield Reason(Topic.METHOD, f"{name} expired on {day_words(method.expires_on)}.")


def stop_reason(context: Context, reason: StopReason, planned: Planned | None) -> Reason:
    """Why no attempt is made, in one sentence."""
    payment = context.payment
    if reason is StopReason.NOT_WORTH_IT and planned is not None and planned.worth.size:
        best = int(planned.worth.argmax())
        value = planned.values[best]
        sentence = f"No allowed retry pays: the best is worth {value.net} on average, after a cost of {value.cost}"
        doubt = ", and less once it is weighed how uncertain that is" if value.net.amount_minor > 0 else ""
        sentence = f"{sentence}{doubt}."
        return Reason(Topic.STOP, sentence)
    return Reason(Topic.STOP, _STOP_SENTENCES[reason].format(until=day_words(payment.recover_by)))


_STOP_SENTENCES = {
    StopReason.ALREADY_PAID: "This payment has been approved already: nothing is left to collect.",
    StopReason.CANCELLED: "This payment was cancelled: nothing is owed any more.",
    StopReason.OPTED_OUT: "No retries are wanted for this payment.",
    StopReason.ON_HOLD: "Retries are stopped at the moment; this payment is on hold.",
    StopReason.ATTEMPT_PENDING: "An attempt of this payment has no final outcome yet; another could charge twice.",
    StopReason.RECOVERY_WINDOW_OVER: "Retries of this payment ended on {until}.",
    StopReason.NO_USABLE_METHOD: "No method on file can be charged for this payment.",
    StopReason.NO_SLOT_LEFT: "No slot is left before retries of this payment end on {until}.",
    StopReason.NO_ALLOWED_ACTION: "Every retry that could be made before {until} is forbidden by a limit.",
    StopReason.NOT_WORTH_IT: "No allowed retry is worth its cost.",
    StopReason.SCHEDULE_OVER: "The policy that answers for this payment makes no further retry.",
    StopReason.NO_RETRY: "No retry is made: the policy that answers for this payment makes none.",
    StopReason.RETRIES_USED_UP: "This payment has had as many retries as the merchant's settings allow.",
}


def _method_reason(story: Story, chosen: PlannedAttempt) -> Iterator[Reason]:
    """Why another method than the one that failed."""
    context, planned = story.case.context, story.planned
    failed = failures(context)
    if not failed or chosen.retry.method_id == failed[-1].method_id:
        return
    now = method_words(context.method(chosen.retry.method_id))
    before = next((m for m in context.methods if m.method_id == failed[-1].method_id), None)
    if before is None:
        return
    rival = _best(story, [method_id == before.method_id for method_id, _ in story.where.routes])
    if rival is None:
        sentence = f"No retry with {method_words(before)} can be made, so {now} is next."
    else:
        best = planned.values[rival]
        sentence = (
            f"{capitalized(now)} is worth {chosen.value.net}; {method_words(before)} at its best time {best.net}."
        )
    yield Reason(Topic.METHOD, sentence)


def _processor_reason(story: Story, chosen: PlannedAttempt) -> Iterator[Reason]:
    """Why this processor, where another carries the same method."""
    retry, options = chosen.retry, story.case.options
    i = _best(story, [m == retry.method_id and p != retry.processor for m, p in story.where.routes])
    if i is None:
        return
    other, value = options.retries[i], story.planned.values[i]
    when = "" if other.slot == retry.slot else " at its best time"
    yield Reason(
        Topic.PROCESSOR,
        f"Through {retry.processor} it is worth {chosen.value.net} "
        f"({percent(chosen.score.probability)} likely, costing {chosen.value.cost}); "
        f"through {other.processor}{when} {value.net} "
        f"({percent(float(options.scores.probability[i]))}, {value.cost}).",
    )


def _best(story: Story, routes: Sequence[bool]) -> int | None:
    """The option of most worth on one of the routes, the first of equal ones; None where there is no option."""
    if not any(routes):
        return None
    theirs = np.flatnonzero(np.array(routes)[story.where.route])
    return int(theirs[np.argmax(story.planned.worth[theirs])])


def _value_reason(chosen: PlannedAttempt) -> Reason:
    value = chosen.value
    return Reason(
        Topic.VALUE,
        f"On average the attempt is worth {value.net}: {percent(chosen.score.probability)} of {value.gain} "
        f"(what an approval is worth then), less {value.cost} of fees and harm. "
        f"It would stop paying at a cost of {value.break_even_cost} an attempt.",
    )


def _score_reason(chosen: PlannedAttempt, options: Options) -> Reason:
    score = chosen.score
    span = f"between {percent(score.low)} and {percent(score.high)}"
    source: ScoreSource = options.scores.source
    if source == "prior":
        sentence = f"No trained model answered: the chance is the shipped prior's, most likely {span} (90 % interval)."
    else:
        sentence = f"The model puts the chance at {percent(score.probability)}, most likely {span} (90 % interval)."
    return Reason(Topic.SCORE, sentence)


def _budget_reason(options: Options, planned: Planned) -> Iterator[Reason]:
    """The limit that is nearest to being used up."""
    verdicts = options.verdicts[planned.first] if planned.first is not None else ()
    counted = [(v.limit - v.used, v.sentence) for v in verdicts if v.limit is not None and v.used is not None]
    if counted:
        yield Reason(Topic.LIMIT, min(counted)[1])

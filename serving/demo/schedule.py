"""What a fixed schedule would do with a failed payment if every one of its retries were declined, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from features.action import Retry
from features.attempt import Attempt
from features.calendars import days_from_payday, days_to_payday, to_day
from features.context import Context
from features.vocabulary import DeclineCategory, Outcome
from model.caps.verdict import Verdict
from model.failures import category_of, failures
from model.issuer_clock import issuer_clock
from model.policies import FixedSchedule
from model.scorer import Score
from model.screening import verdicts_on
from model.timing import closed_day
from model.wording import count_words, local_date
from serving.service import Service

_JUST_AFTER_DAYS = 3
_TOO_LATE = "Too late: the time to recover this payment is over by then."


@dataclass(frozen=True, slots=True)
class Step:
    """One retry of the schedule.

    Args:
        time_zone: The issuer's.
        forbidden: The answer of the first rule that forbids it, or None.
        score: Its chance by the scorer that answers; None where it is forbidden or comes too late.
        remarks: What else speaks about its time.
    """

    retry: Retry
    time_zone: str
    forbidden: Verdict | None
    score: Score | None
    remarks: tuple[str, ...]


def steps(schedule: FixedSchedule, context: Context, service: Service) -> Iterator[Step]:
    """The schedule's retries in order, each judged as if those before it had been made and declined."""
    first = failures(context)[0]
    for number, _ in enumerate(schedule.days):
        action = schedule.next_action(context)
        if not isinstance(action, Retry):
            return
        yield _step(action, context, service)
        made = _declined(action, first, number)
        context = replace(context, attempts=(*context.attempts, made), as_of=made.known_at)


def _step(retry: Retry, context: Context, service: Service) -> Step:
    against = [verdict for verdict in verdicts_on(context, retry, service.rulebook) if not verdict.allowed]
    late = retry.slot.start >= context.payment.recover_by
    score = None if against or late else service.answering.scorer.score(context, [retry])[0]
    clock = issuer_clock(context, context.method(retry.method_id))
    remarks = (_TOO_LATE,) if late else tuple(_remarks(retry, context))
    return Step(retry, clock.zone, against[0] if against else None, score, remarks)


def _remarks(retry: Retry, context: Context) -> Iterator[str]:
    clock = issuer_clock(context, context.method(retry.method_id))
    day = local_date(retry.slot.start, clock.zone)
    yield from (reason.sentence for reason in closed_day(clock, day))
    if clock.country is None or category_of(failures(context)[0]) is not DeclineCategory.INSUFFICIENT_FUNDS:
        return
    number = np.array([to_day(day)])
    ahead, since = int(days_to_payday(clock.country, number)[0]), int(days_from_payday(clock.country, number)[0])
    if since == 0:
        yield "On a usual payday."
    elif since <= _JUST_AFTER_DAYS:
        yield f"{count_words(since, 'day')} after a usual payday."
    else:
        yield f"{count_words(ahead, 'day')} before the next usual payday."


def _declined(retry: Retry, first: Attempt, number: int) -> Attempt:
    """The retry as if it had failed like the first attempt did, known after as long as that took, without advice."""
    at, decline = retry.slot.start, first.decline
    return replace(
        first,
        attempt_id=f"scheduled-{number}",
        method_id=retry.method_id,
        processor=retry.processor,
        at=at,
        outcome=Outcome.DECLINED,
        decline=replace(decline, advice_code=None, advice=None, min_wait_hours=None) if decline else None,
        outcome_at=at + (first.known_at - first.at),
    )

"""Contexts that have not happened: the same payment after further declines."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.decline import Decline
from features.vocabulary import Outcome, Precision, Retryability
from model.candidates import by_day
from model.failures import failures

IMAGINED = "imagined"

_SHARED = (Retryability.LATER, Retryability.SOON)


def after_declines(context: Context, declined: Sequence[Retry]) -> Context:
    """The context as it would be once these retries, in order of time, had all been declined.

    Each is declined at the start of its slot with the code that its method was declined with last, and answered as
    late as that was. A method that was never declined gets the category of the payment's last failure, unless that
    says something of another method only (a stolen card): then nothing is known of why.
    """
    attempts = [_attempt(context, retry, number) for number, retry in enumerate(declined)]
    as_of = max([context.as_of, *(attempt.known_at for attempt in attempts)])
    return replace(context, attempts=(*context.attempts, *attempts), as_of=as_of)


def answer_time(context: Context, method_id: str) -> timedelta:
    """How long the method's last failure of this payment took to become known; nothing where it has none."""
    failed = failures(context, method_id)
    return failed[-1].known_at - failed[-1].at if failed else timedelta(0)


def _attempt(context: Context, retry: Retry, number: int) -> Attempt:
    failed = failures(context, retry.method_id)
    outcome, decline = (failed[-1].outcome, failed[-1].decline) if failed else (Outcome.DECLINED, _like(context, retry))
    at = retry.slot.start
    return Attempt(
        attempt_id=f"{IMAGINED} {number}",
        payment_id=context.payment.payment_id,
        method_id=retry.method_id,
        processor=retry.processor,
        amount=context.payment.amount,
        at=at,
        outcome=outcome,
        decline=decline,
        outcome_at=at + answer_time(context, retry.method_id),
        precision=Precision.DAY if by_day(context) else Precision.INSTANT,
        source=IMAGINED,
    )


def _like(context: Context, retry: Retry) -> Decline:
    """A decline on the method's network for the reason the payment failed last, if it can hold for another method."""
    network = context.method(retry.method_id).network
    failed = failures(context)
    last = failed[-1].decline if failed else None
    if last is None or last.retryability not in _SHARED:
        return Decline(network, None)
    return Decline(network, None, category=last.category, retryability=last.retryability)

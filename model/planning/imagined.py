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


class Imagining:
    """Imagines declines of one payment. What they have in common is worked out once, and no attempt made twice."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_day = by_day(context)
        self._ends: dict[str, tuple[Outcome, Decline | None, timedelta]] = {}
        self._attempts: dict[tuple[int, Retry], Attempt] = {}

    def after(self, declined: Sequence[Retry]) -> Context:
        """The context as it would be once these retries, in order of time, had all been declined."""
        context = self._context
        attempts = [self.attempt(number, retry) for number, retry in enumerate(declined)]
        as_of = max([context.as_of, *(attempt.known_at for attempt in attempts)])
        return replace(context, attempts=(*context.attempts, *attempts), as_of=as_of)

    def attempt(self, number: int, retry: Retry) -> Attempt:
        """The decline of a retry that stands at that place of a path."""
        known = self._attempts.get((number, retry))
        if known is None:
            known = self._attempts[number, retry] = self._imagined(number, retry)
        return known

    def _imagined(self, number: int, retry: Retry) -> Attempt:
        outcome, decline, wait = self._end(retry)
        at = retry.slot.start
        return Attempt(
            attempt_id=f"{IMAGINED} {number}",
            payment_id=self._context.payment.payment_id,
            method_id=retry.method_id,
            processor=retry.processor,
            amount=self._context.payment.amount,
            at=at,
            outcome=outcome,
            decline=decline,
            outcome_at=at + wait,
            precision=Precision.DAY if self._by_day else Precision.INSTANT,
            source=IMAGINED,
        )

    def _end(self, retry: Retry) -> tuple[Outcome, Decline | None, timedelta]:
        """(outcome, decline, time until it is known) of a decline with the retry's method."""
        if retry.method_id not in self._ends:
            failed = failures(self._context, retry.method_id)
            ended = (
                (failed[-1].outcome, failed[-1].decline)
                if failed
                else (Outcome.DECLINED, _like(self._context, retry.method_id))
            )
            self._ends[retry.method_id] = (*ended, answer_time(self._context, retry.method_id))
        return self._ends[retry.method_id]


def after_declines(context: Context, declined: Sequence[Retry]) -> Context:
    """The context as it would be once these retries, in order of time, had all been declined.

    Each is declined at the start of its slot with the code that its method was declined with last, and answered as
    late as that was. A method that was never declined gets the category of the payment's last failure, unless that
    says something of another method only (a stolen card): then nothing is known of why.
    """
    return Imagining(context).after(declined)


def answer_time(context: Context, method_id: str) -> timedelta:
    """How long the method's last failure of this payment took to become known; nothing where it has none."""
    failed = failures(context, method_id)
    return failed[-1].known_at - failed[-1].at if failed else timedelta(0)


def _like(context: Context, method_id: str) -> Decline:
    """A decline on the method's network for the reason the payment failed last, if it can hold for another method."""
    network = context.method(method_id).network
    failed = failures(context)
    last = failed[-1].decline if failed else None
    if last is None or last.retryability not in _SHARED:
        return Decline(network, None)
    return Decline(network, None, category=last.category, retryability=last.retryability)

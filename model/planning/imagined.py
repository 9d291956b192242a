"""Contexts that have not happened: the same payment after further declines."""

from collections.abc import Sequence
from datetime import timedelta

from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from features.decline import Decline
from features.proposed import Proposed, Route
from features.supposed import SUPPOSED, Supposing, context_after, declined_like
from features.vocabulary import Outcome, Precision, Retryability
from model.candidates import by_day
from model.failures import failures

_SHARED = (Retryability.LATER, Retryability.SOON)


class Imagining:
    """Imagines declines of one payment. What they have in common is worked out once, and no attempt made twice."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._by_day = by_day(context)
        self._ends: dict[str, tuple[Outcome, Decline | None, timedelta]] = {}
        self._likes: dict[Route, Attempt] = {}
        self._attempts: dict[tuple[int, str, str, int], Attempt] = {}

    def after(self, declined: Sequence[Retry]) -> Context:
        """The context as it would be once these retries, in order of time, had all been declined.

        Each is declined at the start of its slot with the code that its method was declined with last, and answered as
        late as that was. A method that was never declined gets the category of the payment's last failure, unless that
        says something of another method only (a stolen card): then nothing is known of why.
        """
        return context_after(self._context, [self.attempt(number, retry) for number, retry in enumerate(declined)])

    def supposing(self, moves: Proposed) -> Supposing:
        """The payment with declines of any of these retries, in order of time."""
        return Supposing(self._context, moves, tuple(map(self.like, moves.routes)))

    def attempt(self, number: int, retry: Retry) -> Attempt:
        """The decline of a retry that stands at that place of a path."""
        asked = (number, retry.method_id, retry.processor, retry.slot.start_micros)
        known = self._attempts.get(asked)
        if known is None:
            like = self.like((retry.method_id, retry.processor))
            known = self._attempts[asked] = declined_like(like, number, retry.slot.start)
        return known

    def like(self, route: Route) -> Attempt:
        """A decline by a route as if made now; like it are all others but for their time and name."""
        like = self._likes.get(route)
        if like is None:
            (method_id, processor), at = route, self._context.as_of
            outcome, decline, wait = self._end(method_id)
            like = self._likes[route] = Attempt(
                attempt_id=SUPPOSED,
                payment_id=self._context.payment.payment_id,
                method_id=method_id,
                processor=processor,
                amount=self._context.payment.amount,
                at=at,
                outcome=outcome,
                decline=decline,
                outcome_at=at + wait,
                precision=Precision.DAY if self._by_day else Precision.INSTANT,
                source=SUPPOSED,
            )
        return like

    def _end(self, method_id: str) -> tuple[Outcome, Decline | None, timedelta]:
        """(outcome, decline, time until it is known) of a decline with the method."""
        end = self._ends.get(method_id)
        if end is None:
            failed = failures(self._context, method_id)
            ended = (
                (failed[-1].outcome, failed[-1].decline)
                if failed
                else (Outcome.DECLINED, _like(self._context, method_id))
            )
            wait = failed[-1].known_at - failed[-1].at if failed else timedelta(0)
            end = self._ends[method_id] = (*ended, wait)
        return end

    def answer_time(self, method_id: str) -> timedelta:
        """How long the method's last failure of this payment took to become known; nothing where it has none."""
        return self._end(method_id)[2]


def _like(context: Context, method_id: str) -> Decline:
    """A decline on the method's network for the reason the payment failed last, if it can hold for another method."""
    network = context.method(method_id).network
    failed = failures(context)
    last = failed[-1].decline if failed else None
    if last is None or last.retryability not in _SHARED:
        return Decline(network, None)
    return Decline(network, None, category=last.category, retryability=last.retryability)

"""Plays failed payments through a running service by a sandbox's clock, all of them together in the order of time.

What a billing system does live: it asks for a decision when a failure becomes known, looks once more just before
charging, charges, tells what came of it, and asks again. Only the charge is the world's: it says whether the retry is
approved and when that is known, and it says when the customer pays by hand or leaves.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from heapq import heappop, heappush

from experiments.world import Living, World
from features.action import Retry, Slot
from features.attempt import Attempt
from features.context import Context
from features.errors import InputError
from features.vocabulary import Outcome
from model.policies import SLOT_LENGTH
from serving.client import shapes
from serving.client.client import Recoup
from serving.client.errors import RecoupClientError
from serving.rehearsal.telling import request_of, settling

Progress = Callable[[int, int], None]
"""Called with (payments that have failed, payments)."""


class Turn(IntEnum):
    """What is next of a payment; of what is due at once, the lower comes first."""

    ANSWERED = 0  # the outcome of an attempt becomes known
    PAID = 1
    LEFT = 2
    DUE = 3  # the advised window begins
    FAILED = 4


@dataclass
class Recovery:
    """A payment on its way.

    Args:
        context: As known so far.
        held: The reservation of the retry to come.
        pending: The attempt whose outcome is not known yet.
        over: Whether it is paid or its customer is gone.
    """

    context: Context
    held: str | None = None
    route: tuple[str, str] = ("", "")
    pending: Attempt | None = None
    over: bool = False


@dataclass
class Counts:
    """What a play took.

    Args:
        checked_off: Retries that the look before charging forbade.
        stepped_down: Decisions that something simpler than the model answered.
    """

    decisions: int = 0
    retries: int = 0
    approved: int = 0
    paid_by_hand: int = 0
    left: int = 0
    checked_off: int = 0
    stepped_down: int = 0


@dataclass
class Play:
    """Failed payments, the world that answers and the service that decides.

    Args:
        recoup: With the key of a sandbox, whose clock is the play's; whatever is in the sandbox is removed.
    """

    recoup: Recoup
    world: World
    recoveries: Sequence[Recovery]
    counts: Counts = field(default_factory=Counts)
    _turns: list[tuple[datetime, Turn, int]] = field(default_factory=list)
    _now: datetime | None = None

    def run(self, ends_at: datetime, progress: Progress = lambda done, of: None) -> Counts:  # noqa: ARG005 - nobody looks
        """Play until an instant, which the sandbox's clock shows then.

        Raises:
            InputError: The service refused something, or could not be reached.
        """
        self._begin()
        failed = 0
        try:
            while self._turns and self._turns[0][0] <= ends_at:
                at, turn, number = heappop(self._turns)
                if not self.recoveries[number].over or turn is Turn.ANSWERED:
                    self._clock(at)
                    self._take(turn, number, at)
                failed += turn is Turn.FAILED
                progress(failed, len(self.recoveries))
            self._clock(ends_at)
        except RecoupClientError as error:
            raise InputError(f"the service stopped the rehearsal: {error}") from error
        return self.counts

    def _begin(self) -> None:
        for number, recovery in enumerate(self.recoveries):
            context = recovery.context
            heappush(self._turns, (context.as_of, Turn.FAILED, number))
            if isinstance(self.world, Living):
                payment_id = context.payment.payment_id
                settled, left = self.world.settled_at(payment_id), self.world.left_at(payment_id)
                if settled is not None and (left is None or settled <= left):
                    heappush(self._turns, (settled, Turn.PAID, number))
                elif left is not None:
                    heappush(self._turns, (left, Turn.LEFT, number))

    def _clock(self, at: datetime) -> None:
        """The clock of the sandbox moved on; at the beginning it is set, and the sandbox is emptied."""
        if self._now is None or at > self._now:
            self.recoup.set_sandbox_clock(shapes.SandboxClock(now=at, reset=self._now is None))
            self._now = at

    def _take(self, turn: Turn, number: int, at: datetime) -> None:
        recovery = self.recoveries[number]
        match turn:
            case Turn.FAILED:
                self._ask(recovery, number)
            case Turn.DUE:
                self._charge(recovery, number, at)
            case Turn.ANSWERED:
                self._answered(recovery, number, at)
            case Turn.PAID:
                self._ended(recovery, shapes.PaymentEventKind.PAYMENT_PAID, at)
            case Turn.LEFT:
                self._ended(recovery, shapes.PaymentEventKind.PAYMENT_CANCELLED, at)

    def _ask(self, recovery: Recovery, number: int) -> None:
        answer = self.recoup.decide(request_of(recovery.context))
        self.counts.decisions += 1
        self.counts.stepped_down += bool(answer.stepped_down)
        if isinstance(answer, shapes.ReservedDecisionAnswer) and answer.reservation is not None:
            held = answer.reservation
            recovery.held, recovery.route = held.reservation_id, (held.method_id, held.processor)
            heappush(self._turns, (max(held.fire_from, recovery.context.as_of), Turn.DUE, number))

    def _charge(self, recovery: Recovery, number: int, at: datetime) -> None:
        payment, held = recovery.context.payment, recovery.held
        if held is None:
            return
        checked = self.recoup.check(held, shapes.CheckRequest(merchant_id=payment.merchant_id))
        if not checked.go:
            self.counts.checked_off += 1
            return
        retry = Retry(Slot(at, at + SLOT_LENGTH), *recovery.route)
        recovery.pending = self.world.submit(payment.payment_id, retry)
        self.counts.retries += 1
        if recovery.pending.known_at <= at:
            self._answered(recovery, number, at)
            return
        self.recoup.settle(held, settling(payment.merchant_id, recovery.pending, known=False))
        heappush(self._turns, (recovery.pending.known_at, Turn.ANSWERED, number))

    def _answered(self, recovery: Recovery, number: int, at: datetime) -> None:
        made, held = recovery.pending, recovery.held
        if made is None or held is None:
            return
        context = recovery.context
        self.recoup.settle(held, settling(context.payment.merchant_id, made, known=True))
        recovery.context = replace(context, attempts=(*context.attempts, made), as_of=at)
        recovery.pending = recovery.held = None
        if made.outcome is Outcome.APPROVED:
            self.counts.approved += 1
            recovery.over = True
        elif made.outcome is not Outcome.UNKNOWN and not recovery.over:
            self._ask(recovery, number)

    def _ended(self, recovery: Recovery, kind: shapes.PaymentEventKind, at: datetime) -> None:
        """Paid by hand, or the customer is gone; neither where a debit under way is going to be approved."""
        if recovery.pending is not None and recovery.pending.outcome is Outcome.APPROVED:
            return
        payment = recovery.context.payment
        told = shapes.PaymentEvent(
            merchant_id=payment.merchant_id, event_id=f"{payment.payment_id} {kind}", kind=kind, happened_at=at
        )
        self.recoup.tell_of_payment(payment.payment_id, told)
        self.counts.paid_by_hand += kind is shapes.PaymentEventKind.PAYMENT_PAID
        self.counts.left += kind is shapes.PaymentEventKind.PAYMENT_CANCELLED
        recovery.over = True

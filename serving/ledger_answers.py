"""The shapes that the ledger's addresses answer with, and how they are filled."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import AwareDatetime, Field

from features.vocabulary import Initiator
from serving.answer_schemas import DecisionAnswer, Limit, MoneyOut
from serving.answers import limit_of, money_of
from serving.ledger.budgets import MethodBudget
from serving.ledger.reservations import ReasonCode, Reservation, Settled, State
from serving.ledger_checks import FireCheck, fire_by
from serving.schemas import Shape

Told = Literal["new", "repeated"]


class ReservationOut(Shape):
    """A place held in every counter that the attempt would use."""

    reservation_id: str
    state: State
    payment_id: str
    method_id: str
    processor: str
    amount: MoneyOut
    fire_from: AwareDatetime = Field(description="make the attempt from then (UTC)")
    fire_by: AwareDatetime = Field(description="and before then (UTC)")
    expires_at: AwareDatetime = Field(description="the hold ends by itself: settle or release it before (UTC)")
    held_at: AwareDatetime
    closed_at: AwareDatetime | None = Field(description="when it was spent, released or expired")
    reason: str | None = Field(description="why it was released, in the caller's words")
    attempt_id: str | None = Field(description="the attempt that spent it")
    rulebook: str = Field(description="version of the rules that allowed it")


class ReservedDecisionAnswer(DecisionAnswer):
    """A decision that was asked for with reserve."""

    reservation: ReservationOut | None = Field(description="what is held for the retry; null for a stop")


class NoGoReason(Shape):
    """One reason not to make the attempt now."""

    code: ReasonCode
    sentence: str
    rule_id: str | None = Field(description="the rule, where one forbids")


class CheckAnswer(Shape):
    """Whether the attempt may be made now."""

    go: bool = Field(description="true: make it now; false: do not, for these reasons")
    checked_at: AwareDatetime
    reasons: tuple[NoGoReason, ...] = Field(description="what speaks against it; empty when go is true")
    reservation: ReservationOut
    limits: tuple[Limit, ...] = Field(description="every rule that applies and where the attempt stands under it")


class SettledAnswer(Shape):
    """What an attempt did to its reservation."""

    reservation: ReservationOut
    late: bool = Field(description="the hold had ended before; the attempt counts all the same")
    sentence: str


class ReportResult(Shape):
    """What became of one report."""

    event_id: str
    attempt_id: str
    recorded: Told = Field(description="repeated: it had been told before and changed nothing")
    settled: SettledAnswer | None = Field(description="the reservation that it settled, where one was named")


class ReportsAnswer(Shape):
    """What became of the reports, in their order."""

    new: int
    repeated: int
    results: tuple[ReportResult, ...]


class PaymentEventAnswer(Shape):
    """What became of an event."""

    event_id: str
    recorded: Told = Field(description="repeated: it had been told before and changed nothing")


class MethodBudgetOut(Shape):
    """What is left for one payment, amount, processor and initiator."""

    payment_id: str
    amount: MoneyOut
    processor: str
    initiator: Initiator
    limits: tuple[Limit, ...] = Field(description="every rule that applies: what is used and left, and when it frees")


class BudgetsAnswer(Shape):
    """What is left of every limit for what a method was lately tried with, newest first."""

    merchant_id: str
    method_id: str
    at: AwareDatetime
    budgets: tuple[MethodBudgetOut, ...]


def told(*, new: bool) -> Told:
    """The word for whether something is new."""
    return "new" if new else "repeated"


def reservation_out(reservation: Reservation) -> ReservationOut:
    """A reservation."""
    proposal = reservation.proposal
    return ReservationOut(
        reservation_id=reservation.reservation_id,
        state=reservation.state,
        payment_id=proposal.payment.payment_id,
        method_id=proposal.method.method_id,
        processor=proposal.processor,
        amount=money_of(proposal.payment.amount),
        fire_from=reservation.at,
        fire_by=fire_by(reservation),
        expires_at=reservation.expires_at,
        held_at=reservation.held_at,
        closed_at=reservation.closed_at,
        reason=reservation.reason,
        attempt_id=reservation.attempt_id,
        rulebook=reservation.rulebook,
    )


def with_reservation(answer: bytes, reservation: Reservation | None) -> bytes:
    """The body of a `ReservedDecisionAnswer`: that of a `DecisionAnswer` with what is held for it at its end."""
    held = reservation_out(reservation).model_dump_json() if reservation else "null"
    return b'%b,"reservation":%b}' % (answer.removesuffix(b"}"), held.encode())


def check_answer(check: FireCheck) -> CheckAnswer:
    """A go or no-go."""
    return CheckAnswer(
        go=not check.reasons,
        checked_at=check.at,
        reasons=tuple(NoGoReason(code=r.code, sentence=r.sentence, rule_id=r.rule_id) for r in check.reasons),
        reservation=reservation_out(check.reservation),
        limits=tuple(limit_of(verdict) for verdict in check.verdicts),
    )


def settled_answer(settled: Settled) -> SettledAnswer:
    """A settled reservation."""
    reservation = reservation_out(settled.reservation)
    return SettledAnswer(reservation=reservation, late=settled.late, sentence=settled.sentence)


def budgets_answer(merchant_id: str, method_id: str, at: datetime, found: Sequence[MethodBudget]) -> BudgetsAnswer:
    """What is left of every limit."""
    return BudgetsAnswer(
        merchant_id=merchant_id, method_id=method_id, at=at, budgets=tuple(_budget(one) for one in found)
    )


def _budget(found: MethodBudget) -> MethodBudgetOut:
    return MethodBudgetOut(
        payment_id=found.payment_id,
        amount=money_of(found.amount),
        processor=found.processor,
        initiator=found.initiator,
        limits=tuple(limit_of(budget.verdict) for budget in found.budgets),
    )

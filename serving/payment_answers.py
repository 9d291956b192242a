"""The shapes of lists and timelines, and how they are filled."""

from collections.abc import Sequence

from pydantic import AwareDatetime, Field

from features.instants import from_micros
from features.vocabulary import Outcome
from serving.answer_schemas import MoneyOut
from serving.ledger.facts import Facts
from serving.ledger.reservations import Reservation
from serving.ledger.timeline import Entry, PaymentSeen
from serving.ledger_answers import ReservationOut, reservation_out
from serving.paging import Page
from serving.schemas import Shape


class PageShape(Shape):
    """One page of a list."""

    has_more: bool = Field(description="whether the list goes on")
    next_cursor: str | None = Field(description="send it as cursor for the next page; null at the end")


class TimelineEntry(Shape):
    """One thing that happened to a payment; what a kind of entry does not have is null."""

    entry: str = Field(
        description="attempt, decision, reservation, standing (a word on the payment) or advice (retries wanted)"
    )
    id: str = Field(description="the id of the attempt, the decision, the reservation or the event")
    at: AwareDatetime = Field(description="when it was made, decided, held or said (UTC)")
    ends_at: AwareDatetime | None = Field(
        description="of an attempt, when its outcome became known; of a reservation, when it was closed (UTC)"
    )
    word: str = Field(
        description="the outcome of an attempt, what was decided, the state of a reservation, or what was said"
    )
    method_id: str | None
    processor: str | None
    initiator: str | None
    amount: MoneyOut | None
    code: str | None = Field(description="raw decline code")
    subcode: str | None
    advice_code: str | None
    category: str | None = Field(description="how the decline was read")
    other_id: str | None = Field(
        description="of an attempt or a decision, its reservation; of a reservation, the attempt that spent it"
    )
    reason: str | None = Field(description="why, in the words of whoever said it")


class PaymentTimeline(PageShape):
    """What happened to a payment, earliest first."""

    merchant_id: str
    payment_id: str
    entries: tuple[TimelineEntry, ...]


class PaymentOut(Shape):
    """One payment that attempts were told of."""

    payment_id: str
    attempts: int
    last_attempt_at: AwareDatetime
    approved: bool = Field(description="whether an attempt on it was approved")
    standing: str | None = Field(description="the latest word on it, such as payment_paid")
    opted_out: bool = Field(description="whether no retries are wanted for it")


class PaymentsPage(PageShape):
    """Payments in the order of their ids."""

    payments: tuple[PaymentOut, ...]


class ReservationsPage(PageShape):
    """What is held, in the order of payments."""

    reservations: tuple[ReservationOut, ...]


class AttemptOut(Shape):
    """One attempt as all that was told of it says together."""

    attempt_id: str
    payment_id: str
    method_id: str
    processor: str
    initiator: str
    amount: MoneyOut
    attempted_at: AwareDatetime
    outcome: Outcome
    outcome_at: AwareDatetime
    code: str | None
    subcode: str | None
    advice_code: str | None
    category: str | None = Field(description="how the decline was read")
    reservation_id: str | None


class AttemptsPage(PageShape):
    """The attempts on a method, newest first."""

    method_id: str
    attempts: tuple[AttemptOut, ...]


def timeline_out(merchant_id: str, payment_id: str, page: Page[Entry]) -> PaymentTimeline:
    """A page of a payment's timeline."""
    return PaymentTimeline(
        merchant_id=merchant_id,
        payment_id=payment_id,
        entries=tuple(_entry(one) for one in page.items),
        has_more=page.has_more,
        next_cursor=page.next_cursor,
    )


def payments_out(page: Page[PaymentSeen]) -> PaymentsPage:
    """A page of payments."""
    found = tuple(
        PaymentOut(
            payment_id=one.payment_id,
            attempts=one.attempts,
            last_attempt_at=one.last_attempt_at,
            approved=one.approved,
            standing=one.standing,
            opted_out=one.opted_out,
        )
        for one in page.items
    )
    return PaymentsPage(payments=found, has_more=page.has_more, next_cursor=page.next_cursor)


def reservations_out(page: Page[Reservation]) -> ReservationsPage:
    """A page of what is held."""
    held: Sequence[ReservationOut] = [reservation_out(one) for one in page.items]
    return ReservationsPage(reservations=tuple(held), has_more=page.has_more, next_cursor=page.next_cursor)


def attempts_out(method_id: str, page: Page[Facts]) -> AttemptsPage:
    """A page of attempts."""
    made = tuple(_attempt(one) for one in page.items)
    return AttemptsPage(method_id=method_id, attempts=made, has_more=page.has_more, next_cursor=page.next_cursor)


def _entry(one: Entry) -> TimelineEntry:
    amount = None
    if one.amount_minor is not None and one.currency is not None:
        amount = MoneyOut(amount_minor=one.amount_minor, currency=one.currency)
    return TimelineEntry(
        entry=one.entry,
        id=one.name,
        at=one.at,
        ends_at=one.ends_at,
        word=one.word,
        method_id=one.method_id,
        processor=one.processor,
        initiator=one.initiator,
        amount=amount,
        code=one.code,
        subcode=one.subcode,
        advice_code=one.advice_code,
        category=one.category,
        other_id=one.other_id,
        reason=one.reason or None,
    )


def _attempt(one: Facts) -> AttemptOut:
    return AttemptOut(
        attempt_id=one.attempt_id,
        payment_id=one.payment_id,
        method_id=one.method_id,
        processor=one.processor,
        initiator=one.initiator,
        amount=MoneyOut(amount_minor=one.amount_minor, currency=one.currency),
        attempted_at=from_micros(one.at),
        outcome=Outcome(one.outcome),
        outcome_at=from_micros(one.known_at),
        code=one.code,
        subcode=one.subcode,
        advice_code=one.advice_code,
        category=one.category,
        reservation_id=one.reservation_id,
    )

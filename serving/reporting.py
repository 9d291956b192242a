"""Takes reports of attempts into the ledger, all of them or none, and settles the reservations that they used."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.attempt import Attempt
from features.declines.unknown import is_unknown
from features.errors import InvalidValueError
from features.instants import to_micros
from features.vocabulary import DeclineCategory
from serving.errors import FieldError, Kind, RequestError, invalid_request
from serving.ledger import recording
from serving.ledger.advice import tell_advice
from serving.ledger.events import LedgerEvent
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation, Settled, State
from serving.ledger_events import (
    ADVICE_WORDS,
    advice_of_payment,
    attempt_of_report,
    event_of_payment,
    event_of_report,
)
from serving.ledger_schemas import AttemptReport, PaymentEvent
from serving.own_ids import require_own_ids


@dataclass(frozen=True, slots=True)
class Reported:
    """What became of one report.

    Args:
        unknown_at: The processor whose code stands in no table; None where there is none such.
    """

    report: AttemptReport
    new: bool
    settled: Settled | None
    unknown_at: str | None = None


def report_attempts(ledger: Ledger, reports: Sequence[AttemptReport], now: datetime) -> tuple[Reported, ...]:
    """Record the reports in one transaction, then settle the reservations that they name.

    Both are safe to repeat: told again, nothing counts twice.

    Raises:
        RequestError: A report contradicts itself, its reservation or what was told before, or its id is another
            attempt's; nothing is recorded then.
        InvalidValueError: An event id was used before for something else; nothing is recorded then.
        InputError: The ledger cannot be reached.
    """
    places = [_place(i, single=len(reports) == 1) for i in range(len(reports))]
    events = [event_of_report(one, place, now) for one, place in zip(reports, places, strict=True)]
    for one, place in zip(reports, places, strict=True):
        _check_reservation(ledger, one, place)
    require_own_ids(ledger.store, events, places)
    fresh = tell(ledger, events, now)
    settled = [_settled(ledger, one, now) for one in reports]
    unknown = [_unknown_at(*parts) for parts in zip(reports, events, strict=True)]
    return tuple(Reported(*parts) for parts in zip(reports, fresh, settled, unknown, strict=True))


def tell(ledger: Ledger, events: Sequence[LedgerEvent], now: datetime) -> list[bool]:
    """Append events in one transaction; of each, whether it was new.

    Raises:
        InvalidValueError: An event id was used before for something else.
        InputError: The ledger cannot be reached.
    """
    return recording.tell(ledger.store, events, to_micros(now), ledger.outbox)


def tell_of_payment(ledger: Ledger, given: PaymentEvent, payment_id: str, now: datetime) -> bool:
    """Tell where a payment stands; whether it was new.

    Raises:
        RequestError: Its parts contradict each other.
        InvalidValueError: The event id was used before for something else.
        InputError: The ledger cannot be reached.
    """
    word = ADVICE_WORDS.get(given.kind)
    if word is not None:
        return tell_advice(ledger.store, advice_of_payment(given, payment_id, word, now), now)
    (new,) = tell(ledger, [event_of_payment(given, payment_id, now)], now)
    return new


def settle(ledger: Ledger, reservation: Reservation, attempt: Attempt, now: datetime) -> Settled:
    """Settle a reservation with the attempt that used it.

    Raises:
        RequestError: It was spent by another attempt.
        InputError: The ledger cannot be reached.
    """
    _check_spender(reservation, attempt.attempt_id)
    merchant_id = reservation.proposal.payment.merchant_id
    return ledger.settle(merchant_id, reservation.reservation_id, attempt, now)


def _unknown_at(report: AttemptReport, event: LedgerEvent) -> str | None:
    """The facts keep no title, by which a code that is known to mean little differs from one that nobody knows."""
    facts = event.facts
    if facts is None or report.attempt is None or facts.category != DeclineCategory.UNKNOWN:
        return None
    return facts.processor if is_unknown(attempt_of_report(report, report.attempt).decline) else None


def _place(index: int, *, single: bool) -> str:
    return "" if single else f"[{index}]."


def _check_reservation(ledger: Ledger, report: AttemptReport, place: str) -> None:
    """Refuse a report that names a reservation of something else, before anything is recorded."""
    if report.reservation_id is None or report.attempt is None:
        return
    try:
        reservation = ledger.reservation(report.merchant_id, report.reservation_id)
    except InvalidValueError as error:
        raise invalid_request((FieldError(f"{place}reservation_id", report.reservation_id, error.expected),)) from None
    proposal, told = reservation.proposal, report.attempt
    for field, value, right in (
        ("attempt.payment_id", told.payment_id, proposal.payment.payment_id),
        ("attempt.method.method_id", told.method.method_id, proposal.method.method_id),
    ):
        if value != right:
            raise invalid_request((FieldError(f"{place}{field}", value, f"that of the reservation, {right}"),))
    _check_spender(reservation, report.attempt_id)
    ledger.require_own_id(reservation, attempt_of_report(report, told))


def _check_spender(reservation: Reservation, attempt_id: str) -> None:
    if reservation.state is State.SPENT and reservation.attempt_id != attempt_id:
        name, spender = reservation.reservation_id, reservation.attempt_id
        raise RequestError(Kind.CONFLICT, f"Reservation {name} was spent by attempt {spender}, not by {attempt_id}")


def _settled(ledger: Ledger, report: AttemptReport, now: datetime) -> Settled | None:
    if report.reservation_id is None or report.attempt is None:
        return None
    reservation = ledger.reservation(report.merchant_id, report.reservation_id)
    return settle(ledger, reservation, attempt_of_report(report, report.attempt), now)

"""Reservations in the database: found, ended, and kept from standing for two things."""

from collections.abc import Sequence
from datetime import datetime

from features.errors import InvalidValueError
from features.instants import to_micros
from model.caps.engine import Proposal
from serving.ledger.counting import Held
from serving.ledger.reservations import Reason, ReasonCode, Reservation, State, reservation_from
from serving.ledger.store import Lock, Transaction


def locks_of(proposal: Proposal) -> list[Lock]:
    """Whoever shares a counter shares one of these."""
    merchant_id, method = proposal.payment.merchant_id, proposal.method
    locks: list[Lock] = [
        (merchant_id, "payment", proposal.payment.payment_id),
        (merchant_id, "method", method.method_id),
    ]
    return [*locks, (merchant_id, "mandate", method.mandate_id)] if method.mandate_id else locks


def maybe_found(transaction: Transaction, merchant_id: str, reservation_id: str) -> Reservation | None:
    """The reservation of that id, if there is one."""
    (rows,) = transaction.ask(("reservation", {"merchant_id": merchant_id, "reservation_id": reservation_id}))
    return reservation_from(rows[0]) if rows else None


def found(transaction: Transaction, merchant_id: str, reservation_id: str) -> Reservation:
    """The reservation of that id.

    Raises:
        InvalidValueError: There is none.
    """
    reservation = maybe_found(transaction, merchant_id, reservation_id)
    if reservation is None:
        raise InvalidValueError("reservation_id", reservation_id, "the id of a reservation of this merchant")
    return reservation


def end_hold(
    transaction: Transaction,
    merchant_id: str,
    reservation_id: str,
    state: State,
    now: datetime,
    *,
    reason: str | None = None,
    attempt_id: str | None = None,
) -> bool:
    """End a hold; False when it had ended before."""
    values = {
        "merchant_id": merchant_id,
        "reservation_id": reservation_id,
        "state": state.value,
        "closed_at": to_micros(now),
        "reason": reason,
        "attempt_id": attempt_id,
    }
    return bool(transaction.change("close_reservation", values))


def expire_in_the_way(transaction: Transaction, merchant_id: str, held: Sequence[Held], now: datetime) -> int:
    """End those holds whose time is over; how many there were."""
    over = sorted(hold.reservation_id for hold in held if hold.expires_at <= to_micros(now))
    return sum(end_hold(transaction, merchant_id, reservation_id, State.EXPIRED, now) for reservation_id in over)


def same(earlier: Reservation, wanted: Reservation) -> Reservation:
    """The earlier reservation, asked for again.

    Raises:
        InvalidValueError: It stands for something else.
    """
    if (earlier.proposal, earlier.at) != (wanted.proposal, wanted.at):
        raise InvalidValueError(
            "reservation_id", wanted.reservation_id, "an id that does not stand for another proposal already"
        )
    return earlier


def hold_reasons(reservation: Reservation, at: datetime) -> list[Reason]:
    """What the reservation itself says against firing at an instant."""
    name = reservation.reservation_id
    if reservation.state is not State.HELD:
        return [Reason(ReasonCode.NOT_HELD, f"Reservation {name} is {reservation.state.value}, not held.")]
    if at >= reservation.expires_at:
        return [Reason(ReasonCode.EXPIRED, f"Reservation {name} ended at {reservation.expires_at.isoformat()}.")]
    return []


def held_reasons(held: Sequence[Held], proposal: Proposal) -> list[Reason]:
    """Another attempt on the payment is allowed already; a second might charge the payer twice."""
    return [
        Reason(ReasonCode.ALREADY_HELD, f"Reservation {hold.reservation_id} for this payment is still held.")
        for hold in held
        if hold.payment_id == proposal.payment.payment_id
    ]

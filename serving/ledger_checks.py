"""The last look before charging: may the reserved attempt be made at this instant, and if not, why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from model.caps.verdict import Verdict
from serving.ledger.advice import advice_reasons
from serving.ledger.ledger import HOLD_FOR, Ledger
from serving.ledger.reservations import Reason, ReasonCode, Reservation, State


@dataclass(frozen=True, slots=True)
class FireCheck:
    """Whether the attempt may be made at an instant; no reasons mean go."""

    reservation: Reservation
    at: datetime
    reasons: tuple[Reason, ...]
    verdicts: tuple[Verdict, ...]


def fire_by(reservation: Reservation) -> datetime:
    """The end of the window that was advised; the hold outlasts it, so that an attempt at its end can be settled."""
    return reservation.expires_at - HOLD_FOR


def fire_check(ledger: Ledger, merchant_id: str, reservation_id: str, at: datetime) -> FireCheck:
    """What speaks against making the reserved attempt at an instant.

    Raises:
        InvalidValueError: There is no such reservation.
        InputError: The ledger cannot be reached.
    """
    checked = ledger.check(merchant_id, reservation_id, at)
    reservation = checked.reservation
    with ledger.store.reading() as transaction:
        advice = advice_reasons(transaction, merchant_id, reservation.proposal.payment.payment_id)
    timing = _timing(reservation, at) if reservation.state is State.HELD else ()
    return FireCheck(reservation, at, (*checked.reasons, *advice, *timing), checked.verdicts)


def _timing(reservation: Reservation, at: datetime) -> Iterator[Reason]:
    """The window that was advised; what was worth it then need not be now."""
    if at < reservation.at:
        yield Reason(ReasonCode.TOO_EARLY, f"The advised window begins at {_text(reservation.at)}.")
    elif fire_by(reservation) <= at < reservation.expires_at:
        sentence = f"The advised window ended at {_text(fire_by(reservation))}; release it and ask for a new decision."
        yield Reason(ReasonCode.ADVICE_EXPIRED, sentence)


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")

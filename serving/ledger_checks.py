"""The last look before charging: may the reserved attempt be made at this instant, and if not, why."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from model.caps.verdict import Verdict
from serving.ledger.ledger import HOLD_FOR, Ledger
from serving.ledger.reservations import Reservation, State


class NoGo(StrEnum):
    """Why the attempt may not be made now."""

    PAID = "paid"
    CANCELLED = "cancelled"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ALREADY_HELD = "already_held"
    NOT_HELD = "not_held"
    EXPIRED = "expired"
    OVER_CAP = "over_cap"  # a rule forbids it
    TOO_EARLY = "too_early"
    ADVICE_EXPIRED = "advice_expired"


@dataclass(frozen=True, slots=True)
class NoGoReason:
    """A reason with the sentence that a person reads; `rule_id` for what a rule forbids."""

    code: NoGo
    sentence: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class FireCheck:
    """Whether the attempt may be made at an instant; no reasons mean go."""

    reservation: Reservation
    at: datetime
    reasons: tuple[NoGoReason, ...]
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
    known = (NoGoReason(NoGo(r.code.value), r.sentence, r.rule_id) for r in checked.reasons)
    timing = _timing(reservation, at) if reservation.state is State.HELD else ()
    return FireCheck(reservation, at, (*known, *timing), checked.verdicts)


def _timing(reservation: Reservation, at: datetime) -> Iterator[NoGoReason]:
    """The window that was advised; what was worth it then need not be now."""
    if at < reservation.at:
        yield NoGoReason(NoGo.TOO_EARLY, f"The advised window begins at {_text(reservation.at)}.")
    elif fire_by(reservation) <= at < reservation.expires_at:
        sentence = f"The advised window ended at {_text(fire_by(reservation))}; release it and ask for a new decision."
        yield NoGoReason(NoGo.ADVICE_EXPIRED, sentence)


def _text(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")

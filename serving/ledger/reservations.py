"""Holds on counters: what was allowed to be attempted, and what became of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features.instants import from_micros, to_micros
from model.caps.engine import Proposal, Verdict
from serving.ledger import proposals
from serving.ledger.store import Row, Value


class State(StrEnum):
    """Where a reservation stands."""

    HELD = "held"  # counts as an attempt whose outcome is not known
    SPENT = "spent"  # the attempt was made and counts itself
    RELEASED = "released"  # it will not be made
    EXPIRED = "expired"  # nobody said in time what became of it


class ReasonCode(StrEnum):
    """Why an attempt may not be made, or not any more."""

    PAID = "paid"
    CANCELLED = "cancelled"
    OPTED_OUT = "opted_out"
    ON_HOLD = "on_hold"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    ALREADY_HELD = "already_held"
    NOT_HELD = "not_held"
    EXPIRED = "expired"
    OVER_CAP = "over_cap"  # a rule forbids it
    TOO_EARLY = "too_early"
    ADVICE_EXPIRED = "advice_expired"


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason with the sentence that a person reads; `rule_id` for what a rule forbids."""

    code: ReasonCode
    sentence: str
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Reservation:
    """A hold on every counter that the proposed attempt would use.

    Args:
        at: When the attempt is to be made (UTC).
        expires_at: When the hold ends by itself (UTC).
        closed_at: When it was spent, released or expired (UTC); None while it is held.
        reason: Why it was released, in the caller's words.
        attempt_id: The attempt that spent it.
        rulebook: Version of the rulebook that allowed it.
    """

    reservation_id: str
    proposal: Proposal
    at: datetime
    held_at: datetime
    expires_at: datetime
    state: State
    rulebook: str
    closed_at: datetime | None = None
    reason: str | None = None
    attempt_id: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Why nothing was held, and what every rule said."""

    reasons: tuple[Reason, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What an attempt did to its reservation.

    Args:
        late: The hold had ended before; the attempt counts all the same, because it was made.
        sentence: The same for people.
    """

    reservation: Reservation
    late: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Check:
    """Whether a reserved attempt may be fired now; no reasons mean go."""

    reservation: Reservation
    reasons: tuple[Reason, ...]
    verdicts: tuple[Verdict, ...]

    @property
    def go(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons


def values_of(reservation: Reservation) -> dict[str, Value]:
    """A held reservation as a row."""
    row = proposals.written(reservation.proposal)
    row["reservation_id"] = reservation.reservation_id
    row["at"] = to_micros(reservation.at)
    row["held_at"] = to_micros(reservation.held_at)
    row["expires_at"] = to_micros(reservation.expires_at)
    row["rulebook"] = reservation.rulebook
    return row


def reservation_from(row: Row) -> Reservation:
    """A row as a reservation."""
    merchant_id, reservation_id, at, held_at, expires_at, state, closed_at, reason, attempt_id, rulebook = row[:10]
    return Reservation(
        reservation_id=str(reservation_id),
        proposal=proposals.read({"merchant_id": merchant_id, **dict(zip(_PROPOSED, row[10:], strict=True))}),
        at=from_micros(int(at or 0)),
        held_at=from_micros(int(held_at or 0)),
        expires_at=from_micros(int(expires_at or 0)),
        state=State(str(state)),
        rulebook=str(rulebook),
        closed_at=None if closed_at is None else from_micros(int(closed_at)),
        reason=None if reason is None else str(reason),
        attempt_id=None if attempt_id is None else str(attempt_id),
    )


def standing_reasons(
    proposal: Proposal, standings: Sequence[tuple[str, str, int]], paying: Row | None
) -> Iterator[Reason]:
    """What is known of payment and consent that speaks against an attempt.

    Args:
        standings: Topic, word and instant of the latest word on payment, consent and method.
        paying: The row of the latest approved attempt on the payment, where there is one.
    """
    words = {topic: (word, said_at) for topic, word, said_at in standings}
    payment, method = proposal.payment.payment_id, proposal.method.method_id
    word, said_at = words.get("payment", ("", 0))
    if word == "payment_paid":
        yield Reason(ReasonCode.PAID, f"Payment {payment} was paid on {_day(said_at)}.")
    elif word == "payment_cancelled":
        yield Reason(ReasonCode.CANCELLED, f"Payment {payment} was cancelled on {_day(said_at)}.")
    elif paying is not None and not (word == "payment_reopened" and int(paying[9] or 0) <= said_at):
        yield Reason(ReasonCode.PAID, f"Payment {payment} was paid by attempt {paying[1]!s}.")
    word, said_at = words.get("consent", ("", 0))
    if word == "consent_withdrawn":
        sentence = f"The customer withdrew the consent to method {method} on {_day(said_at)}."
        yield Reason(ReasonCode.CONSENT_WITHDRAWN, sentence)
    elif not proposal.method.consented and word != "consent_given":
        yield Reason(ReasonCode.CONSENT_WITHDRAWN, f"The customer has not allowed method {method} for this payment.")


def cap_reasons(verdicts: tuple[Verdict, ...]) -> Iterator[Reason]:
    """The rules that forbid it."""
    return (Reason(ReasonCode.OVER_CAP, v.sentence, v.rule_id) for v in verdicts if not v.allowed)


_PROPOSED = (
    *("payment_id", "method_id", "mandate_id", "network", "processor", "initiator"),
    *("amount_minor", "currency", "proposal"),
)


def _day(micros: int) -> str:
    at = from_micros(micros)
    return f"{at.day} {at:%b %Y %H:%M} UTC"

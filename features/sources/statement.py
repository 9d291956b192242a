"""What an event of a provider says in the field's words: the pure half of a webhook."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features.attempt import Attempt
from features.decline import Decline
from features.method import Method


class Word(StrEnum):
    """Where a payment, a consent, a method or an attempt stands; the words of the ledger's events."""

    PAID = "payment_paid"
    CANCELLED = "payment_cancelled"
    CONSENT_WITHDRAWN = "consent_withdrawn"
    CONSENT_GIVEN = "consent_given"
    METHOD_FIXED = "method_fixed"
    WITHDRAWN = "attempt_withdrawn"


@dataclass(frozen=True, slots=True)
class AttemptTold:
    """An attempt with all that limits count by."""

    attempt: Attempt
    method: Method
    customer_id: str


@dataclass(frozen=True, slots=True)
class AttemptApproved:
    """An attempt that was told before went through in the end; what it was of is not repeated."""

    attempt_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AttemptReturned:
    """A debit that had been presented or taken came back, or was refused in the end."""

    attempt_id: str
    decline: Decline
    at: datetime


class Way(StrEnum):
    """How money goes back that had been taken for good; no network takes it for a decline."""

    REFUND = "refund"  # the merchant gives it back
    CHARGEBACK = "chargeback"  # the payer disputes the sale


@dataclass(frozen=True, slots=True)
class MoneyWentBack:
    """Money of an approved attempt went back to the payer.

    Args:
        amount_minor: In the currency of the attempt; None for all of it.
    """

    attempt_id: str
    way: Way
    amount_minor: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Stands:
    """Where something stands from an instant on; the word says what the subject is."""

    word: Word
    subject_id: str
    at: datetime


Statement = AttemptTold | AttemptApproved | AttemptReturned | MoneyWentBack | Stands


@dataclass(frozen=True, slots=True)
class Notice:
    """One event of a provider, read.

    Args:
        event_id: The provider's own id of it, or what tells it apart where the provider gives none.
        kind: What the provider calls it, such as `charge.failed`.
        statements: What is to be counted; none where nothing is.
        why: Why nothing is, for kinds that a reader would expect to count; or what is amiss with what is.
    """

    event_id: str
    kind: str
    statements: tuple[Statement, ...] = ()
    why: str = ""

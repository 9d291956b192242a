"""What may be told to the ledger: attempts, what was wrong about them, and where payments and consents stand."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import orjson
from pydantic import TypeAdapter

from features.card_number import refuse_card_number
from features.decline import Decline
from features.errors import InvalidValueError
from features.instants import to_micros
from model.caps.rule import FixKind
from serving.ledger.facts import Facts


class EventKind(StrEnum):
    """What is told."""

    REPORTED = "attempt_reported"  # an attempt, as far as its source knows of it
    CORRECTED = "attempt_corrected"  # what an earlier report had wrong
    REVERSED = "attempt_reversed"  # a debit that was taken and then sent back: a decline from then on
    WITHDRAWN = "attempt_withdrawn"  # reported by mistake; it never took place
    PAID = "payment_paid"  # by whatever means
    CANCELLED = "payment_cancelled"  # nothing is owed any more
    REOPENED = "payment_reopened"  # owed again after all
    CONSENT_WITHDRAWN = "consent_withdrawn"  # the customer allows this method no longer
    CONSENT_GIVEN = "consent_given"  # the customer allows this method (again)
    METHOD_FIXED = "method_fixed"  # something about it was mended, its details unless stated otherwise


class Source(StrEnum):
    """Who tells it."""

    ADVISED = "advised"  # the caller, of an attempt that Recoup had reserved
    WEBHOOK = "webhook"  # a processor, as the caller passes it on
    DELIVERED = "delivered"  # a processor itself; its event names payments as the processor does
    HISTORY = "history"  # a back-filled history file
    REPORTED = "reported"  # the caller or a person, by hand
    LISTED = "listed"  # the caller, beside a question about a payment; what it leaves out is taken for that payment's


ABOUT_ATTEMPTS = frozenset({EventKind.REPORTED, EventKind.CORRECTED, EventKind.REVERSED, EventKind.WITHDRAWN})
TOPICS = {
    EventKind.PAID: "payment",
    EventKind.CANCELLED: "payment",
    EventKind.REOPENED: "payment",
    EventKind.CONSENT_WITHDRAWN: "consent",
    EventKind.CONSENT_GIVEN: "consent",
    EventKind.METHOD_FIXED: "method",
}


@dataclass(frozen=True, slots=True)
class Return:
    """Why a debit came back; the words of a decline."""

    code: str | None
    subcode: str | None
    advice_code: str | None
    category: str
    retryability: str
    min_wait_hours: int | None


@dataclass(frozen=True, slots=True)
class Mended:
    """What was mended about a method, and for which payment where it was told for one."""

    kind: FixKind
    payment_id: str | None = None


@dataclass(frozen=True, slots=True)
class LedgerEvent:
    """One thing told once.

    Args:
        source_event_id: The source's own id of what it tells; told twice under one id it counts once.
        subject_id: The attempt, payment or method that it is about, as the kind says.
        said_at: When it became true, by the source's own clock (microseconds since 1970, UTC).
        facts: The attempt, for reports and corrections.
        returned: Why it came back, for reversals.
        mended: What was mended about a method; its details where nothing is stated.

    Raises:
        InvalidValueError: An id is empty, or the kind needs what is missing.
        CardNumberError: An id looks like a card number.
    """

    merchant_id: str
    source: Source
    source_event_id: str
    kind: EventKind
    subject_id: str
    said_at: int
    facts: Facts | None = None
    returned: Return | None = None
    mended: Mended | None = None

    def __post_init__(self) -> None:
        if self.facts is not None:
            _check(self.facts)
        for name in ("merchant_id", "source_event_id", "subject_id"):
            _require_id(name, getattr(self, name))
        if (self.facts is not None) is not (self.kind in {EventKind.REPORTED, EventKind.CORRECTED}):
            raise InvalidValueError(
                "kind", self.kind.value, "attempt facts for reports and corrections, and only there"
            )
        if (self.returned is not None) is not (self.kind is EventKind.REVERSED):
            raise InvalidValueError("kind", self.kind.value, "a return for reversals, and only there")
        if self.mended is not None and self.kind is not EventKind.METHOD_FIXED:
            raise InvalidValueError("kind", self.kind.value, "what was mended for a method that was fixed, only there")

    @property
    def body(self) -> str:
        """What is told beyond the heading, as canonical JSON."""
        return orjson.dumps(self.facts or self.returned or self.mended).decode()


def reported(merchant_id: str, source: Source, source_event_id: str, facts: Facts) -> LedgerEvent:
    """An attempt as its source knows it; said when its outcome became known."""
    kind = EventKind.REPORTED
    return LedgerEvent(merchant_id, source, source_event_id, kind, facts.attempt_id, facts.known_at, facts)


def corrected(merchant_id: str, source: Source, source_event_id: str, facts: Facts, at: datetime) -> LedgerEvent:
    """The attempt as it should have been reported; it outranks every report, whichever comes first."""
    kind = EventKind.CORRECTED
    return LedgerEvent(merchant_id, source, source_event_id, kind, facts.attempt_id, to_micros(at), facts)


def sent_back(
    merchant_id: str, source: Source, source_event_id: str, attempt_id: str, decline: Decline, at: datetime
) -> LedgerEvent:
    """A debit that had been taken came back; refunds and chargebacks are not declines and are not told."""
    returned = Return(
        code=decline.code,
        subcode=decline.subcode,
        advice_code=decline.advice_code,
        category=decline.category,
        retryability=decline.retryability,
        min_wait_hours=decline.min_wait_hours,
    )
    kind = EventKind.REVERSED
    return LedgerEvent(merchant_id, source, source_event_id, kind, attempt_id, to_micros(at), returned=returned)


def told(
    merchant_id: str, source: Source, source_event_id: str, kind: EventKind, subject_id: str, at: datetime
) -> LedgerEvent:
    """A withdrawal of an attempt, or where a payment, a consent or a method stands."""
    return LedgerEvent(merchant_id, source, source_event_id, kind, subject_id, to_micros(at))


def method_fixed(
    merchant_id: str, source: Source, source_event_id: str, method_id: str, at: datetime, mended: Mended | None = None
) -> LedgerEvent:
    """Something about a method was mended; its details where nothing else is stated."""
    kind = EventKind.METHOD_FIXED
    return LedgerEvent(merchant_id, source, source_event_id, kind, method_id, to_micros(at), mended=mended)


def mended_from(body: str) -> Mended:
    """What was mended, as it stands in the table."""
    return _MENDED.validate_json(body) or Mended(FixKind.DETAILS)


def event_from(
    merchant_id: str, source: Source, source_event_id: str, kind: str, subject_id: str, said_at: int, body: str
) -> LedgerEvent:
    """The event as it stands in the table."""
    word = EventKind(kind)
    facts = _FACTS.validate_json(body) if word in {EventKind.REPORTED, EventKind.CORRECTED} else None
    returned = _RETURN.validate_json(body) if word is EventKind.REVERSED else None
    return LedgerEvent(merchant_id, source, source_event_id, word, subject_id, said_at, facts, returned)


_FACTS = TypeAdapter(Facts)
_RETURN = TypeAdapter(Return)
_MENDED: TypeAdapter[Mended | None] = TypeAdapter(Mended | None)


def _require_id(name: str, text: str) -> None:
    if not text or not text.isprintable():
        raise InvalidValueError(name, text, "an id of printable characters")
    refuse_card_number(name, text)


def _check(facts: Facts) -> None:
    for name in ("attempt_id", "payment_id", "customer_id", "method_id", "processor"):
        _require_id(name, getattr(facts, name))
    for name in ("mandate_id", "code", "subcode", "advice_code", "market"):
        refuse_card_number(name, getattr(facts, name) or "")
    if facts.amount_minor < 0:
        raise InvalidValueError("amount_minor", facts.amount_minor, "zero or more minor units")

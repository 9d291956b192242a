"""Whether retries are advised at all: stopped and resumed for everybody, for a merchant, or for one payment.

A stop changes what is advised, never what is counted: attempts, limits and reservations go on as before.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features.card_number import refuse_card_numbers
from features.errors import InvalidValueError
from features.instants import from_micros, to_micros
from serving.ledger.once import told_once
from serving.ledger.reservations import Reason, ReasonCode
from serving.ledger.store import Question, Row, Store, Transaction, Value

EVERYBODY = ""
_EVERY_PAYMENT = ""
_LONGEST = 200
_SAME = ("payment_id", "by_merchant", "word", "reason", "said_at")


class Word(StrEnum):
    """What is said."""

    STOPPED = "stopped"
    RESUMED = "resumed"


@dataclass(frozen=True, slots=True)
class AdviceEvent:
    """One word on whether retries are advised, told once.

    Args:
        merchant_id: For whom; `EVERYBODY` for all merchants.
        event_id: The source's own id of what it tells.
        payment_id: For one payment only; empty for everything of the merchant.
        reason: Why, in the words of whoever says it; may be empty.
        said_at: Since when it is so.
        by_merchant: Whether the merchant itself says it of all of its retries, and not an operator.
    """

    merchant_id: str
    event_id: str
    word: Word
    said_at: datetime
    reason: str = ""
    payment_id: str = _EVERY_PAYMENT
    by_merchant: bool = False

    def __post_init__(self) -> None:
        texts = {name: getattr(self, name) for name in ("merchant_id", "event_id", "payment_id", "reason")}
        refuse_card_numbers(texts)
        for name, text in texts.items():
            if len(text) > _LONGEST or not text.isprintable():
                raise InvalidValueError(name, text[:_LONGEST], f"at most {_LONGEST} printable characters")
        if not self.event_id:
            raise InvalidValueError("event_id", self.event_id, "an id of printable characters")


@dataclass(frozen=True, slots=True)
class EmergencyStop:
    """A stop in force for a merchant, or for `EVERYBODY`; by the merchant itself, or an operator."""

    merchant_id: str
    reason: str
    since: datetime
    by_merchant: bool = False


def tell_advice(store: Store, event: AdviceEvent, now: datetime) -> bool:
    """Append a word; False when it was told before, which changes nothing.

    A merchant and an operator stop it each for themselves. The merchant lifts its own stop, an operator both.

    Raises:
        InvalidValueError: The id was used before for something else.
    """
    row = _row(event)
    with store.writing([(event.merchant_id, "advice", event.payment_id)]) as transaction:
        new = told_once(transaction, "advice_event", row, event.event_id, _SAME, now)
        if new:
            transaction.put("put_advice", row)
            if event.word is Word.RESUMED and not event.payment_id and not event.by_merchant:
                transaction.put("put_advice", {**row, "by_merchant": 1})
    return new


def advice_reasons(transaction: Transaction, merchant_id: str, payment_id: str) -> tuple[Reason, ...]:
    """What speaks against advising a retry of a payment, whatever its counters say."""
    (rows,) = transaction.ask(advice_question(merchant_id, payment_id))
    return advice_in(rows)


def advice_question(merchant_id: str, payment_id: str) -> Question:
    """What to ask to know what speaks against advising a retry of a payment."""
    return "advice_against", {"merchant_id": merchant_id, "payment_id": payment_id}


def advice_in(rows: Sequence[Row]) -> tuple[Reason, ...]:
    """The rows of `advice_question` as reasons."""
    found = sorted((str(whose), str(payment), str(why), int(at or 0)) for whose, payment, why, at in rows)
    return tuple(_reason(*row) for row in found)


def emergency_stops(store: Store, merchant_id: str | None = None) -> tuple[EmergencyStop, ...]:
    """The stops in force of everybody and of merchants; with a merchant, only those that hold for it."""
    with store.reading() as transaction:
        asked = {"merchant_id": "*" if merchant_id is None else merchant_id}
        (rows,) = transaction.ask(("emergency_stops", asked))
    return tuple(
        EmergencyStop(str(whose), str(reason), from_micros(int(at or 0)), own == 1) for whose, reason, at, own in rows
    )


def _reason(merchant_id: str, payment_id: str, why: str, said_at: int) -> Reason:
    since = f"since {_text(said_at)}" + (f": {why}" if why else "")
    if payment_id:
        return Reason(ReasonCode.OPTED_OUT, f"No retries are wanted for payment {payment_id} {since.rstrip('.')}.")
    whose = f"merchant {merchant_id}" if merchant_id else "all merchants"
    return Reason(ReasonCode.ON_HOLD, f"Retries are stopped for {whose} {since.rstrip('.')}.")


def _row(event: AdviceEvent) -> dict[str, Value]:
    return {
        "merchant_id": event.merchant_id,
        "event_id": event.event_id,
        "payment_id": event.payment_id,
        "by_merchant": int(event.by_merchant),
        "word": event.word.value,
        "reason": event.reason,
        "said_at": to_micros(event.said_at),
    }


def _text(micros: int) -> str:
    at = from_micros(micros)
    return f"{at.day} {at:%b %Y %H:%M} UTC"

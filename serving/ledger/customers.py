"""What befell customers: complaints, ended subscriptions, payments. Experiments weigh it; no limit counts it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from features.card_number import refuse_card_numbers
from features.errors import InvalidValueError
from features.instants import to_micros
from features.money import Money
from serving.ledger.once import told_once
from serving.ledger.store import Store, Value


class CustomerWord(StrEnum):
    """What is told of a customer."""

    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"  # wants no more messages
    DISPUTED = "disputed"  # had the bank take a charge back
    LOST = "lost"  # ended for want of payment
    LEFT = "left"  # ended by the customer's own wish
    PAID = "paid"  # paid anything, by whatever means
    REFUNDED = "refunded"  # was given something back


WITH_MONEY = frozenset({CustomerWord.PAID, CustomerWord.REFUNDED})
"""What is told with an amount."""
_SAME = ("customer_id", "kind", "said_at", "amount_minor", "currency")


@dataclass(frozen=True, slots=True)
class CustomerEvent:
    """One thing told once of a customer.

    Args:
        event_id: The source's own id of what it tells; told twice under one id it counts once.
        said_at: When it happened, by the source's own clock (aware).
        amount: Of what was paid or refunded; only there.

    Raises:
        InvalidValueError: An id is empty or not printable, or an amount is missing or out of place.
        CardNumberError: An id looks like a card number.
    """

    merchant_id: str
    event_id: str
    customer_id: str
    word: CustomerWord
    said_at: datetime
    amount: Money | None = None

    def __post_init__(self) -> None:
        ids = {name: getattr(self, name) for name in ("merchant_id", "event_id", "customer_id")}
        refuse_card_numbers(ids)
        for name, text in ids.items():
            if not text or not text.isprintable():
                raise InvalidValueError(name, text, "an id of printable characters")
        if (self.amount is not None) is not (self.word in WITH_MONEY):
            expected = "an amount for what was paid or refunded, and only there"
            raise InvalidValueError("amount", str(self.amount), expected)


def tell_of_customer(store: Store, event: CustomerEvent, now: datetime) -> bool:
    """Append what befell a customer; False when it was told before, which changes nothing.

    Raises:
        InvalidValueError: The id was used before for something else.
    """
    row = _row(event)
    with store.writing([(event.merchant_id, "customer", event.event_id)]) as transaction:
        return told_once(transaction, "customer_event", row, event.event_id, _SAME, now)


def _row(event: CustomerEvent) -> dict[str, Value]:
    return {
        "merchant_id": event.merchant_id,
        "event_id": event.event_id,
        "customer_id": event.customer_id,
        "kind": event.word.value,
        "said_at": to_micros(event.said_at),
        "amount_minor": event.amount.amount_minor if event.amount else None,
        "currency": event.amount.currency if event.amount else None,
    }

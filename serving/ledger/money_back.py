"""Money that went back to the payer: refunds, and chargebacks of cards, which no limit and no standing looks at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.card_number import refuse_card_number
from features.errors import InvalidValueError
from features.instants import to_micros
from features.sources.statement import Way
from serving.ledger.events import Source
from serving.ledger.once import told_once
from serving.ledger.store import Store, Value

_SAME = ("attempt_id", "kind", "amount_minor", "said_at")


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """Money of one attempt that went back, told once.

    Args:
        source_event_id: The source's own id of what it tells; told twice under one id it counts once.
        amount_minor: In the currency of the attempt; None for all of it.
        said_at: When it went back, by the source's own clock (UTC).

    Raises:
        InvalidValueError: An id is empty, or the amount is negative.
        CardNumberError: An id looks like a card number.
    """

    merchant_id: str
    source: Source
    source_event_id: str
    attempt_id: str
    kind: Way
    amount_minor: int | None
    said_at: datetime

    def __post_init__(self) -> None:
        for name in ("merchant_id", "source_event_id", "attempt_id"):
            text: str = getattr(self, name)
            if not text or not text.isprintable():
                raise InvalidValueError(name, text, "an id of printable characters")
            refuse_card_number(name, text)
        if self.amount_minor is not None and self.amount_minor < 0:
            raise InvalidValueError("amount_minor", self.amount_minor, "zero or more minor units")


def put_money_back(store: Store, told: Sequence[MoneyBack], now: datetime) -> int:
    """Write what went back, all of it or nothing; how much of it was new.

    Raises:
        InvalidValueError: An id was used before for something else.
        InputError: The ledger cannot be reached.
    """
    with store.writing() as transaction:
        return sum(told_once(transaction, "money_back", _row(one), one.source_event_id, _SAME, now) for one in told)


def _row(one: MoneyBack) -> dict[str, Value]:
    return {
        "merchant_id": one.merchant_id,
        "source": one.source.value,
        "source_event_id": one.source_event_id,
        "attempt_id": one.attempt_id,
        "kind": one.kind.value,
        "amount_minor": one.amount_minor,
        "said_at": to_micros(one.said_at),
    }

"""What challengers would have decided, as the ledger keeps it: written after the answer, read for a report."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime

from features.instants import to_micros
from serving.ledger.store import Row, Store, Value


@dataclass(frozen=True, slots=True)
class Shadowed:
    """One decision beside the challenger's.

    Args:
        as_of: Microseconds since 1970.
        champion: The version of what answered, and `policy_source` what that is.
        method_id, processor, day, slot_from, slot_until: What was advised; None for a stop. The day is the issuer's.
        challenger_method_id, challenger_processor, challenger_day: What the challenger would have advised.
        chance, challenger_chance: Of the retry that was advised; None for a stop, and where nobody gave one.
    """

    merchant_id: str
    decision_id: str
    payment_id: str
    as_of: int
    champion: str
    policy_source: str
    challenger: str
    method_id: str | None
    processor: str | None
    day: str | None
    slot_from: int | None
    slot_until: int | None
    challenger_method_id: str | None
    challenger_processor: str | None
    challenger_day: str | None
    chance: float | None
    challenger_chance: float | None

    @property
    def is_same(self) -> bool:
        """Whether both advise the same method, processor and day, or both a stop."""
        return _is_same(self)


@dataclass(frozen=True, slots=True)
class Compared:
    """The same as a report reads it, with the outcome of the attempt that was made in the slot, if any."""

    merchant_id: str
    payment_id: str
    champion: str
    challenger: str
    method_id: str | None
    processor: str | None
    day: str | None
    challenger_method_id: str | None
    challenger_processor: str | None
    challenger_day: str | None
    chance: float | None
    challenger_chance: float | None
    outcome: str | None

    @property
    def is_same(self) -> bool:
        """Whether both advise the same method, processor and day, or both a stop."""
        return _is_same(self)


def keep_shadows(store: Store, shadows: Iterable[Shadowed]) -> None:
    """Write them, in one transaction.

    Raises:
        InputError: The ledger cannot be reached.
    """
    with store.writing() as transaction:
        transaction.put_all("put_shadow", [asdict(shadow) for shadow in shadows])


def shadows_since(store: Store, since: datetime) -> tuple[Compared, ...]:
    """Every decision since an instant that was put to a challenger, oldest first.

    Raises:
        InputError: The ledger cannot be reached.
    """
    with store.reading() as transaction:
        (rows,) = transaction.ask(("shadows", {"since": to_micros(since)}))
    return tuple(_compared(row) for row in rows)


def _compared(row: Row) -> Compared:
    merchant_id, payment_id, champion, challenger, *told, chance, theirs, outcome = row
    method_id, processor, day, their_method_id, their_processor, their_day = map(_text, told)
    return Compared(
        merchant_id=str(merchant_id),
        payment_id=str(payment_id),
        champion=str(champion),
        challenger=str(challenger),
        method_id=method_id,
        processor=processor,
        day=day,
        challenger_method_id=their_method_id,
        challenger_processor=their_processor,
        challenger_day=their_day,
        chance=_number(chance),
        challenger_chance=_number(theirs),
        outcome=_text(outcome),
    )


def _is_same(one: Shadowed | Compared) -> bool:
    theirs = (one.challenger_method_id, one.challenger_processor, one.challenger_day)
    return (one.method_id, one.processor, one.day) == theirs


def _text(value: Value) -> str | None:
    return None if value is None else str(value)


def _number(value: Value) -> float | None:
    return None if value is None else float(value)

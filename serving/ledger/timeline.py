"""What happened to a payment, in the order of time, and which payments, holds and attempts there are, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from features.instants import from_micros, to_micros
from serving.ledger.facts import Facts
from serving.ledger.reservations import Reservation, reservation_from
from serving.ledger.store import Row, Store, Value

_BEFORE_ALL = -(1 << 62)
_AFTER_ALL = 1 << 62


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to a payment.

    Args:
        entry: `attempt`, `decision`, `reservation`, `standing` (a word on the payment) or `advice` (whether
            retries are wanted).
        name: The id of the attempt, the decision, the reservation or the event.
        at: When it was made, decided, held or said (UTC).
        ends_at: Of an attempt, when its outcome became known; of a reservation, when it was closed.
        word: The outcome, what was decided, the state, or what was said.
        other_id: Of an attempt or a decision, its reservation; of a reservation, the attempt that spent it.
        reason: Why, in the words of whoever said it.
    """

    entry: str
    name: str
    at: datetime
    ends_at: datetime | None
    word: str
    method_id: str | None
    processor: str | None
    initiator: str | None
    amount_minor: int | None
    currency: str | None
    code: str | None
    subcode: str | None
    advice_code: str | None
    category: str | None
    other_id: str | None
    reason: str | None

    @property
    def place(self) -> tuple[int, str, str]:
        """Where it stands in the timeline."""
        return to_micros(self.at), self.entry, self.name


@dataclass(frozen=True, slots=True)
class PaymentSeen:
    """One payment that attempts were told of.

    Args:
        standing: The latest word on it, such as `payment_paid`; None where nothing was said.
        opted_out: Whether no retries are wanted for it.
    """

    payment_id: str
    attempts: int
    last_attempt_at: datetime
    approved: bool
    standing: str | None
    opted_out: bool


def timeline(
    store: Store, merchant_id: str, payment_id: str, most: int, after: tuple[int, str, str] | None
) -> tuple[Entry, ...]:
    """What happened to a payment after a place, earliest first."""
    at, entry, name = after or (_BEFORE_ALL, "", "")
    values: dict[str, Value] = {
        "merchant_id": merchant_id,
        "payment_id": payment_id,
        "at": at,
        "entry": entry,
        "id": name,
        "most": most,
    }
    return tuple(_entry(row) for row in _rows(store, "timeline", values))


def payments_after(store: Store, merchant_id: str, payment_id: str, most: int) -> tuple[PaymentSeen, ...]:
    """The payments after one in the order of their ids; an empty id begins."""
    values: dict[str, Value] = {"merchant_id": merchant_id, "payment_id": payment_id, "most": most}
    return tuple(_payment(row) for row in _rows(store, "payments_after", values))


def held_after(store: Store, merchant_id: str, payment_id: str, most: int) -> tuple[Reservation, ...]:
    """What is held, in the order of payments, after one; each has one hold at most."""
    values: dict[str, Value] = {"merchant_id": merchant_id, "payment_id": payment_id, "most": most}
    return tuple(reservation_from(row) for row in _rows(store, "held_after", values))


def attempts_of_method(
    store: Store, merchant_id: str, method_id: str, most: int, before: tuple[int, str] | None
) -> tuple[Facts, ...]:
    """The attempts on a method before a place, newest first."""
    at, attempt_id = before or (_AFTER_ALL, "")
    values: dict[str, Value] = {
        "merchant_id": merchant_id,
        "method_id": method_id,
        "at": at,
        "attempt_id": attempt_id,
        "most": most,
    }
    rows = _rows(store, "attempts_of_method", values)
    return tuple(Facts(*row) for row in rows)  # type: ignore[arg-type]  # the columns of the query


def _rows(store: Store, name: str, values: dict[str, Value]) -> Sequence[Row]:
    with store.reading() as transaction:
        (rows,) = transaction.ask((name, values))
    return rows


def _entry(row: Row) -> Entry:
    entry, name, at, ends_at, *rest = row
    return Entry(str(entry), str(name), _instant(at), None if ends_at is None else _instant(ends_at), *rest)  # type: ignore[arg-type]  # the columns of the query


def _payment(row: Row) -> PaymentSeen:
    payment_id, attempts, last_at, approved, standing, advice = row
    return PaymentSeen(
        payment_id=str(payment_id),
        attempts=int(attempts or 0),
        last_attempt_at=_instant(last_at),
        approved=bool(approved),
        standing=None if standing is None else str(standing),
        opted_out=advice == "stopped",
    )


def _instant(value: Value) -> datetime:
    return from_micros(int(value or 0))

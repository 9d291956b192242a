"""Appends what is told and keeps the derived rows true, in one transaction."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import orjson

from features.errors import InvalidValueError
from features.vocabulary import Outcome
from serving.ledger.events import ABOUT_ATTEMPTS, TOPICS, EventKind, LedgerEvent
from serving.ledger.facts import Facts, ending_of, flavour_of
from serving.ledger.fold import fold
from serving.ledger.outbox import SILENT, Outbox
from serving.ledger.owing import stand_after_return
from serving.ledger.recoveries import follow
from serving.ledger.statements import Statement, statements_of
from serving.ledger.store import LedgerBusyError, Lock, Question, Row, Store, Transaction, Value, Values

Answer = TypeVar("Answer")

_TRIES = 5


@dataclass(frozen=True, slots=True)
class Recorded:
    """How many of the events were new, and how many had been told before."""

    new: int = 0
    known: int = 0


def record(store: Store, events: Sequence[LedgerEvent], now: int, outbox: Outbox = SILENT) -> Recorded:
    """Append events; what was told before under the same id changes nothing.

    Raises:
        InvalidValueError: An id was used before for something else; nothing is recorded then.
    """
    new = sum(tell(store, events, now, outbox))
    return Recorded(new, len(events) - new)


def tell(store: Store, events: Sequence[LedgerEvent], now: int, outbox: Outbox = SILENT) -> list[bool]:
    """As `record`; of each event, whether it was new."""

    def once() -> list[bool]:
        with store.writing(*locks_for(events)) as transaction:
            return [append(transaction, event, now, outbox) for event in events]

    return repeated_when_stuck(once)


def repeated_when_stuck(work: Callable[[], Answer]) -> Answer:
    """The answer of a transaction, tried again where it and others waited for each other's rows of volumes.

    Raises:
        LedgerBusyError: It was in somebody's way each time.
    """
    for _ in range(_TRIES - 1):
        try:
            return work()
        except LedgerBusyError:
            continue
    return work()


def put_together(store: Store, statements: Sequence[Question]) -> None:
    """Write statements in one transaction; they are on the disk when this returns."""

    def once() -> None:
        with store.writing() as transaction:
            for statement in statements:
                transaction.put(*statement)

    repeated_when_stuck(once)


def locks_for(events: Sequence[LedgerEvent]) -> tuple[list[Lock], list[Lock]]:
    """What is to be locked before events are appended: their attempts alone, and with others who append."""
    alone = [attempt_lock(event.merchant_id, event.subject_id) for event in events if event.kind in ABOUT_ATTEMPTS]
    return alone, [recording_lock(merchant_id) for merchant_id in sorted({event.merchant_id for event in events})]


def attempt_lock(merchant_id: str, attempt_id: str) -> Lock:
    """Whoever derives this attempt anew."""
    return merchant_id, "attempt", attempt_id


def recording_lock(merchant_id: str) -> Lock:
    """Whoever records for this merchant: together, but for a back-fill, which is alone."""
    return merchant_id, "recording"


def append(transaction: Transaction, event: LedgerEvent, now: int, outbox: Outbox = SILENT) -> bool:
    """Append one event and what follows from it; False when it was told before.

    Args:
        outbox: Who is told of a recovery that ends or begins again with it.
    """
    if transaction.change("insert_event", row_of(event, now)) == 0:
        _require_same(transaction, event)
        return False
    if event.kind in ABOUT_ATTEMPTS:
        payments, sent_back = _derive_attempt(transaction, event)
        changes_standing = sent_back or _is_approval(event)
    else:
        transaction.put("put_standing", _standing_row(event))
        payments = {event.subject_id} if TOPICS[event.kind] == "payment" else set()
        sent_back, changes_standing = False, True
    if changes_standing:
        for payment_id in sorted(payments):
            stand_after_return(transaction, event.merchant_id, payment_id, ever=sent_back)
    if outbox.tells(event.merchant_id):
        reopened_at = event.said_at if event.kind is EventKind.REOPENED else None
        for payment_id in sorted(payments):
            follow(transaction, outbox, event.merchant_id, payment_id, now, reopened_at)
    return True


def record_batch(
    store: Store, merchant_id: str, events: Sequence[LedgerEvent], now: int, done: Values | None = None
) -> Recorded:
    """Append many reports of one merchant's attempts at once, and note in the same transaction how far it got.

    Nobody else records for this merchant meanwhile, so that what is new can be told from what is not beforehand.
    """

    def once() -> int:
        with store.writing([recording_lock(merchant_id)]) as transaction:
            fresh, others = _parted(transaction, merchant_id, events)
            transaction.put_all("insert_event", (row_of(event, now) for event in fresh))
            rows = (attempt_row(merchant_id, event.facts) for event in fresh if event.facts)
            transaction.put_all("put_attempt", rows)
            if done is not None:
                transaction.put("put_backfilled", done)
            return len(fresh) + sum(append(transaction, event, now) for event in others)

    new = repeated_when_stuck(once)
    return Recorded(new, len(events) - new)


def row_of(event: LedgerEvent, now: int) -> Values:
    """An event as a row."""
    return {
        "merchant_id": event.merchant_id,
        "source": event.source.value,
        "source_event_id": event.source_event_id,
        "kind": event.kind.value,
        "subject_id": event.subject_id,
        "said_at": event.said_at,
        "recorded_at": now,
        "body": event.body,
    }


def attempt_row(merchant_id: str, facts: Facts) -> Values:
    """An attempt as a row."""
    row: dict[str, Value] = {name: getattr(facts, name) for name in Facts.__slots__}
    row["merchant_id"], row["flavour"] = merchant_id, flavour_of(facts)
    answered = (facts.code, facts.subcode, facts.advice_code, facts.category, facts.retryability, facts.min_wait_hours)
    row["ending"] = ending_of(facts.processor, facts.outcome, facts.network, *answered)
    return row


def _parted(
    transaction: Transaction, merchant_id: str, events: Sequence[LedgerEvent]
) -> tuple[list[LedgerEvent], list[LedgerEvent]]:
    """The first reports of attempts that nothing has been told about, and the rest."""
    ids = orjson.dumps([event.subject_id for event in events]).decode()
    (rows,) = transaction.ask(("subjects_told_of", {"merchant_id": merchant_id, "subject_ids": ids}))
    known = {str(row[0]) for row in rows}
    fresh: list[LedgerEvent] = []
    others: list[LedgerEvent] = []
    for event in events:
        (others if event.subject_id in known else fresh).append(event)
        known.add(event.subject_id)
    return fresh, others


def _require_same(transaction: Transaction, event: LedgerEvent) -> None:
    (rows,) = transaction.ask(("event_body", row_of(event, 0)))
    if rows != [(event.kind.value, event.subject_id, event.said_at, event.body)]:
        raise InvalidValueError(
            "source_event_id", event.source_event_id, "an id that was not used before for something else"
        )


def _derive_attempt(transaction: Transaction, event: LedgerEvent) -> tuple[set[str], bool]:
    """Derive the attempt anew; every payment that it was ever said to be of, and whether it was ever sent back."""
    where: dict[str, Value] = {"merchant_id": event.merchant_id, "subject_id": event.subject_id}
    (rows,) = transaction.ask(("attempt_events", where))
    statements = list(_statements(event, rows))
    facts = fold(statements)
    if facts is not None:
        transaction.put("put_attempt", attempt_row(event.merchant_id, facts))
    elif len(rows) > 1:
        transaction.put("drop_attempt", {"merchant_id": event.merchant_id, "attempt_id": event.subject_id})
    payments = {statement.facts.payment_id for statement in statements if statement.facts}
    return payments, any(statement.kind is EventKind.REVERSED for statement in statements)


def _is_approval(event: LedgerEvent) -> bool:
    return event.facts is not None and event.facts.outcome == Outcome.APPROVED


def _statements(event: LedgerEvent, rows: Sequence[Row]) -> Iterator[Statement]:
    if len(rows) == 1:
        yield Statement(event.kind, event.source, event.said_at, event.body, event.facts, event.returned)
    else:
        yield from statements_of(event.merchant_id, event.subject_id, rows)


def _standing_row(event: LedgerEvent) -> Values:
    return {
        "merchant_id": event.merchant_id,
        "topic": TOPICS[event.kind],
        "subject_id": event.subject_id,
        "word": event.kind.value,
        "said_at": event.said_at,
    }

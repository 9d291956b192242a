"""From what an event of a provider says to events of the ledger."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import assert_never

from pydantic import TypeAdapter

from features.declines.unknown import is_unknown
from features.errors import InvalidValueError
from features.instants import from_micros, to_micros
from features.payment import Payment
from features.sources.statement import (
    AttemptApproved,
    AttemptReturned,
    AttemptTold,
    MoneyWentBack,
    Notice,
    Stands,
)
from features.vocabulary import Outcome, Precision
from serving.ledger.events import EventKind, LedgerEvent, Source, reported, sent_back
from serving.ledger.events import told as told_event
from serving.ledger.facts import Facts, facts_of
from serving.ledger.ledger import Ledger
from serving.ledger.money_back import MoneyBack, put_money_back
from serving.ledger.store import Row, number_of

CLOCKS_APART = timedelta(minutes=5)
_UNSIGNED = (1 << 63) - 1
_FACTS = TypeAdapter(Facts)


@dataclass(frozen=True, slots=True)
class Told:
    """What of a notice was told to the ledger.

    Args:
        new: How many of its events were new.
        missing: Attempts that it tells the end of, and that nobody has told the ledger of yet.
        unknown: The processors of its declines whose code stands in no table.
    """

    new: int = 0
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def tell(ledger: Ledger, merchant_id: str, source: str, notice: Notice, now: datetime) -> Told:
    """Tell the ledger what a notice says; told again, nothing changes.

    Raises:
        InvalidValueError: An id or an instant cannot be used; nothing of the notice is told then.
        CardNumberError: An id looks like a card number.
        InputError: The ledger cannot be reached.
    """
    events: list[LedgerEvent] = []
    missing: list[str] = []
    back: list[MoneyBack] = []
    for statement in notice.statements:
        if isinstance(statement, MoneyWentBack):
            back.append(_money_back(merchant_id, f"{source}/{notice.event_id}", statement, now))
            continue
        event = _event(ledger, merchant_id, f"{source}/{notice.event_id}", statement)
        if event is None:
            missing.append(statement.attempt_id if isinstance(statement, AttemptApproved) else "")
        else:
            _check_instants(event, now)
            events.append(event)
    new = ledger.record(events, now).new if events else 0
    new += put_money_back(ledger.store, back, now) if back else 0
    attempts = [one.attempt for one in notice.statements if isinstance(one, AttemptTold)]
    return Told(new, tuple(missing), tuple(one.processor for one in attempts if is_unknown(one.decline)))


def _money_back(merchant_id: str, event_id: str, told: MoneyWentBack, now: datetime) -> MoneyBack:
    _check_instant(to_micros(told.at), now)
    return MoneyBack(merchant_id, Source.WEBHOOK, event_id, told.attempt_id, told.way, told.amount_minor, told.at)


def _event(
    ledger: Ledger, merchant_id: str, event_id: str, statement: AttemptTold | AttemptApproved | AttemptReturned | Stands
) -> LedgerEvent | None:
    """The event of a statement; None where it says the end of an attempt that is not known yet."""
    match statement:
        case AttemptTold(attempt, method, customer_id):
            payment = Payment(attempt.payment_id, merchant_id, customer_id, attempt.amount, attempt.at, attempt.at)
            event = reported(merchant_id, Source.DELIVERED, event_id, facts_of(attempt, method, payment))
        case AttemptApproved(attempt_id, at):
            known = known_facts(ledger, merchant_id, attempt_id)
            if known is None:
                return None
            event = reported(merchant_id, Source.DELIVERED, event_id, _approved(known, at))
        case AttemptReturned(attempt_id, decline, at):
            event = sent_back(merchant_id, Source.WEBHOOK, event_id, attempt_id, decline, at)
        case Stands(word, subject_id, at):
            event = told_event(merchant_id, Source.WEBHOOK, event_id, EventKind(word.value), subject_id, at)
        case _:
            assert_never(statement)
    # A later version may read more of the same event: what it reads is told as something new, as histories are.
    said = number_of(event.kind, event.subject_id, str(event.said_at), event.body) & _UNSIGNED
    return replace(event, source_event_id=f"{event_id}/x{said:x}")


def _approved(known: Facts, at: datetime) -> Facts:
    """The attempt with its end. What was attempted is repeated from others, so it never outranks what they say: it
    stands behind every exact report, as what is known to the day does."""
    return replace(
        known,
        outcome=Outcome.APPROVED.value,
        precision=Precision.DAY.value,
        known_at=max(known.at, to_micros(at)),
        code=None,
        subcode=None,
        advice_code=None,
        category=None,
        retryability=None,
        min_wait_hours=None,
    )


def known_facts(ledger: Ledger, merchant_id: str, attempt_id: str) -> Facts | None:
    """An attempt as it counts, or None."""
    with ledger.store.reading() as transaction:
        (rows,) = transaction.ask(("attempt_facts", {"merchant_id": merchant_id, "attempt_id": attempt_id}))
    return facts_from(rows[0]) if rows else None


def facts_from(row: Row) -> Facts:
    """An attempt as it stands in the table; the columns in the order of the facts."""
    return _FACTS.validate_python(dict(zip(Facts.__slots__, row, strict=True)))


def _check_instants(event: LedgerEvent, now: datetime) -> None:
    """What is said to happen later than now would outrank all that is said until then."""
    at = event.facts.at if event.facts else event.said_at
    _check_instant(max(event.said_at, at), now)


def _check_instant(at: int, now: datetime) -> None:
    if at > to_micros(now + CLOCKS_APART):
        shown = from_micros(at).isoformat()
        raise InvalidValueError("said_at", shown, f"an instant not after {now.isoformat()}")

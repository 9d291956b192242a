"""An attempt's id is its own: a report of another attempt under it would make the counters forget the first one."""

from collections.abc import Sequence

from serving.errors import FieldError, Kind, RequestError
from serving.ledger.events import EventKind, LedgerEvent
from serving.ledger.facts import Facts
from serving.ledger.recording import row_of
from serving.ledger.store import Question, Store, Value

_OWN = ("payment_id", "method_id")


def require_own_ids(store: Store, events: Sequence[LedgerEvent], places: Sequence[str]) -> None:
    """Refuse what is reported for the first time under the id of an attempt on another payment or method.

    A correction may say that the payment or the method was another one.

    Args:
        places: Of each event, where it stands in the request, such as `[3].`.

    Raises:
        RequestError: An id is known as that of another attempt.
        InputError: The ledger cannot be reached.
    """
    reports = [
        (event, event.facts, place)
        for event, place in zip(events, places, strict=True)
        if event.kind is EventKind.REPORTED and event.facts is not None
    ]
    with store.reading() as transaction:
        found = transaction.ask(*(question for event, _, _ in reports for question in _asked(event)))
    whose: dict[tuple[str, str], tuple[str, ...]] = {}
    for (event, facts, place), known, again in zip(reports, found[::2], found[1::2], strict=True):
        told = facts.payment_id, facts.method_id
        before = whose.setdefault((event.merchant_id, event.subject_id), _whose(known[0]) if known else told)
        if before != told and not again:
            expected = "an id of its own: this one is of an attempt on payment {} with method {}".format(*before)
            fault = FieldError(f"{place}attempt_id", event.subject_id, expected)
            raise RequestError(Kind.CONFLICT, f"Attempt {event.subject_id} is known as another one", (fault,))


def _asked(event: LedgerEvent) -> tuple[Question, Question]:
    """The attempt of that id as it counts, and whether this very event was told before."""
    attempt: dict[str, Value] = {"merchant_id": event.merchant_id, "attempt_id": event.subject_id}
    return ("attempt_facts", attempt), ("event_body", row_of(event, 0))


def _whose(row: Sequence[Value]) -> tuple[str, ...]:
    facts = dict(zip(Facts.__slots__, row, strict=True))
    return tuple(str(facts[name]) for name in _OWN)

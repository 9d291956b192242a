"""An attempt's id is its own: a report of another attempt under it would make the counters forget the first one."""

from collections.abc import Sequence

from serving.errors import FieldError, Kind, RequestError
from serving.ledger.events import EventKind, LedgerEvent
from serving.ledger.identity import Identity, authority_of, of_another
from serving.ledger.recording import row_of
from serving.ledger.statements import statements_of
from serving.ledger.store import Question, Store


def require_own_ids(store: Store, events: Sequence[LedgerEvent], places: Sequence[str]) -> None:
    """Refuse what is reported for the first time under the id of an attempt on another payment or method.

    A correction may say that the payment or the method was another one. What only a processor has said of it gives way.

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
    first: dict[tuple[str, str], Identity] = {}
    for (event, facts, place), told, again in zip(reports, found[::2], found[1::2], strict=True):
        known = statements_of(event.merchant_id, event.subject_id, told)
        own = facts.payment_id, facts.method_id
        beside = first.setdefault((event.merchant_id, event.subject_id), own)
        another = beside if beside != own else of_another(facts, authority_of(event), known)
        if another and not again:
            expected = "an id of its own: this one is of an attempt on payment {} with method {}".format(*another)
            fault = FieldError(f"{place}attempt_id", event.subject_id, expected)
            raise RequestError(Kind.CONFLICT, f"Attempt {event.subject_id} is known as another one", (fault,))


def _asked(event: LedgerEvent) -> tuple[Question, Question]:
    """What is known of the attempt of that id, and whether this very event was told before."""
    where = {"merchant_id": event.merchant_id, "subject_id": event.subject_id}
    return ("attempt_events", where), ("event_body", row_of(event, 0))

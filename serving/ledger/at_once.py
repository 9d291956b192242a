"""Reservations that a glance at their counters allows, which nearly all are: one statement, one exchange.

The database is told how many attempts use no cap up and which endings set nothing off; where that does not settle it,
nothing happens and the rules have to be looked at.
"""

from features.instants import to_micros
from serving.ledger.counting import READ_WHOLE
from serving.ledger.holds import locks_of
from serving.ledger.reservations import Reservation
from serving.ledger.selecting import Selected
from serving.ledger.store import Question, Store, Value, Values


def reserve_at_once(
    store: Store, selected: Selected, wanted: Reservation, values: Values, beside: Question | None = None
) -> bool:
    """Hold what is wanted if a glance allows it; False where nothing was held and nothing is known.

    Args:
        values: The reservation as a row.
        beside: What is written in the same transaction, where the hold is made.

    Raises:
        LedgerConflictError: There is a reservation of that id.
    """
    proposal = wanted.proposal
    if not selected.clear_below or not proposal.method.consented:
        return False
    since, harmless = selected.reach.by_scope(to_micros(wanted.at)), selected.harmless
    asked: dict[str, Value] = {
        **values,
        "clear_below": selected.clear_below,
        "since_method": since["method"],
        "since_mandate": since["mandate"],
        "whole": READ_WHOLE,
        "harmless_here": harmless.here.listed,
        "harmless_elsewhere": harmless.elsewhere.listed,
        "array_of_harmless_here": harmless.here.array,
        "array_of_harmless_elsewhere": harmless.elsewhere.array,
    }
    return store.at_once("reserve_at_once", asked, locks_of(proposal), beside)

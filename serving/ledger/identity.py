"""Which payment and method an attempt is of, where several say it: whoever can know best is believed."""

from collections.abc import Iterable
from enum import IntEnum

from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR
from features.vocabulary import Precision
from serving.ledger.events import EventKind, LedgerEvent, Source
from serving.ledger.facts import Facts
from serving.ledger.statements import Statement

Identity = tuple[str, str]
"""Payment and method."""


class Authority(IntEnum):
    """How well somebody can know it, the best last."""

    DERIVED = 0  # a processor, which names payments in its own way where the merchant's name does not travel with them
    ASSUMED = 1  # the caller, beside a question: what is left out is taken for that payment's
    EXPORTED = 2  # a history, which may be exported and read anew
    STATED = 3  # the caller, of this attempt
    HELD = 4  # Recoup itself, which held a place for it
    CORRECTED = 5  # whoever says that it was wrong before


def authority_of(statement: Statement | LedgerEvent) -> Authority:
    """How well whoever says it can know."""
    if statement.kind is EventKind.CORRECTED:
        return Authority.CORRECTED
    if statement.facts is not None and statement.facts.reservation_id is not None:
        return Authority.HELD
    return _BY_SOURCE[statement.source]


_LATER_STANDS = frozenset({Authority.DERIVED, Authority.EXPORTED, Authority.CORRECTED})
_BY_SOURCE = {
    Source.DELIVERED: Authority.DERIVED,
    Source.LISTED: Authority.ASSUMED,
    Source.HISTORY: Authority.EXPORTED,
    Source.WEBHOOK: Authority.STATED,
    Source.REPORTED: Authority.STATED,
    Source.ADVISED: Authority.STATED,
}


def identity(statements: Iterable[Statement]) -> tuple[Identity, Authority] | None:
    """Whose the attempt is, and who says so; None where nobody told of an attempt. In which order they told is nothing.

    A later correction, event or export stands for an earlier one, as it may know more. Of the caller, and of what was
    held, the first stands: another attempt under the same id would make the counters forget the first one.
    """
    told = _told(statements)
    for authority in sorted(told, reverse=True):
        facts, derived = told[authority], told.get(Authority.DERIVED)
        if authority is Authority.ASSUMED and derived and not _alike(facts, derived):
            continue
        return (facts.payment_id, facts.method_id), authority
    return None


def of_another(own: Facts, authority: Authority, statements: Iterable[Statement]) -> Identity | None:
    """Whose the attempt is known to be, where that is another and somebody says so who knows as well; else None.

    What only a processor says gives way to the caller where it is the same attempt in all but the payment's name: a
    processor files it under a name of its own where the merchant's did not travel with it.
    """
    statements = list(statements)
    known = identity(statements)
    if known is None or known[0] == (own.payment_id, own.method_id):
        return None
    if known[1] is Authority.DERIVED < authority and _alike(own, _told(statements)[Authority.DERIVED]):
        return None
    return known[0]


def _told(statements: Iterable[Statement]) -> dict[Authority, Facts]:
    """What stands of each authority."""
    found: dict[Authority, Facts] = {}
    for statement in sorted(statements, key=lambda statement: statement.standing):
        authority = authority_of(statement)
        if statement.facts is not None and (authority in _LATER_STANDS or authority not in found):
            found[authority] = statement.facts
    return found


def _alike(one: Facts, other: Facts) -> bool:
    """Whether both can be the same attempt, whatever payment they name; two clocks may be an hour apart."""
    same = (one.method_id, one.amount_minor, one.currency) == (other.method_id, other.amount_minor, other.currency)
    by_day = Precision.DAY in {one.precision, other.precision}
    return same and abs(one.at - other.at) <= (MICROS_PER_DAY if by_day else MICROS_PER_HOUR)

"""Why a row of an export cannot be used: the field, the value and what would be right."""

from dataclasses import dataclass
from enum import StrEnum

from features.card_number import mask_card_numbers
from features.errors import shorten

_SHOWN = 120


class Reason(StrEnum):
    """The kinds of refusal, as the summary counts them."""

    MISSING = "missing"
    NOT_ACCEPTED = "not accepted"
    NOT_LISTED = "not in the value table"
    CARD_NUMBER = "card number"
    DUPLICATE = "duplicate"
    MALFORMED = "malformed row"


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with one cell; `expected` is a phrase that follows "expected"."""

    reason: Reason
    expected: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One refused cell of one row.

    Args:
        field: The history field it was read for; empty where the fault is of the row or of an unused column.
        column: The export's column or template; empty where the fault is of the whole row.
        value: The cell as it stood, shortened; empty for card numbers, which are never repeated.
    """

    field: str
    column: str
    value: str
    refusal: Refusal


def fault(field: str, column: str, value: str, refusal: Refusal) -> Fault:
    """A fault that is safe to print: card numbers masked, long values shortened."""
    shown = "" if refusal.reason is Reason.CARD_NUMBER else mask_card_numbers(value)
    return Fault(field, mask_card_numbers(column), shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…", refusal)


def not_accepted(expected: str) -> Refusal:
    """A value that the field does not take."""
    return Refusal(Reason.NOT_ACCEPTED, expected)


def sentence(found: Fault) -> str:
    """The fault as a person reads it.

    >>> sentence(fault("outcome", "status", "payed", not_accepted("one of approved, declined")))
    "outcome: 'payed' is not accepted; expected one of approved, declined"
    """
    place = found.field or found.column or "row"
    match found.refusal.reason:
        case Reason.CARD_NUMBER:
            return f"{place}: looks like a card number and was refused; expected {found.refusal.expected}"
        case Reason.MISSING:
            return f"{place}: is empty; expected {found.refusal.expected}"
        case reason:
            return f"{place}: {shorten(found.value)} is {reason}; expected {found.refusal.expected}"

"""What all that was told about one attempt says together, in whatever order it was told."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from features.vocabulary import Initiator, Outcome, Precision
from serving.ledger.events import EventKind, Return
from serving.ledger.facts import Facts

_RANKS = {EventKind.REPORTED: 0, EventKind.REVERSED: 1, EventKind.CORRECTED: 2}


@dataclass(frozen=True, slots=True)
class Statement:
    """One event about the attempt; `body` breaks ties, so that every order of telling ends the same."""

    kind: EventKind
    said_at: int
    body: str
    facts: Facts | None = None
    returned: Return | None = None


def fold(statements: Iterable[Statement]) -> Facts | None:
    """The attempt as it counts; None when it never took place, or when only its reversal has been told so far.

    What was attempted is what the latest correction says, else the latest report. What came of it is what was
    said last by somebody who knew: a debit that came back after it was taken is a decline.
    """
    told = sorted(statements, key=_standing)
    if any(statement.kind is EventKind.WITHDRAWN for statement in told):
        return None
    full = [statement.facts for statement in told if statement.facts is not None]
    return _with_outcome(_attempted(full), told) if full else None


def _standing(statement: Statement) -> tuple[bool, bool, int, str]:
    facts = statement.facts
    exact = facts is None or facts.precision != Precision.DAY
    return statement.kind is EventKind.CORRECTED, exact, statement.said_at, statement.body


def _attempted(full: list[Facts]) -> Facts:
    """The last in standing, with what it left open filled from those before it."""
    best = full[-1]
    return replace(
        best,
        initiator=_last([f.initiator for f in full if f.initiator != Initiator.UNKNOWN]) or best.initiator,
        mandate_id=_last([f.mandate_id for f in full]),
        issuer_country=_last([f.issuer_country for f in full]),
        market=_last([f.market for f in full]),
        merchant_country=_last([f.merchant_country for f in full]),
        reservation_id=_last([f.reservation_id for f in full]),
    )


def _last(values: list[str | None] | list[str]) -> str | None:
    return next((value for value in reversed(values) if value is not None), None)


def _with_outcome(attempted: Facts, told: list[Statement]) -> Facts:
    last = max(told, key=_knowing)
    if last.returned is not None:
        return _came_back(attempted, last.returned, last.said_at)
    if last.facts is None:
        return attempted
    came = last.facts
    return replace(
        attempted,
        outcome=came.outcome,
        known_at=came.known_at,
        code=came.code,
        subcode=came.subcode,
        advice_code=came.advice_code,
        category=came.category,
        retryability=came.retryability,
        min_wait_hours=came.min_wait_hours,
    )


def _knowing(statement: Statement) -> tuple[bool, int, int, bool, str]:
    """Of two who contradict each other about the same moment the one stands who says that money was taken."""
    known = statement.facts is None or statement.facts.outcome != Outcome.UNKNOWN
    approved = statement.facts is not None and statement.facts.outcome == Outcome.APPROVED
    return known, statement.said_at, _RANKS[statement.kind], approved, statement.body


def _came_back(attempted: Facts, returned: Return, at: int) -> Facts:
    return replace(
        attempted,
        outcome=Outcome.DECLINED.value,
        known_at=at,
        code=returned.code,
        subcode=returned.subcode,
        advice_code=returned.advice_code,
        category=returned.category,
        retryability=returned.retryability,
        min_wait_hours=returned.min_wait_hours,
    )

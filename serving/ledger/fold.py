"""What all that was told about one attempt says together, in whatever order it was told."""

from collections.abc import Iterable
from dataclasses import replace

from features.countries import country_or_market
from features.declines.taxonomy import classify
from features.instants import from_micros
from features.vocabulary import Credential, DeclineCategory, Initiator, Network, Outcome, Rail
from serving.ledger.events import EventKind, Return
from serving.ledger.facts import Facts
from serving.ledger.identity import identity
from serving.ledger.statements import Statement

_RANKS = {EventKind.REPORTED: 0, EventKind.REVERSED: 1, EventKind.CORRECTED: 2}


def fold(statements: Iterable[Statement]) -> Facts | None:
    """The attempt as it counts; None when it never took place, or when only its reversal has been told so far.

    What was attempted is what the latest correction says, else the latest report; whose it was, whoever knows best.
    What came of it is what was said last by somebody who knew: a debit that came back after it was taken is a decline.
    """
    told = sorted(statements, key=lambda statement: statement.standing)
    if any(statement.kind is EventKind.WITHDRAWN for statement in told):
        return None
    attempted = _attempted(told)
    return None if attempted is None else _with_outcome(attempted, told)


def _attempted(told: list[Statement]) -> Facts | None:
    """The last in standing, with what it left open filled from those before it, and of whom whoever knows best says."""
    full = [statement.facts for statement in told if statement.facts is not None]
    whose = identity(told)
    if not full or whose is None:
        return None
    (payment_id, method_id), _ = whose
    best = full[-1]
    return replace(
        best,
        payment_id=payment_id,
        method_id=method_id,
        rail=_last([f.rail for f in full if f.rail != Rail.UNKNOWN]) or best.rail,
        network=_last([f.network for f in full if f.network != Network.UNKNOWN]) or best.network,
        credential=_last([f.credential for f in full if f.credential != Credential.UNKNOWN]) or best.credential,
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
    came = _read_on(last.facts, attempted.network)
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


def _read_on(came: Facts, network: str) -> Facts:
    """What was told without a network, its code read as the network of the attempt has it, where that knows it."""
    if came.category is None or came.network != Network.UNKNOWN or network == Network.UNKNOWN:
        return came
    read = classify(
        came.code,
        processor=came.processor,
        network=Network(network),
        subcode=came.subcode,
        advice_code=came.advice_code,
        country=country_or_market(came.issuer_country, came.market),
        at=from_micros(came.at),
    )
    if read.category is DeclineCategory.UNKNOWN:
        return came
    return replace(came, category=read.category, retryability=read.retryability, min_wait_hours=read.min_wait_hours)


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

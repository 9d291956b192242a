"""What is left of every limit for a method, and when it frees."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from features.errors import InvalidValueError
from features.instants import require_aware, to_micros
from features.money import Money
from features.vocabulary import Initiator
from model.caps.engine import Proposal, Verdict
from serving.ledger.facts import Facts, proposal_of
from serving.ledger.ledger import Ledger
from serving.ledger.store import Row, Value

# Payments that were tried longer ago than any card counter looks back are of no use to anybody.
_RECENT = timedelta(days=62)
_MOST = 64


@dataclass(frozen=True, slots=True)
class Budget:
    """One rule's limit on one kind of attempt.

    Args:
        left: How many more it allows now; None for a rule that does not count.
    """

    verdict: Verdict
    left: int | None


@dataclass(frozen=True, slots=True)
class MethodBudget:
    """What is left for one payment, amount, processor and initiator with a method."""

    payment_id: str
    amount: Money
    processor: str
    initiator: Initiator
    budgets: tuple[Budget, ...]


def budgets(ledger: Ledger, proposal: Proposal, at: datetime) -> tuple[Budget, ...]:
    """What every rule leaves for such an attempt at an instant."""
    return tuple(Budget(verdict, _left(verdict)) for verdict in ledger.verdicts(proposal, at))


def budgets_of_method(ledger: Ledger, merchant_id: str, method_id: str, at: datetime) -> tuple[MethodBudget, ...]:
    """The budgets of everything the method was lately tried with, newest first.

    Raises:
        InvalidValueError: The method was not tried lately.
    """
    values: dict[str, Value] = {
        "merchant_id": merchant_id,
        "method_id": method_id,
        "since": to_micros(require_aware("at", at) - _RECENT),
        "most": _MOST,
    }
    with ledger.store.reading() as transaction:
        (rows,) = transaction.ask(("tried_lately", values))
    if not rows:
        raise InvalidValueError("method_id", method_id, f"a method tried within {_RECENT.days} days")
    proposals = {_kind(proposal): proposal for proposal in _proposals(merchant_id, rows)}.values()
    return tuple(MethodBudget(*_kind(proposal), budgets(ledger, proposal, at)) for proposal in proposals)


def _kind(proposal: Proposal) -> tuple[str, Money, str, Initiator]:
    return proposal.payment.payment_id, proposal.payment.amount, proposal.processor, proposal.initiator


def _proposals(merchant_id: str, rows: list[Row]) -> Iterator[Proposal]:
    for row in rows:
        yield proposal_of(merchant_id, Facts(*row))  # type: ignore[arg-type]  # the columns of the query


def _left(verdict: Verdict) -> int | None:
    return None if verdict.limit is None else max(verdict.limit - (verdict.used or 0), 0)

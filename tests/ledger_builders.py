"""Attempts as they are told to a ledger, for tests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from cap_builders import AMOUNT, NOW, a_method, a_payment, an_attempt
from features.attempt import Attempt
from features.method import Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Outcome
from model.caps.engine import Proposal, Verdict
from model.caps.rule import CapRule, Counts, KeyPart, Kind, Window, WindowKind
from model.caps.rulebook import Rulebook
from serving.ledger.events import LedgerEvent, Source, corrected, reported
from serving.ledger.facts import Facts, facts_of
from serving.ledger.store import Value, Values

MERCHANT = "acme"
MINUTE = timedelta(minutes=1)
_ABOUT_VOLUMES = {rule.rule_id for rule in Rulebook.load().rules if rule.kind is Kind.VOLUME}
UNDER_A_MANDATE = CapRule(
    rule_id="mandate-cap",
    kind=Kind.CAP,
    who="The scheme",
    what="debits under this mandate",
    key=(KeyPart.MANDATE,),
    sources=(),
    confidence="high",
    counts=Counts.DECLINES,
    limit=3,
    window=Window(WindowKind.ROLLING, 720),
)


def a_proposal(
    payment_id: str = "pay", method: Method | None = None, amount: Money = AMOUNT, processor: str = "north"
) -> Proposal:
    return Proposal(a_payment(payment_id, amount), method or a_method(), processor)


def told(
    attempt: Attempt, method: Method | None = None, *, source: Source = Source.WEBHOOK, event_id: str | None = None
) -> LedgerEvent:
    """The attempt reported by a source."""
    facts = facts_about(attempt, method)
    return reported(MERCHANT, source, event_id or f"{source}-{facts.attempt_id}-{facts.outcome}", facts)


def facts_about(attempt: Attempt, method: Method | None = None) -> Facts:
    return facts_of(attempt, method or a_method(), payment_of(attempt))


def corrected_to(attempt: Attempt, method: Method | None = None, *, at: datetime = NOW) -> LedgerEvent:
    return corrected(MERCHANT, Source.REPORTED, f"fix-{attempt.attempt_id}", facts_about(attempt, method), at)


def payment_of(attempt: Attempt) -> Payment:
    return a_payment(attempt.payment_id, attempt.amount)


def approved(attempt: Attempt) -> Attempt:
    return replace(attempt, outcome=Outcome.APPROVED, decline=None)


def apart_from_volumes(said: Sequence[Verdict]) -> tuple[Verdict, ...]:
    """What the rules say that look at a proposal's own counters only."""
    return tuple(verdict for verdict in said if verdict.rule_id not in _ABOUT_VOLUMES)


def declines(amount: int, method: Method | None = None, *, every: float = 6, code: str = "51") -> list[Attempt]:
    """That many declines, each on a payment of its own, the last one `every` hours before NOW."""
    return [an_attempt(every * (i + 1), code, method=method, payment_id=f"past{i}") for i in range(amount)]


def inserted(attempt: Values, version: int) -> str:
    """The statement that writes an attempt's row into a ledger of an earlier version, which has fewer columns."""
    told = {{"precision": "at_precision"}.get(name, name): value for name, value in attempt.items()}
    if version < 7:
        told.pop("ending")
    return f"INSERT INTO attempt ({', '.join(told)}) VALUES ({', '.join(map(_literal, told.values()))});\n"


def _literal(value: Value) -> str:
    return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)

"""Failed payments for tests of the caps: one payment of one merchant, and attempts counted in hours before now."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from features.attempt import Attempt
from features.context import Context
from features.declines.taxonomy import classify
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Credential, Initiator, Network, Outcome, Precision, Rail
from model.caps.engine import Proposal, Volumes, verdicts
from model.caps.rulebook import Rulebook
from model.caps.tally import tally_of
from model.caps.verdict import Verdict

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)
AMOUNT = Money(1250, "EUR")


def hours(count: float) -> timedelta:
    return timedelta(hours=count)


def a_payment(
    payment_id: str = "pay", amount: Money = AMOUNT, merchant_country: str | None = "DE", market: str | None = None
) -> Payment:
    due, until = NOW - timedelta(days=400), NOW + timedelta(days=400)
    return Payment(payment_id, "acme", "cus", amount, due, until, market=market, merchant_country=merchant_country)


def a_method(
    network: Network = Network.VISA,
    method_id: str = "pm",
    rail: Rail = Rail.CARD,
    country: str | None = "DE",
    mandate_id: str | None = None,
    credential: Credential = Credential.PAN,
) -> Method:
    return Method(method_id, rail, network, Issuer(country=country), credential=credential, mandate_id=mandate_id)


def an_attempt(
    ago: float,
    code: str | None = "51",
    *,
    method: Method | None = None,
    payment_id: str = "pay",
    amount: Money = AMOUNT,
    outcome: Outcome = Outcome.DECLINED,
    initiator: Initiator = Initiator.MERCHANT,
    advice: str | None = None,
    processor: str = "north",
    precision: Precision = Precision.INSTANT,
    before: datetime = NOW,
) -> Attempt:
    """An attempt `ago` hours before `before`."""
    on = method or a_method()
    declined = outcome is Outcome.DECLINED
    decline = classify(code, processor=processor, network=on.network, advice_code=advice) if declined else None
    at = before - hours(ago)
    return Attempt(
        attempt_id=f"{at.isoformat()}-{on.method_id}-{initiator}-{amount.amount_minor}",
        payment_id=payment_id,
        method_id=on.method_id,
        processor=processor,
        amount=amount,
        at=at,
        outcome=outcome,
        initiator=initiator,
        decline=decline,
        precision=precision,
    )


def a_context(
    attempts: Sequence[Attempt], *methods: Method, payment: Payment | None = None, as_of: datetime = NOW
) -> Context:
    return Context(payment or a_payment(), methods or (a_method(),), tuple(attempts), as_of)


def judged(
    attempts: Sequence[Attempt],
    method: Method | None = None,
    *,
    at: datetime = NOW,
    payment: Payment | None = None,
    initiator: Initiator = Initiator.MERCHANT,
    rulebook: Rulebook | None = None,
    processor: str = "north",
    decided_at: datetime | None = None,
    volumes: Volumes | None = None,
) -> dict[str, Verdict]:
    """Every verdict by rule on one more attempt at an instant."""
    on, owed = method or a_method(), payment or a_payment()
    known = a_context([a for a in attempts if a.at <= at], on, payment=owed, as_of=at)
    proposal = Proposal(owed, on, processor, initiator, decided_at)
    found = verdicts(rulebook or Rulebook.load(), tally_of(known), proposal, at, volumes or Volumes())
    return {verdict.rule_id: verdict for verdict in found}

"""One attempt in plain values: as it is told, kept in a column each, and counted."""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import orjson

from features.attempt import Attempt
from features.decline import Decline
from features.declines.rewritten import hidden_codes
from features.declines.taxonomy import classify, network_code
from features.instants import MICROS_PER_HOUR, from_micros, to_micros
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import (
    Credential,
    DeclineCategory,
    Initiator,
    Network,
    Outcome,
    Precision,
    Rail,
    Retryability,
)
from model.caps.engine import Proposal
from model.caps.tally import Event

# Where only the day is known the instant stands at local noon, so it may be off by half a day either way.
_HALF_A_DAY = 12 * MICROS_PER_HOUR
_DISTINCT = 4_096


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one attempt; the columns of the table `attempt`.

    Args:
        at, known_at: When it was made and when its outcome became known (microseconds since 1970, UTC).
        network: Whose rules govern it: the method's network, else the decline's.
        category, retryability, min_wait_hours: What the decline was read as; None unless declined or failed.
        reservation_id: The reservation that it used, where Recoup advised it.
    """

    attempt_id: str
    payment_id: str
    customer_id: str
    method_id: str
    mandate_id: str | None
    rail: str
    network: str
    credential: str
    issuer_country: str | None
    market: str | None
    merchant_country: str | None
    processor: str
    initiator: str
    amount_minor: int
    currency: str
    at: int
    precision: str
    outcome: str
    known_at: int
    code: str | None = None
    subcode: str | None = None
    advice_code: str | None = None
    category: str | None = None
    retryability: str | None = None
    min_wait_hours: int | None = None
    reservation_id: str | None = None


def facts_of(attempt: Attempt, method: Method, payment: Payment, reservation_id: str | None = None) -> Facts:
    """The attempt on a payment with a method, in plain values."""
    decline = attempt.decline
    network = method.network
    if network is Network.UNKNOWN and decline is not None:
        network = decline.network
    return Facts(
        attempt_id=attempt.attempt_id,
        payment_id=attempt.payment_id,
        customer_id=payment.customer_id,
        method_id=attempt.method_id,
        mandate_id=method.mandate_id,
        rail=method.rail,
        network=network,
        credential=method.credential,
        issuer_country=method.issuer.country,
        market=payment.market,
        merchant_country=payment.merchant_country,
        processor=attempt.processor,
        initiator=attempt.initiator,
        amount_minor=attempt.amount.amount_minor,
        currency=attempt.amount.currency,
        at=to_micros(attempt.at),
        precision=attempt.precision,
        outcome=attempt.outcome,
        known_at=to_micros(attempt.known_at),
        code=decline.code if decline else None,
        subcode=decline.subcode if decline else None,
        advice_code=decline.advice_code if decline else None,
        category=decline.category if decline else None,
        retryability=decline.retryability if decline else None,
        min_wait_hours=decline.min_wait_hours if decline else None,
        reservation_id=reservation_id,
    )


def flavour_of(facts: Facts) -> int:
    """A number that is equal for attempts which no rule tells apart but by time and payment (signed, 64 bits)."""
    told_apart = (
        *(facts.method_id, facts.mandate_id, facts.processor, facts.initiator, facts.amount_minor, facts.currency),
        *(facts.precision, facts.outcome, facts.network, facts.code, facts.subcode, facts.advice_code),
        *(facts.category, facts.retryability, facts.min_wait_hours, _hidden(facts)),
    )
    return _number(repr(told_apart).encode())


def ending_of(
    processor: str,
    outcome: str,
    network: str,
    code: str | None,
    subcode: str | None,
    advice_code: str | None,
    category: str | None,
    retryability: str | None,
    min_wait_hours: int | None,
) -> int:
    """A number that is equal for attempts which the trigger of no rule tells apart but by the day (signed, 64 bits)."""
    answered = (code, subcode, advice_code, category, retryability, min_wait_hours)
    return _number(orjson.dumps((processor, outcome, network, *answered)))


def _number(told_apart: bytes) -> int:
    return int.from_bytes(blake2b(told_apart, digest_size=8).digest(), "big", signed=True)


def _hidden(facts: Facts) -> list[str]:
    """What the network may have rewritten to this code on that day, which rules tell apart by the day."""
    network = Network(facts.network)
    own = network_code(facts.code, processor=facts.processor, network=network, subcode=facts.subcode)
    return sorted(hidden_codes(network, own, from_micros(facts.at).date())) if own else []


def event_of(
    merchant_id: str,
    attempt_id: str,
    payment_id: str,
    method_id: str,
    mandate_id: str | None,
    processor: str,
    amount_minor: int,
    currency: str,
    initiator: str,
    at: int,
    precision: str,
    outcome: str,
    network: str,
    code: str | None,
    subcode: str | None,
    advice_code: str | None,
    category: str | None,
    retryability: str | None,
    min_wait_hours: int | None,
    known_at: int | None = None,
) -> Event:
    """A stored attempt as counters see it; the columns in the order of the queries that count."""
    slack = _HALF_A_DAY if precision == Precision.DAY else 0
    decline, own_code = None, None
    if category is not None:
        decline, own_code = decline_of(
            network, processor, code, subcode, advice_code, category, retryability, min_wait_hours
        )
    return Event(
        attempt_id=attempt_id,
        merchant_id=merchant_id,
        payment_id=payment_id,
        method_id=method_id,
        mandate_id=mandate_id,
        processor=processor,
        amount=_money(amount_minor, currency),
        initiator=Initiator(initiator),
        at=at,
        earliest=at - slack,
        latest=at + slack,
        outcome=Outcome(outcome),
        decline=decline,
        network_code=own_code,
        known_at=known_at,
    )


@lru_cache(maxsize=_DISTINCT)
def decline_of(
    network: str,
    processor: str,
    code: str | None,
    subcode: str | None,
    advice_code: str | None,
    category: str,
    retryability: str | None,
    min_wait_hours: int | None,
) -> tuple[Decline, str | None]:
    """The decline as it was read when it was told, with its title, and the network's own code of it.

    What could not be read then is as it is read now, when the network may be known.
    """
    on = Network(network)
    named = classify(code, processor=processor, network=on, subcode=subcode, advice_code=advice_code)
    decline = Decline(
        network=on,
        code=code,
        subcode=subcode,
        category=DeclineCategory(category),
        retryability=Retryability(retryability or Retryability.UNKNOWN),
        advice_code=advice_code,
        advice=named.advice,
        min_wait_hours=min_wait_hours,
        title=named.title,
    )
    if decline.category is DeclineCategory.UNKNOWN:
        decline = named
    return decline, network_code(code, processor=processor, network=on, subcode=subcode)


def proposal_of(merchant_id: str, facts: Facts) -> Proposal:
    """The attempt as it was proposed, as far as is known of its payment and method."""
    at = from_micros(facts.at)
    payment = Payment(
        payment_id=facts.payment_id,
        merchant_id=merchant_id,
        customer_id=facts.customer_id,
        amount=_money(facts.amount_minor, facts.currency),
        due_at=at,
        recover_by=at,
        market=facts.market,
        merchant_country=facts.merchant_country,
    )
    method = Method(
        method_id=facts.method_id,
        rail=Rail(facts.rail),
        network=Network(facts.network),
        issuer=Issuer(country=facts.issuer_country),
        credential=Credential(facts.credential),
        mandate_id=facts.mandate_id,
    )
    return Proposal(payment, method, facts.processor, Initiator(facts.initiator))


@lru_cache(maxsize=_DISTINCT)
def _money(amount_minor: int, currency: str) -> Money:
    return Money(amount_minor, currency)

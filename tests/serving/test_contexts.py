"""A request becomes the same context the rest of Recoup knows, or its contradictions are named."""

from collections.abc import Callable
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import orjson
import pytest

from features.attempt import Attempt
from features.context import Context
from features.method import Issuer, Method
from features.money import Money
from features.payment import Payment
from features.vocabulary import Credential, DeclineCategory, Funding, Initiator, Network, Outcome, Retryability
from serving.contexts import context_of
from serving.errors import RequestError
from serving.requests import parse_request
from serving.schemas import AttemptIn, DecisionRequest, IssuerIn, MethodIn, PaymentIn

Document = dict[str, Any]  # a JSON document that tests take apart
NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


def context(document: Document) -> Context:
    return context_of(parse_request(orjson.dumps(document)), NOW)


def test_a_request_says_what_the_nouns_hold(document: Document) -> None:
    document["methods"][0] |= {"funding": "debit", "credential": "pan", "expires_on": "2028-03-31", "consented": False}
    document["customer_since"] = "2025-04-25"
    made = context(document)
    assert made.payment.amount == Money(2799, "EUR")
    assert made.as_of == NOW
    assert made.customer_since == date(2025, 4, 25)
    method = made.method("pm_1")
    assert (method.funding, method.credential, method.expires_on) == (Funding.DEBIT, Credential.PAN, date(2028, 3, 31))
    assert not method.consented
    assert method.issuer == Issuer(None, "DE", "Europe/Berlin")
    attempt = made.attempts[0]
    assert (attempt.payment_id, attempt.amount, attempt.initiator) == ("inv_1", Money(2799, "EUR"), Initiator.MERCHANT)
    assert attempt.decline is not None
    assert attempt.decline.category is DeclineCategory.INSUFFICIENT_FUNDS


def test_without_as_of_the_clock_of_the_service_decides(document: Document) -> None:
    del document["as_of"]
    later = NOW + timedelta(days=2)
    assert context_of(parse_request(orjson.dumps(document)), later).as_of == later


def test_retries_end_sixty_days_after_the_due_time_unless_told(document: Document) -> None:
    assert context(document).payment.recover_by == datetime(2027, 1, 22, 9, 0, tzinfo=UTC)
    document["payment"]["recover_by"] = "2026-12-01T00:00:00+01:00"
    assert context(document).payment.recover_by == datetime(2026, 11, 30, 23, 0, tzinfo=UTC)


def test_absence_of_history_is_not_taken_for_history(document: Document) -> None:
    assert not context(document).history_known
    assert context(document | {"history_known": True}).history_known


def test_an_unknown_code_is_kept_and_not_guessed(document: Document) -> None:
    document["attempts"][0]["code"] = "QX-77"
    decline = context(document).attempts[0].decline
    assert decline is not None
    assert (decline.code, decline.category) == ("QX-77", DeclineCategory.UNKNOWN)


def test_an_approved_attempt_has_no_decline(document: Document) -> None:
    document["attempts"][0] |= {"outcome": "approved", "code": "00"}
    assert context(document).attempts[0].decline is None
    assert context(document).attempts[0].outcome is Outcome.APPROVED


def test_advice_of_the_network_is_read(document: Document) -> None:
    document["attempts"][0] |= {"method_id": "pm_2", "processor": "northgate", "advice_code": "27"}
    decline = context(document).attempts[0].decline
    assert decline is not None
    assert decline.min_wait_hours == 96


CONTRADICTIONS: list[tuple[str, Callable[[Document], object], str, str]] = [
    ("unknown method", lambda d: d["attempts"][0].update(method_id="pm_3"), "attempts[0].method_id", "pm_1, pm_2"),
    ("attempt in the future", lambda d: d["attempts"][0].update(attempted_at="2026-11-24T00:00:00Z"),
     "attempts[0].attempted_at", "2026-11-23T10:15:00Z"),
    ("outcome in the future", lambda d: d["attempts"][0].update(outcome_at="2026-11-24T00:00:00Z"),
     "attempts[0].outcome_at", "outcome unknown"),
    ("outcome before its attempt", lambda d: d["attempts"][0].update(outcome_at="2026-11-22T00:00:00Z"),
     "attempts[0].outcome_at", "not before attempted_at"),
    ("two methods of one id", lambda d: d["methods"][1].update(method_id="pm_1"), "methods[1].method_id", "methods[0]"),
    ("two attempts of one id", lambda d: d["attempts"].append(d["attempts"][0]),
     "attempts[1].attempt_id", "attempts[0]"),
    ("attempts of another payment", lambda d: d["attempts"][0].update(payment_id="inv_0"),
     "attempts", "this payment"),
    ("an end before the start", lambda d: d["payment"].update(recover_by="2026-11-22T00:00:00Z"),
     "payment.recover_by", "after due_at"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "field", "expected"), [c[1:] for c in CONTRADICTIONS], ids=[c[0] for c in CONTRADICTIONS]
)
def test_contradictions_are_named(
    document: Document, change: Callable[[Document], object], field: str, expected: str
) -> None:
    change(document)
    with pytest.raises(RequestError) as caught:
        context(document)
    assert [error.field for error in caught.value.errors] == [field]
    assert expected in caught.value.errors[0].expected


# What a request calls otherwise than the noun it becomes, or leaves to the service.
RENAMED: dict[type, dict[str, str | None]] = {
    Payment: {"amount": "amount_minor"},
    Attempt: {"at": "attempted_at", "amount": "amount_minor", "decline": "code", "source": None},
    Method: {},
    Issuer: {},
    Context: {},
}


@pytest.mark.parametrize(
    ("noun", "shape"),
    [(Payment, PaymentIn), (Method, MethodIn), (Issuer, IssuerIn), (Attempt, AttemptIn), (Context, DecisionRequest)],
)
def test_every_field_of_a_noun_can_be_sent(noun: type, shape: type[DecisionRequest]) -> None:
    names = {RENAMED[noun].get(field.name, field.name) for field in fields(noun) if field.init} - {None}
    assert names <= set(shape.model_fields)


def test_networks_and_rails_are_read_as_words(document: Document) -> None:
    document["methods"][0] |= {"rail": "bank_debit", "network": "sepa_core"}
    assert context(document).method("pm_1").network is Network.SEPA_CORE


@pytest.mark.parametrize(
    ("network", "code", "market", "retryability"),
    [
        ("visa", "93", "BR", Retryability.NEVER),  # irreversible in Brazil
        ("visa", "93", "AR", Retryability.LATER),
        ("sepa_core", "MS03", "DE", Retryability.LATER),  # hides a lack of funds there
    ],
)
def test_a_code_is_read_in_the_market_where_the_issuer_s_country_is_not_stated(
    document: Document, network: str, code: str, market: str, retryability: Retryability
) -> None:
    document["payment"]["market"] = market
    (method, *_), (attempt, *_) = document["methods"], document["attempts"]
    method |= {"network": network, "rail": "bank_debit" if network == "sepa_core" else "card", "issuer": None}
    attempt |= {"method_id": method["method_id"], "code": code, "subcode": None, "advice_code": None}
    decline = context(document).attempts[0].decline
    assert decline is not None
    assert decline.retryability is retryability

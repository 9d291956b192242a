"""Checkout.com's events of payments.

Shapes: https://www.checkout.com/docs/developer-resources/event-notifications/event-types
"""

from collections.abc import Mapping

from features.countries import country_of
from features.declines.taxonomy import classify
from features.sources.charging import (
    Charge,
    Codes,
    Instrument,
    amount_of,
    last_day,
    network_of,
    optional,
    told,
)
from features.sources.document import Node, json_document
from features.sources.provider import Provider, Surroundings, single
from features.sources.statement import AttemptReturned, Notice, Stands, Statement, Word
from features.vocabulary import Credential, Initiator, Network, Outcome, Rail

_PAYMENTS: Mapping[str, Outcome] = {
    "payment_approved": Outcome.APPROVED,
    "payment_declined": Outcome.DECLINED,
    "payment_pending": Outcome.UNKNOWN,
    "payment_authentication_failed": Outcome.ERROR,
}
_DEBITS: Mapping[str, Network] = {"sepa": Network.SEPA_CORE, "ach": Network.ACH, "bacs": Network.BACS}
_OF_CUSTOMER = frozenset({"regular", "moto"})
_CREDENTIALS = {"fpan": Credential.PAN, "dpan": Credential.NETWORK_TOKEN}


def _read(event: Node, _: Surroundings) -> Notice:
    kind, event_id, data = event.text("type"), event.text("id"), event.at("data")
    if kind in _PAYMENTS:
        if not (data.at("source", "id").present and data.at("customer", "id").present):
            return Notice(event_id, kind, why="it names no stored source and customer")
        return Notice(event_id, kind, (_attempt(event, data, _PAYMENTS[kind]),))
    if kind == "payment_returned":
        at = data.instant("processed_on") if data.at("processed_on").present else event.instant("created_on")
        decline = classify(
            data.maybe("response_code"),
            processor="checkout",
            network=_DEBITS.get((data.maybe("source", "type") or "").lower(), Network.UNKNOWN),
            text=data.maybe("response_summary"),
            at=at,
        )
        return Notice(event_id, kind, (AttemptReturned(data.text("id"), decline, at),))
    if kind == "source_updated":
        return Notice(event_id, kind, (Stands(Word.METHOD_FIXED, data.text("id"), event.instant("created_on")),))
    return Notice(event_id, kind)


def _attempt(event: Node, data: Node, outcome: Outcome) -> Statement:
    source = data.at("source")
    debit = _DEBITS.get((source.maybe("type") or "").lower())
    kind = (data.maybe("payment_type") or "").lower()
    return told(
        Charge(
            # A payment may be tried several times, each an action; a debit is one presentation, known by its payment.
            attempt_id=data.text("id") if debit else data.first("action_id", "id") or data.text("id"),
            payment_id=optional(data.at("metadata")) or data.maybe("reference") or data.text("id"),
            customer_id=data.text("customer", "id"),
            processor="checkout",
            amount=amount_of("checkout", data.whole("amount"), data.text("currency")),
            at=data.instant("processed_on") if data.at("processed_on").present else event.instant("created_on"),
            outcome=outcome,
            initiator=Initiator.CUSTOMER if kind in _OF_CUSTOMER else Initiator.MERCHANT,
            three_d_secure=_authenticated(data),
        ),
        _instrument(data, source, debit),
        Codes(
            code=data.maybe("response_code"),
            advice_code=data.maybe("processing", "partner_merchant_advice_code"),
            text=data.maybe("response_summary"),
        ),
    )


def _authenticated(data: Node) -> bool | None:
    answer = data.maybe("3ds", "authentication_response")
    return None if answer is None else answer == "Y"


def _instrument(data: Node, source: Node, debit: Network | None) -> Instrument:
    country = country_of(source.first("issuer_country", "country"))
    if debit is not None:
        mandate = source.maybe("mandate_id")
        return Instrument(source.text("id"), Rail.BANK_DEBIT, debit, country, Credential.ACCOUNT, mandate_id=mandate)
    return Instrument(
        method_id=source.text("id"),
        rail=Rail.CARD if source.maybe("type") == "card" else Rail.UNKNOWN,
        network=network_of(source.maybe("scheme")),
        issuer_country=country,
        credential=_CREDENTIALS.get(data.maybe("pan_type_processed") or "", Credential.UNKNOWN),
        expires_on=last_day(source.maybe("expiry_year"), source.maybe("expiry_month")),
    )


CHECKOUT = Provider("checkout", json_document, single, ("type",), _read)

"""Chargebee's events: transactions are attempts through the gateway that they name, invoices are payments.

Shapes: https://apidocs.chargebee.com/docs/api/events and https://apidocs.chargebee.com/docs/api/transactions
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime

from features.countries import country_of
from features.declines.taxonomy import classify
from features.money import Money
from features.sources.charging import Charge, Codes, Instrument, last_day, network_of, told
from features.sources.document import Node, json_document
from features.sources.provider import Provider, Surroundings
from features.sources.statement import AttemptReturned, Notice, Stands, Statement, Word
from features.vocabulary import Credential, Initiator, Network, Outcome, Rail

_PAYMENTS = frozenset({"payment_succeeded", "payment_failed", "payment_initiated", "transaction_updated"})
_STATUSES: Mapping[str, Outcome] = {
    "success": Outcome.APPROVED,
    "failure": Outcome.DECLINED,
    "in_progress": Outcome.UNKNOWN,
    "needs_attention": Outcome.UNKNOWN,
    "timeout": Outcome.UNKNOWN,
}
_METHODS: Mapping[str, tuple[str, str, Word]] = {
    "payment_source_added": ("payment_source", "id", Word.CONSENT_GIVEN),
    "payment_source_updated": ("payment_source", "id", Word.METHOD_FIXED),
    "payment_source_deleted": ("payment_source", "id", Word.CONSENT_WITHDRAWN),
    "card_updated": ("card", "payment_source_id", Word.METHOD_FIXED),
    "card_deleted": ("card", "payment_source_id", Word.CONSENT_WITHDRAWN),
}
_INVOICES: Mapping[str, Word] = {"paid": Word.PAID, "voided": Word.CANCELLED}
# Chargebee does not say which scheme a direct debit goes by.
_DEBIT = "direct_debit"
# Stripe's word for every refusal of a card; which refusal it was stands after the last sentence of the text.
_SILENT = "card_declined"
_LAST_WORD = re.compile(r"\.\s+([a-z_]+)\Z")
_WALLETS = frozenset({"paypal_express_checkout", "amazon_payments", "apple_pay", "google_pay"})


def _events(document: Node) -> Iterable[Node]:
    """One event, or the page of a list of them."""
    if not document.at("list").present:
        return (document,)
    return tuple(one.at("event") for one in document.items("list"))


def _read(event: Node, _: Surroundings) -> Notice:
    kind, event_id = event.text("event_type"), event.text("id")
    content, at = event.at("content"), event.instant("occurred_at")
    if kind in _PAYMENTS:
        return _transaction(event_id, kind, content, at)
    if kind in _METHODS:
        place, key, word = _METHODS[kind]
        return Notice(event_id, kind, (Stands(word, content.text(place, key), at),))
    if kind == "invoice_updated":
        stands = _INVOICES.get(content.maybe("invoice", "status") or "")
        return Notice(event_id, kind, (Stands(stands, content.text("invoice", "id"), at),) if stands else ())
    if kind == "invoice_deleted":
        return Notice(event_id, kind, (Stands(Word.CANCELLED, content.text("invoice", "id"), at),))
    return Notice(event_id, kind)


def _transaction(event_id: str, kind: str, content: Node, at: datetime) -> Notice:
    one = content.at("transaction")
    if one.maybe("type") != "payment":
        return Notice(event_id, kind, why="the transaction is no payment")
    if not (one.at("payment_source_id").present or one.at("reference_number").present):
        return Notice(event_id, kind, why="the transaction is of no stored method")
    status = one.text("status")
    if status == "late_failure":
        return Notice(event_id, kind, (_returned(one, at),))
    if status not in _STATUSES:
        return Notice(event_id, kind)
    # A transaction may be for several invoices; the one that is told beside it is paid, no other.
    invoice = content.maybe("invoice", "id") if content.maybe("invoice", "status") == "paid" else None
    paid = (Stands(Word.PAID, invoice, at),) if invoice and status == "success" else ()
    return Notice(event_id, kind, (_attempt(content, one, at), *paid))


def _attempt(content: Node, one: Node, at: datetime) -> Statement:
    made, gateway = one.instant("date"), one.text("gateway")
    initiator = Initiator.CUSTOMER if one.maybe("initiator_type") == "customer" else Initiator.MERCHANT
    return told(
        Charge(
            attempt_id=one.text("id"),
            payment_id=_invoice(content, one),
            customer_id=one.text("customer_id"),
            processor=gateway,
            amount=Money(one.whole("amount"), one.text("currency_code")),
            at=made,
            outcome=_STATUSES[one.text("status")],
            initiator=initiator,
            outcome_at=at if one.maybe("payment_method") == _DEBIT else None,
        ),
        _instrument(content.at("card"), one),
        _codes(one),
    )


def _codes(one: Node) -> Codes:
    """The gateway's own codes, as https://apidocs.chargebee.com/docs/api/transactions lists them in error_detail."""
    detail, text = one.at("error_detail"), one.maybe("error_text")
    code = detail.maybe("decline_code") or one.maybe("error_code") or detail.maybe("error_code")
    word = _LAST_WORD.search(text or "") if (code or "").lower() == _SILENT else None
    return Codes(
        code=word[1] if word else code,
        subcode=detail.first("network_error_code", "processor_error_code"),
        advice_code=detail.maybe("processor_advice_code"),
        text=text,
    )


def _invoice(content: Node, one: Node) -> str:
    """The invoice that the transaction is for; the transaction itself where it is for none yet."""
    linked = one.items("linked_invoices")
    return (linked[0].maybe("invoice_id") if linked else None) or content.maybe("invoice", "id") or one.text("id")


def _instrument(card: Node, one: Node) -> Instrument:
    method_id = one.first("payment_source_id", "reference_number") or one.text("payment_source_id")
    kind = one.maybe("payment_method") or ""
    if kind == _DEBIT:
        mandate = one.maybe("reference_number")
        return Instrument(method_id, Rail.BANK_DEBIT, credential=Credential.ACCOUNT, mandate_id=mandate)
    return Instrument(
        method_id=method_id,
        rail=Rail.CARD if kind == "card" else Rail.WALLET if kind in _WALLETS else Rail.UNKNOWN,
        network=network_of(card.maybe("card_type")),
        issuer_country=country_of(card.maybe("issuing_country")),
        expires_on=last_day(card.maybe("expiry_year"), card.maybe("expiry_month")),
    )


def _returned(one: Node, at: datetime) -> Statement:
    """A debit that had succeeded failed late."""
    codes = _codes(one)
    decline = classify(
        codes.code,
        processor=one.maybe("gateway"),
        network=Network.UNKNOWN,
        subcode=codes.subcode,
        text=codes.text,
        at=at,
    )
    return AttemptReturned(one.text("id"), decline, at)


CHARGEBEE = Provider("chargebee", json_document, _events, ("event_type",), _read)

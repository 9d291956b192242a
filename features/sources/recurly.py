"""Recurly's notifications: XML with the transaction, or JSON that carries ids only.

Shapes: https://docs.recurly.com/recurly-subscriptions/docs/webhooks and
https://github.com/blacklightcms/recurly/tree/master/webhooks/testdata
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from features.errors import InvalidValueError
from features.money import Money
from features.sources.charging import Charge, Codes, Instrument, told
from features.sources.document import Node, json_document, xml_document
from features.sources.provider import Provider, Surroundings
from features.sources.statement import Notice, Stands, Statement, Word
from features.vocabulary import Network, Outcome, Rail

_PAYMENTS: Mapping[str, Outcome] = {
    "failed_payment_notification": Outcome.DECLINED,
    "successful_payment_notification": Outcome.APPROVED,
    "processing_payment_notification": Outcome.UNKNOWN,
}
_INVOICES: Mapping[str, Word] = {
    "paid_charge_invoice_notification": Word.PAID,
    "closed_invoice_notification": Word.PAID,
}
# It names the account alone, so that every renewal of an account has the same body.
_BILLING_INFO = "billing_info_updated_notification"
_RAILS: Mapping[str, Rail] = {
    "credit_card": Rail.CARD,
    "bank_account_info": Rail.BANK_DEBIT,
    "eft": Rail.BANK_DEBIT,
    "paypal": Rail.WALLET,
    "amazon_billing_agreement": Rail.WALLET,
}
_COLLECTED = frozenset({"collected", "paid"})
_IDS_ONLY = "the JSON form carries ids only; have Recurly send XML to tell attempts"


def _document(body: bytes) -> Node:
    return json_document(body) if body.lstrip()[:1] == b"{" else xml_document(body)


def _events(document: Node) -> Iterable[Node]:
    """An XML document is one element, named for what happened; the name is put beside what it holds."""
    value = document.value
    if document.at("event_type").present or not isinstance(value, Mapping):
        return (document,)
    return tuple(Node({"kind": name, "body": inner}) for name, inner in value.items())


def _read(event: Node, around: Surroundings) -> Notice:
    if event.at("event_type").present:
        kind = f"{event.maybe('object_type') or 'unknown'}.{event.text('event_type')}"
        return Notice(event.maybe("id") or kind, kind, why=_IDS_ONLY if kind.startswith("payment.") else "")
    kind, body = event.text("kind"), event.at("body")
    if kind in _PAYMENTS:
        one = body.at("transaction")
        if one.maybe("action") not in {None, "purchase"}:
            return Notice(f"{kind}/{one.text('id')}", kind, why="the transaction is no purchase")
        return Notice(f"{kind}/{one.text('id')}", kind, (_attempt(body, one, _PAYMENTS[kind], around),))
    if kind in _INVOICES:
        return _invoice(kind, body.at("invoice"))
    if kind == _BILLING_INFO:
        account = body.text("account", "account_code")
        fixed = Stands(Word.METHOD_FIXED, account, around.received_at)
        return Notice(f"{kind}/{account}/{around.received_at.isoformat()}", kind, (fixed,))
    return Notice(kind, kind)


def _attempt(body: Node, one: Node, outcome: Outcome, around: Surroundings) -> Statement:
    account = body.text("account", "account_code")
    # Recurly charges the account's billing information, which its notifications give no id.
    rail = _RAILS.get(one.maybe("payment_method") or "", Rail.UNKNOWN)
    return told(
        Charge(
            attempt_id=one.text("id"),
            payment_id=one.maybe("invoice_id") or one.text("id"),
            customer_id=account,
            processor=one.maybe("gateway") or "recurly",
            amount=Money(one.whole("amount_in_cents"), _currency(one, around)),
            at=one.instant("date"),
            outcome=outcome,
        ),
        Instrument(account, rail, Network.UNKNOWN),
        Codes(code=one.first("gateway_error_codes", "failure_type"), text=one.maybe("message")),
    )


def _currency(one: Node, around: Surroundings) -> str:
    stated = one.maybe("currency") or around.currency
    if stated is None:
        raise InvalidValueError(
            "currency", None, "a currency, which Recurly's notifications lack; name it in the settings of this source"
        )
    return stated


def _invoice(kind: str, invoice: Node) -> Notice:
    event_id, at = f"{kind}/{invoice.text('uuid')}", _closed(invoice)
    state = invoice.maybe("state")
    if at is None or state not in _COLLECTED:
        return Notice(event_id, kind, why=f"the invoice is {state or 'in no state'}, not paid")
    return Notice(event_id, kind, (Stands(_INVOICES[kind], invoice.text("uuid"), at),))


def _closed(invoice: Node) -> datetime | None:
    place = invoice.at("closed_at")
    return place.instant() if place.present else None


RECURLY = Provider(
    "recurly", _document, _events, ("object_type", "event_type", "kind"), _read, frozenset({_BILLING_INFO})
)

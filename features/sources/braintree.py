"""Braintree's notifications: a form that holds coded XML.

Shapes: https://developer.paypal.com/braintree/docs/reference/general/webhooks and the sample notifications of
https://github.com/braintree/braintree_python/blob/master/braintree/webhook_testing_gateway.py
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from urllib.parse import parse_qs

from features.declines.taxonomy import classify
from features.errors import InputError
from features.money import from_major
from features.sources.charging import Charge, Codes, Instrument, last_day, network_of, told
from features.sources.document import Node, xml_document
from features.sources.provider import Provider, Surroundings, single
from features.sources.statement import AttemptReturned, Notice, Stands, Statement, Word
from features.vocabulary import Credential, Initiator, Network, Outcome, Rail

_CHARGED = frozenset({"subscription_charged_successfully", "subscription_charged_unsuccessfully"})
_METHODS: Mapping[str, tuple[str, Word]] = {
    "payment_method_revoked_by_customer": ("paypal-account", Word.CONSENT_WITHDRAWN),
    "granted_payment_instrument_update": ("granted-payment-instrument-update", Word.METHOD_FIXED),
    "grantor_updated_granted_payment_method": ("granted-payment-instrument-update", Word.METHOD_FIXED),
    "recipient_updated_granted_payment_method": ("granted-payment-instrument-update", Word.METHOD_FIXED),
}
# https://developer.paypal.com/braintree/docs/reference/general/statuses
_OUTCOMES: Mapping[str, Outcome] = {
    "authorized": Outcome.APPROVED,
    "submitted_for_settlement": Outcome.APPROVED,
    "settling": Outcome.APPROVED,
    "settled": Outcome.APPROVED,
    "settlement_confirmed": Outcome.APPROVED,
    "processor_declined": Outcome.DECLINED,
    "settlement_declined": Outcome.DECLINED,
    "failed": Outcome.ERROR,
    "gateway_rejected": Outcome.ERROR,
    "authorizing": Outcome.UNKNOWN,
    "settlement_pending": Outcome.UNKNOWN,
}
_PENDING_UNTIL_SETTLED = "us_bank_account"
# Where a transaction holds its card or wallet, by the type of its instrument; other elements may stand there empty.
_CARDS: Mapping[str, str] = {
    "apple_pay_card": "apple-pay",
    "android_pay_card": "android-pay-card",
    "samsung_pay_card": "samsung-pay-card",
    "visa_checkout_card": "visa-checkout-card",
    "masterpass_card": "masterpass-card",
}
_WALLETS: Mapping[str, str] = {"paypal_account": "paypal", "venmo_account": "venmo-account"}
_APPLE_PAY = "Apple Pay - "  # stands before the network


def _document(body: bytes) -> Node:
    try:
        payload = parse_qs(body.decode("ascii")).get("bt_payload", [""])[0]
        decoded = b64decode(payload)
    except (UnicodeDecodeError, NotBase64, ValueError):
        raise InputError("the body is no form with a bt_payload in Base64") from None
    return xml_document(decoded).at("notification")


def _read(event: Node, _: Surroundings) -> Notice:
    kind, at = event.text("kind"), event.instant("timestamp")
    subject = event.at("subject")
    event_id = f"{kind}/{at.isoformat()}"
    if kind in _CHARGED:
        subscription = subject.at("subscription")
        event_id = f"{event_id}/{subscription.text('id')}"
        transactions = subscription.items("transactions")
        return Notice(event_id, kind, tuple(_attempt(one, subscription) for one in transactions[:1]))
    if kind == "transaction_settled":
        one = subject.at("transaction")
        if not one.at("customer", "id").present:
            return Notice(event_id, kind, why="the transaction has no customer, so it is of no stored method")
        return Notice(f"{event_id}/{one.text('id')}", kind, (_attempt(one, one.at("subscription")),))
    if kind == "transaction_settlement_declined":
        one = subject.at("transaction")
        network = Network.ACH if one.maybe("payment-instrument-type") == _PENDING_UNTIL_SETTLED else Network.UNKNOWN
        code = one.maybe("processor-settlement-response-code")
        decline = classify(code, processor="braintree", network=network, at=at)
        return Notice(f"{event_id}/{one.text('id')}", kind, (AttemptReturned(one.text("id"), decline, at),))
    if kind in _METHODS:
        place, word = _METHODS[kind]
        token = subject.text(place, "token")
        return Notice(f"{event_id}/{token}", kind, (Stands(word, token, at),))
    return Notice(event_id, kind)


def _attempt(one: Node, subscription: Node) -> Statement:
    at = one.instant("created-at")
    instrument = one.maybe("payment-instrument-type")
    outcome = _OUTCOMES.get(one.text("status"), Outcome.UNKNOWN)
    if instrument == _PENDING_UNTIL_SETTLED and outcome is Outcome.APPROVED and one.text("status") != "settled":
        outcome = Outcome.UNKNOWN
    settled = one.instant("updated-at") if instrument == _PENDING_UNTIL_SETTLED else None
    return told(
        Charge(
            attempt_id=one.text("id"),
            payment_id=_payment_id(one, subscription),
            customer_id=one.text("customer", "id"),
            processor="braintree",
            amount=from_major(one.text("amount"), one.text("currency-iso-code")),
            at=at,
            outcome=outcome,
            initiator=Initiator.MERCHANT if one.flag("recurring") is not False else Initiator.CUSTOMER,
            outcome_at=settled,
        ),
        _instrument(one, instrument),
        Codes(
            code=one.maybe("processor-response-code"),
            subcode=one.maybe("network-response-code"),
            advice_code=one.maybe("merchant-advice-code"),
            text=one.first("processor-response-text", "gateway-rejection-reason"),
        ),
    )


def _payment_id(one: Node, subscription: Node) -> str:
    """What is owed is one period of a subscription; Braintree gives that no id, so it is the two together."""
    order = one.maybe("custom-fields", "recoup-payment-id") or one.maybe("order-id")
    period = one.maybe("subscription", "billing-period-start-date") or subscription.maybe("billing-period-start-date")
    owner = one.maybe("subscription-id") or subscription.maybe("id")
    return order or (f"{owner}:{period}" if owner and period else one.text("id"))


def _instrument(one: Node, instrument: str | None) -> Instrument:
    if instrument == _PENDING_UNTIL_SETTLED:
        token = one.text("us-bank-account", "token")
        mandate = one.maybe("us-bank-account", "ach-mandate", "id")
        return Instrument(token, Rail.BANK_DEBIT, Network.ACH, "US", Credential.ACCOUNT, mandate_id=mandate)
    if instrument is not None and instrument in _WALLETS:
        return Instrument(one.text(_WALLETS[instrument], "token"), Rail.WALLET)
    card = one.at(_CARDS.get(instrument or "", "credit-card"))
    network = card.first("card-type", "source-card-type", "virtual-card-type") or ""
    return Instrument(
        method_id=card.text("token"),
        rail=Rail.CARD,
        network=network_of(network.removeprefix(_APPLE_PAY)),
        credential=_credential(one, card, instrument),
        expires_on=last_day(card.maybe("expiration-year"), card.maybe("expiration-month")),
    )


def _credential(one: Node, card: Node, instrument: str | None) -> Credential:
    """What a wallet holds is no card number unless it says so, whatever Braintree made of it."""
    used, tokenized = one.flag("processed-with-network-token"), card.flag("is-network-tokenized")
    if used or tokenized:
        return Credential.NETWORK_TOKEN
    wallet = instrument in _CARDS
    return Credential.PAN if (tokenized if wallet else used) is False else Credential.UNKNOWN


BRAINTREE = Provider("braintree", _document, single, ("kind",), _read)

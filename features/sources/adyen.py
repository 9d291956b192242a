"""Adyen's standard webhooks, a batch of items a body, and its webhooks of tokens.

Shapes: https://docs.adyen.com/api-explorer/Webhooks/1/overview and
https://docs.adyen.com/api-explorer/Tokenization-webhooks/1/overview
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from features.countries import country_of
from features.declines.taxonomy import classify
from features.sources.charging import (
    Charge,
    Codes,
    Instrument,
    amount_of,
    is_card,
    last_day,
    network_of,
    told,
)
from features.sources.document import Node, json_document
from features.sources.provider import Provider, Surroundings, single
from features.sources.statement import AttemptReturned, MoneyWentBack, Notice, Stands, Statement, Way, Word
from features.vocabulary import Credential, Initiator, Network, Outcome, Rail

_TOKENS: Mapping[str, Word] = {
    "recurring.token.created": Word.CONSENT_GIVEN,
    "recurring.token.updated": Word.METHOD_FIXED,
    "recurring.token.disabled": Word.CONSENT_WITHDRAWN,
}
_DEBITS: Mapping[str, Network] = {
    "sepadirectdebit": Network.SEPA_CORE,
    "ach": Network.ACH,
    "directdebit_gb": Network.BACS,
    "eft_directdebit_ca": Network.PAD,
}
_RETURNS = frozenset({"CHARGEBACK", "CAPTURE_FAILED"})
_NO_METHOD = (
    "it names no stored method and shopper; have Adyen add recurring.recurringDetailReference and shopperReference"
)
# The token and the shopper by the names that Adyen has given them over time.
_METHOD = (
    "tokenization.storedPaymentMethodId",
    "recurring.recurringDetailReference",
    "recurringDetailReference",
    "storedPaymentMethodId",
)
_SHOPPER = ("tokenization.shopperReference", "recurring.shopperReference", "shopperReference")
_PAYMENT = "metadata.recoup_payment_id"


def _events(document: Node) -> Iterable[Node]:
    """The items of a batch; a webhook of tokens is one event."""
    if not document.at("notificationItems").present:
        return single(document)
    return tuple(item.at("NotificationRequestItem") for item in document.items("notificationItems"))


def _read(event: Node, _: Surroundings) -> Notice:
    if not event.at("eventCode").present:
        return _token(event)
    kind, reference = event.text("eventCode"), event.text("pspReference")
    event_id = f"{reference}/{kind}/{event.maybe('success')}"
    if kind == "AUTHORISATION":
        extra = event.at("additionalData")
        if not (extra.first(*_METHOD) and extra.first(*_SHOPPER)):
            return Notice(event_id, kind, why=_NO_METHOD)
        return Notice(event_id, kind, (_attempt(event, extra),))
    if kind in _RETURNS:
        return _returned(event_id, kind, event)
    if kind == "REFUND":
        return _back(event_id, kind, event, Way.REFUND)
    return Notice(event_id, kind)


def _attempt(item: Node, extra: Node) -> Statement:
    approved = item.flag("success") is True
    brand = _brand(item) or _brand(extra)
    network = _DEBITS.get(brand) or network_of(extra.maybe("cardPaymentMethod") or brand)
    at = item.instant("eventDate")
    return told(
        Charge(
            attempt_id=item.text("pspReference"),
            payment_id=extra.maybe(_PAYMENT) or item.maybe("merchantReference") or item.text("pspReference"),
            customer_id=extra.first(*_SHOPPER) or "",
            processor="adyen",
            amount=amount_of("adyen", item.whole("amount", "value"), item.text("amount", "currency")),
            at=at,
            outcome=Outcome.APPROVED if approved else Outcome.DECLINED,
            initiator=_initiator(extra),
            three_d_secure=extra.flag("threeDAuthenticated"),
        ),
        _instrument(extra, brand, network),
        _codes(item, extra),
    )


def _brand(place: Node) -> str:
    """Adyen writes some of its methods with capitals: `directdebit_GB`, `eft_directdebit_CA`."""
    return (place.maybe("paymentMethod") or "").lower()


def _initiator(extra: Node) -> Initiator:
    """`ContAuth` and a recurring model other than one-click are the merchant's."""
    interaction = extra.maybe("shopperInteraction")
    return Initiator.CUSTOMER if interaction == "Ecommerce" else Initiator.MERCHANT


def _instrument(extra: Node, brand: str, network: Network) -> Instrument:
    debit = brand in _DEBITS
    card = is_card(network) or extra.first("cardSummary", "expiryDate") is not None
    month, _, year = (extra.maybe("expiryDate") or "").partition("/")
    token = {"networkToken": Credential.NETWORK_TOKEN, "pan": Credential.PAN}.get(
        extra.maybe("paymentMethodVariantType") or ""
    )
    return Instrument(
        method_id=extra.first(*_METHOD) or "",
        rail=Rail.BANK_DEBIT if debit else Rail.CARD if card else Rail.UNKNOWN,
        network=network,
        issuer_country=country_of(extra.first("cardIssuingCountry", "issuerCountry")),
        credential=Credential.ACCOUNT if debit else token or Credential.UNKNOWN,
        expires_on=None if debit else last_day(year, month),
        mandate_id=extra.maybe("sepadirectdebit.mandateId"),
    )


def _codes(item: Node, extra: Node) -> Codes:
    """The reason is Adyen's word for its code; `refusalReasonRaw` is the issuer's, as `51 : Insufficient funds`."""
    raw = extra.maybe("refusalReasonRaw")
    return Codes(
        code=extra.maybe("refusalReasonCode") or item.maybe("reason"),
        subcode=raw.partition(":")[0].strip() if raw else None,
        advice_code=(extra.maybe("merchantAdviceCode") or "").partition(":")[0].strip() or None,
        text=item.maybe("reason"),
    )


def _returned(event_id: str, kind: str, item: Node) -> Notice:
    """A debit comes back as a chargeback or a failed capture; a card's chargeback is no decline, but its money goes
    back."""
    debit = _DEBITS.get(_brand(item))
    if debit is None and kind == "CHARGEBACK":
        return _back(event_id, kind, item, Way.CHARGEBACK)
    if debit is None:
        return Notice(event_id, kind, why="a card that is not captured is not declined, and counts nowhere")
    if item.flag("success") is False:
        return Notice(event_id, kind, why="it did not happen")
    at = item.instant("eventDate")
    code = item.at("additionalData").first("chargebackReasonCode", "refusalReasonRaw")
    reason = item.maybe("reason")
    decline = classify(code or reason, processor="adyen", network=debit, text=reason, at=at)
    return Notice(event_id, kind, (AttemptReturned(item.text("originalReference"), decline, at),))


def _back(event_id: str, kind: str, item: Node, way: Way) -> Notice:
    if item.flag("success") is False:
        return Notice(event_id, kind, why="it did not happen")
    amount = amount_of("adyen", item.whole("amount", "value"), item.text("amount", "currency"))
    back = MoneyWentBack(item.text("originalReference"), way, amount.amount_minor, item.instant("eventDate"))
    return Notice(event_id, kind, (back,))


def _token(event: Node) -> Notice:
    kind = event.text("type")
    event_id, at = event.maybe("eventId") or f"{kind}/{event.maybe('createdAt')}", _created(event, kind)
    if kind not in _TOKENS or at is None:
        return Notice(event_id, kind)
    return Notice(event_id, kind, (Stands(_TOKENS[kind], event.text("data", "storedPaymentMethodId"), at),))


def _created(event: Node, kind: str) -> datetime | None:
    return event.instant("createdAt") if kind in _TOKENS else None


ADYEN = Provider("adyen", json_document, _events, ("eventCode", "type"), _read)

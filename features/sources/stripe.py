"""Stripe's events: charges are attempts, invoices are payments.

Shapes: https://docs.stripe.com/api/events/types and https://docs.stripe.com/api/charges/object
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
    last_day,
    network_of,
    optional,
    told,
)
from features.sources.document import Node, json_document
from features.sources.provider import Provider, Surroundings
from features.sources.statement import AttemptReturned, MoneyWentBack, Notice, Stands, Statement, Way, Word
from features.vocabulary import Credential, Initiator, Network, Outcome, Rail

_CHARGES: Mapping[str, Outcome] = {
    "charge.failed": Outcome.DECLINED,
    "charge.succeeded": Outcome.APPROVED,
    "charge.pending": Outcome.UNKNOWN,
}
_STANDINGS: Mapping[str, Word] = {
    "invoice.paid": Word.PAID,
    "invoice.payment_succeeded": Word.PAID,
    "invoice.voided": Word.CANCELLED,
    "invoice.marked_uncollectible": Word.CANCELLED,
    "payment_intent.canceled": Word.CANCELLED,
    "payment_method.attached": Word.CONSENT_GIVEN,
    "payment_method.detached": Word.CONSENT_WITHDRAWN,
    "payment_method.updated": Word.METHOD_FIXED,
    "payment_method.automatically_updated": Word.METHOD_FIXED,
    "customer.source.updated": Word.METHOD_FIXED,
}
# Sent for whatever is edited, a note or an e-mail address too; what it was before stands beside it.
_EDITS = frozenset({"payment_method.updated", "customer.source.updated"})
_OF_CARDS_AND_ACCOUNTS = frozenset(
    {"exp_month", "exp_year", "last4", "fingerprint", "account_number", "routing_number", "iban", "number"}
)
# Stripe's debits by the type of the payment method: https://docs.stripe.com/payments/bank-debits
_DEBITS: Mapping[str, Network] = {
    "sepa_debit": Network.SEPA_CORE,
    "bacs_debit": Network.BACS,
    "us_bank_account": Network.ACH,
    "ach_debit": Network.ACH,
    "acss_debit": Network.PAD,
    "au_becs_debit": Network.BECS_AU,
    "nz_bank_account": Network.BECS_NZ,
}
# Why banks send debits back; a card's chargeback has none of these: https://docs.stripe.com/api/disputes/object
_RETURNS = frozenset({"bank_cannot_process", "debit_not_authorized", "incorrect_account_details", "insufficient_funds"})
# A live endpoint of Connect is sent test events too: https://docs.stripe.com/connect/webhooks
_TEST = "it is a test event (livemode is false); say test_events = true at this sender to count those"
# From this version on neither a charge nor its payment intent says the invoice: https://docs.stripe.com/changelog/basil
_WITHOUT_INVOICES = "2025-03-31"
_UPDATED, _WITHDRAWN = "charge.dispute.updated", "charge.dispute.funds_withdrawn"
_DISPUTES = frozenset({"charge.dispute.created", _UPDATED, _WITHDRAWN})
# Begins the statuses of what is no dispute yet: https://docs.stripe.com/disputes/how-disputes-work
_INQUIRY = "warning_"
_WALLETS = frozenset({"paypal", "link", "alipay", "wechat_pay", "cashapp", "amazon_pay", "revolut_pay"})


def _events(document: Node) -> Iterable[Node]:
    """One event, or the objects of an exported list; a charge that comes bare is the event of what became of it."""
    kind = document.at("object").value
    if kind == "list":
        return [event for one in document.items("data") for event in _events(one)]
    if kind != "charge":
        return (document,)
    bare = document.value if isinstance(document.value, Mapping) else {}
    event = {"id": bare.get("id"), "type": f"charge.{bare.get('status')}", "created": bare.get("created")}
    return (Node(event | {"data": {"object": bare}}),)


def _read(event: Node, around: Surroundings) -> Notice:
    kind, event_id = event.text("type"), event.text("id")
    if event.flag("livemode") is False and not around.test_events:
        return Notice(event_id, kind, why=_TEST)
    subject = event.at("data", "object")
    if kind in _CHARGES:
        if not subject.at("customer").present:
            return Notice(event_id, kind, why="the charge has no customer, so it is of no stored method")
        charge = _charge(subject, _CHARGES[kind], event.instant("created"))
        return Notice(event_id, kind, (charge,), _unnamed(event, subject))
    if kind in _STANDINGS:
        word = _STANDINGS[kind]
        if kind in _EDITS and not _is_mended(event, subject):
            return Notice(event_id, kind, why="nothing that a payment depends on was changed")
        own = optional(subject.at("metadata")) if word in {Word.PAID, Word.CANCELLED} else None
        return Notice(event_id, kind, (Stands(word, own or subject.text("id"), event.instant("created")),))
    if kind == "mandate.updated":
        return Notice(event_id, kind, _mandate(subject, event.instant("created")))
    if kind in _DISPUTES:
        return _disputed(event_id, kind, event, subject)
    if kind == "charge.refunded":
        return Notice(event_id, kind, (_refund(event, subject),))
    return Notice(event_id, kind)


def _is_mended(event: Node, subject: Node) -> bool:
    """Whether an edit changed the card or account itself: what its type names, or the fields of an old source."""
    before = event.at("data", "previous_attributes").value
    if not isinstance(before, Mapping):
        return False
    return (subject.maybe("type") or "card") in before or not _OF_CARDS_AND_ACCOUNTS.isdisjoint(before)


def _charge(charge: Node, outcome: Outcome, told_at: datetime) -> Statement:
    details, result = charge.at("payment_method_details"), charge.at("outcome")
    kind = details.maybe("type") or "unknown"
    card, at = details.at("card"), charge.instant("created")
    sent = result.maybe("network_status") != "not_sent_to_network"
    authenticated = card.maybe("three_d_secure", "result") == "authenticated"
    return told(
        Charge(
            attempt_id=charge.text("id"),
            payment_id=_payment_id(charge),
            customer_id=charge.text("customer"),
            processor="stripe",
            amount=amount_of("stripe", charge.whole("amount"), charge.text("currency")),
            at=at,
            # A charge that Stripe itself blocked never reached the issuer.
            outcome=Outcome.ERROR if outcome is Outcome.DECLINED and not sent else outcome,
            initiator=Initiator.CUSTOMER if authenticated else Initiator.MERCHANT,
            # The answer of a card is that of the moment; a debit's is known when the event is.
            outcome_at=None if kind == "card" or outcome is Outcome.UNKNOWN else told_at,
            three_d_secure=authenticated if card.present else None,
        ),
        _instrument(charge, details, kind),
        Codes(
            code=result.maybe("reason") or charge.maybe("failure_code"),
            subcode=result.maybe("network_decline_code"),
            advice_code=result.first("network_advice_code", "advice_code"),
            text=charge.maybe("failure_message"),
        ),
    )


def _payment_id(charge: Node) -> str:
    """The invoice, where the charge says one."""
    return _named(charge) or charge.maybe("payment_intent") or charge.text("id")


def _named(charge: Node) -> str | None:
    return optional(charge.at("metadata")) or charge.maybe("invoice")


def _unnamed(event: Node, charge: Node) -> str:
    """Why a charge may stand apart from its invoice; empty where it does not."""
    version = event.maybe("api_version") or ""
    if version < _WITHOUT_INVOICES or _named(charge):
        return ""
    return (
        f"events of API version {version} do not say the invoice of a charge, which is filed under its payment intent; "
        "create the endpoint with api_version 2024-06-20 or set metadata.recoup_payment_id"
    )


def _instrument(charge: Node, details: Node, kind: str) -> Instrument:
    method_id = charge.maybe("payment_method") or charge.text("source", "id")
    mandate = details.maybe(kind, "mandate")
    if kind == "card":
        card = details.at("card")
        used = card.flag("network_token", "used")
        credential = (
            {True: Credential.NETWORK_TOKEN, False: Credential.PAN}.get(used is True) if used is not None else None
        )
        return Instrument(
            method_id,
            Rail.CARD,
            network_of(card.first("network", "brand")),
            country_of(card.maybe("country")),
            credential or Credential.UNKNOWN,
            last_day(card.maybe("exp_year"), card.maybe("exp_month")),
            mandate,
        )
    if kind in _DEBITS:
        country = country_of(details.maybe(kind, "country"))
        return Instrument(method_id, Rail.BANK_DEBIT, _DEBITS[kind], country, Credential.ACCOUNT, mandate_id=mandate)
    return Instrument(method_id, Rail.WALLET if kind in _WALLETS else Rail.UNKNOWN, mandate_id=mandate)


def _mandate(mandate: Node, at: datetime) -> tuple[Statement, ...]:
    words = {"active": Word.CONSENT_GIVEN, "inactive": Word.CONSENT_WITHDRAWN}
    word = words.get(mandate.text("status"))
    return (Stands(word, mandate.text("payment_method"), at),) if word else ()


def _disputed(event_id: str, kind: str, event: Node, dispute: Node) -> Notice:
    """An inquiry moves no money; it may become a dispute that does, which several events tell of."""
    before = event.maybe("data", "previous_attributes", "status") or ""
    if kind == _UPDATED and not before.startswith(_INQUIRY):
        return Notice(event_id, kind)
    if kind != _WITHDRAWN and (dispute.maybe("status") or "").startswith(_INQUIRY):
        return Notice(event_id, kind, why="it is an inquiry, by which no money goes back")
    return Notice(dispute.text("id"), kind, (_back(dispute),))


def _back(dispute: Node) -> Statement:
    """A debit comes back as a dispute; a card's chargeback is no decline, but its money goes back.

    Which of them it is mostly shows in the reason alone: the details say nothing of a debit. It is told as of the
    dispute's own beginning, so that every event of the dispute says the same and it counts once.
    """
    details, reason = dispute.maybe("payment_method_details", "type"), dispute.maybe("reason")
    at, network = dispute.instant("created"), _DEBITS.get(details or "")
    if network is None and details is None and reason in _RETURNS:
        network = Network.UNKNOWN
    if network is None:
        amount = amount_of("stripe", dispute.whole("amount"), dispute.text("currency")).amount_minor
        return MoneyWentBack(dispute.text("charge"), Way.CHARGEBACK, amount, at)
    return AttemptReturned(dispute.text("charge"), classify(reason, processor="stripe", network=network, at=at), at)


def _refund(event: Node, charge: Node) -> Statement:
    """The charge says what was refunded of it in all; what it was before this event stands beside it."""
    before = event.at("data", "previous_attributes", "amount_refunded")
    earlier = event.at("data", "previous_attributes").whole("amount_refunded") if before.present else 0
    refunded = max(charge.whole("amount_refunded") - earlier, 0)
    amount = amount_of("stripe", refunded, charge.text("currency")).amount_minor
    return MoneyWentBack(charge.text("id"), Way.REFUND, amount, event.instant("created"))


STRIPE = Provider("stripe", json_document, _events, ("type",), _read)

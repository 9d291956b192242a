"""GoCardless's events: up to 250 a body, each about a payment or a mandate by its id alone.

An event says neither amount nor customer, so it tells what became of an attempt, and the attempt itself comes from
whoever made it. Shapes: https://developer.gocardless.com/api-reference/#core-endpoints-events
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from features.declines.taxonomy import classify
from features.sources.document import Node, json_document
from features.sources.provider import Provider, Surroundings
from features.sources.statement import AttemptApproved, AttemptReturned, Notice, Stands, Statement, Word
from features.vocabulary import Network

_APPROVED = frozenset({"confirmed", "chargeback_cancelled"})
_RETURNED = frozenset({"failed", "charged_back", "customer_approval_denied"})
_MANDATES: Mapping[str, Word] = {
    "active": Word.CONSENT_GIVEN,
    "reinstated": Word.CONSENT_GIVEN,
    "cancelled": Word.CONSENT_WITHDRAWN,
    "failed": Word.CONSENT_WITHDRAWN,
    "expired": Word.CONSENT_WITHDRAWN,
    "blocked": Word.CONSENT_WITHDRAWN,
    "consumed": Word.CONSENT_WITHDRAWN,
    "suspended_by_payer": Word.CONSENT_WITHDRAWN,
    "transferred": Word.METHOD_FIXED,
}
_SCHEMES: Mapping[str, Network] = {
    "ach": Network.ACH,
    "autogiro": Network.AUTOGIRO,
    "bacs": Network.BACS,
    "becs": Network.BECS_AU,
    "becs_nz": Network.BECS_NZ,
    "betalingsservice": Network.BETALINGSSERVICE,
    "pad": Network.PAD,
    "sepa_core": Network.SEPA_CORE,
    "sepa_cor1": Network.SEPA_CORE,
    "pay_to": Network.PAYTO,
    "faster_payments": Network.OPEN_BANKING,
}


def _events(document: Node) -> Iterable[Node]:
    return document.items("events")


def _read(event: Node, _: Surroundings) -> Notice:
    resource, action = event.text("resource_type"), event.text("action")
    return Notice(event.text("id"), f"{resource}.{action}", _statements(event, resource, action))


def _statements(event: Node, resource: str, action: str) -> tuple[Statement, ...]:
    if resource == "mandates" and action in _MANDATES:
        return (Stands(_MANDATES[action], event.text("links", "mandate"), event.instant("created_at")),)
    if resource != "payments":
        return ()
    if action in _APPROVED:
        return (AttemptApproved(event.text("links", "payment"), event.instant("created_at")),)
    if action in _RETURNED:
        return (_returned(event, event.instant("created_at")),)
    if action == "cancelled":
        # Only what was not submitted yet can be cancelled: the attempt never took place.
        return (Stands(Word.WITHDRAWN, event.text("links", "payment"), event.instant("created_at")),)
    return ()


def _returned(event: Node, at: datetime) -> Statement:
    details = event.at("details")
    network = _SCHEMES.get(details.maybe("scheme") or "", Network.UNKNOWN)
    decline = classify(
        details.maybe("cause"),
        processor="gocardless",
        network=network,
        subcode=details.maybe("reason_code"),
        text=details.maybe("description"),
        at=at,
    )
    return AttemptReturned(event.text("links", "payment"), decline, at)


GOCARDLESS = Provider("gocardless", json_document, _events, ("resource_type", "action"), _read)

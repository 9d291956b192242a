"""Kill Bill's push notifications: what happened to which object; neither the method nor the refusal.

Shapes: https://docs.killbill.io/latest/push_notifications.html and the metadata classes of
https://github.com/killbill/killbill-plugin-api
"""

from collections.abc import Mapping
from datetime import datetime

from features.errors import InputError
from features.sources.document import Node, json_document
from features.sources.provider import Provider, Surroundings, single
from features.sources.statement import Notice, Stands, Word

_SUCCESS = "INVOICE_PAYMENT_SUCCESS"
_FAILED = frozenset({"INVOICE_PAYMENT_FAILED", "PAYMENT_FAILED"})
_NO_METHOD = (
    "it says neither the method nor the refusal; report the attempt with POST /v1/attempts or the generic source"
)


def _read(event: Node, around: Surroundings) -> Notice:
    kind = event.text("eventType")
    about = event.maybe("objectId") or event.maybe("accountId") or "nothing"
    details = _metadata(event)
    event_id = f"{kind}/{about}/{details.first('paymentId', 'paymentTransactionId') or around.received_at.isoformat()}"
    if kind == _SUCCESS and (details.maybe("invoicePaymentType") or "ATTEMPT") == "ATTEMPT":
        return Notice(event_id, kind, (Stands(Word.PAID, event.text("objectId"), _at(details, around)),))
    return Notice(event_id, kind, why=_NO_METHOD if kind in _FAILED else "")


def _metadata(event: Node) -> Node:
    """What the event adds, which is JSON in a text."""
    value = event.at("metaData").value
    if isinstance(value, Mapping):
        return event.at("metaData")
    try:
        found = json_document(value.encode()) if isinstance(value, str) else Node(None)
    except InputError:
        found = Node(None)
    return Node(found.value if isinstance(found.value, Mapping) else None, "metaData")


def _at(details: Node, around: Surroundings) -> datetime:
    for key in ("paymentDate", "effectiveDate"):
        if details.at(key).present:
            return details.instant(key)
    return around.received_at


KILLBILL = Provider("killbill", json_document, single, ("eventType",), _read)

"""The source without a provider: Standard Webhooks around the shapes that `/v1/attempts` and `/v1/payments` take."""

from collections.abc import Mapping
from datetime import datetime

import orjson

from features.errors import InvalidValueError
from features.sources.document import Node, json_document
from serving.ledger.ledger import Ledger
from serving.ledger_events import event_of_payment
from serving.ledger_schemas import AttemptReport, PaymentEvent
from serving.reporting import report_attempts
from serving.requests import parse
from serving.webhooks.telling import Told

_ATTEMPTS = frozenset({"attempt.reported", "attempt.corrected", "attempt.reversed", "attempt.withdrawn"})
_PAYMENTS: Mapping[str, str] = {
    "payment.paid": "payment_paid",
    "payment.cancelled": "payment_cancelled",
    "payment.reopened": "payment_reopened",
    "consent.withdrawn": "consent_withdrawn",
    "consent.given": "consent_given",
    "method.fixed": "method_fixed",
}


def kind_of(body: bytes) -> str:
    """What the body says it is.

    Raises:
        InputError: The body is not JSON.
        InvalidValueError: It says nothing.
    """
    return json_document(body).text("type")


def tell(ledger: Ledger, merchant_id: str, body: bytes, now: datetime) -> Told | None:
    """Tell the ledger what the body says; None where its type is not one of ours.

    Raises:
        InputError: The body is not JSON, or the ledger cannot be reached.
        InvalidValueError: It is of another merchant, or a field cannot be used.
        RequestError: A field cannot be used; names each.
    """
    document = json_document(body)
    kind, data = document.text("type"), document.at("data")
    if kind in _ATTEMPTS:
        report = parse(_with(data, merchant_id, kind=kind.removeprefix("attempt.")), AttemptReport)
        (done,) = report_attempts(ledger, [report], now)
        return Told(int(done.new), unknown=tuple(filter(None, [done.unknown_at])))
    if kind in _PAYMENTS:
        payment_id = data.text("payment_id")
        given = parse(_with(data, merchant_id, without="payment_id", kind=_PAYMENTS[kind]), PaymentEvent)
        return Told(ledger.record([event_of_payment(given, payment_id, now)], now).new)
    return None


def _with(data: Node, merchant_id: str, *, kind: str, without: str = "") -> bytes:
    """The data as our own shape: the merchant is the endpoint's, the kind is the type's, the source is a webhook."""
    if not isinstance(data.value, Mapping):
        raise data.refused("an object")
    stated = data.maybe("merchant_id")
    if stated not in {None, merchant_id}:
        raise InvalidValueError("data.merchant_id", stated, f"{merchant_id}, whose secret signed it, or nothing")
    shape = {key: value for key, value in data.value.items() if key != without}
    return orjson.dumps(shape | {"merchant_id": merchant_id, "kind": kind, "source": "webhook"})

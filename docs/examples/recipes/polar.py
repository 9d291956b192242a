"""Polar with Recoup: see docs/recipes/polar.md, above all what it says of Polar's own retries.

POLAR_TOKEN=polar_oat_… API_KEY=recoup_… python docs/examples/recipes/polar.py advise ORDER_ID    # or: due, sweep
"""

import os
import sys
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from recovering import methods_for, run, settled_from, variable

from serving.client import Recoup
from serving.client.events import verified_event
from serving.client.shapes import (
    AttemptIn,
    DecisionRequest,
    MethodIn,
    Network,
    Outcome,
    PaymentIn,
    Rail,
    ReservationOut,
    SettledAttempt,
)

Json = dict[str, Any]  # Polar's documents; their shape is the point
API = "https://api.polar.sh"
OWN_RETRY_WITHIN = timedelta(days=1)
"""So long before and after a retry of Polar's own nothing is tried besides."""

_OUTCOMES = {"succeeded": Outcome.APPROVED, "failed": Outcome.DECLINED, "pending": Outcome.UNKNOWN}
_BRANDS = {"amex": Network.AMERICAN_EXPRESS}
_REFUSED = frozenset({409, 422})  # already in progress, or not eligible


class Polar:
    """Orders are payments, Polar's payments are attempts; Polar charges through Stripe."""

    answers_later = False

    def __init__(
        self, merchant_id: str, token: str, *, url: str = API, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.merchant_id = merchant_id
        self._http = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {token}"}, transport=transport, timeout=30.0
        )

    def owed(self, payment_id: str) -> DecisionRequest | None:
        order = self._order(payment_id)
        if order["status"] != "pending" or order["billing_reason"] != "subscription_cycle":
            return None
        methods = self._methods(order)
        attempts = self._attempts(payment_id, methods)
        if not attempts:
            return None
        return DecisionRequest(
            payment=PaymentIn(
                payment_id=payment_id,
                merchant_id=self.merchant_id,
                customer_id=order["customer_id"],
                amount_minor=order["due_amount"],
                currency=order["currency"].upper(),
                due_at=_at(order["created_at"]),
            ),
            methods=methods_for([_method(one) for one in methods], attempts),
            attempts=attempts,
        )

    def made_since(self, payment_id: str, at: datetime) -> SettledAttempt | None:
        return settled_from(self._attempts(payment_id, self._methods(self._order(payment_id))), at)

    def charge(self, held: ReservationOut) -> None:
        customer = self._as_customer(self._order(held.payment_id))
        planned = self._get(f"/v1/customer-portal/orders/{held.payment_id}", customer)["next_payment_attempt_at"]
        if planned is not None and abs(_at(planned) - held.fire_from) < OWN_RETRY_WITHIN:
            return  # the hold ends by itself; what Polar tries is read with the next question
        sent = self._http.post(
            f"/v1/customer-portal/orders/{held.payment_id}/confirm-payment",
            json={"payment_method_id": held.method_id, "payment_processor": "stripe"},
            headers=customer,
        )
        if sent.status_code not in _REFUSED:
            sent.raise_for_status()

    def _attempts(self, order_id: str, methods: list[Json]) -> tuple[AttemptIn, ...]:
        listed = self._get(f"/v1/payments/?order_id={order_id}&limit=100&sorting=created_at")["items"]
        return tuple(_attempt(one, methods) for one in listed)

    def _methods(self, order: Json) -> list[Json]:
        path = "/v1/customer-portal/customers/me/payment-methods?limit=100"
        items: list[Json] = self._get(path, self._as_customer(order))["items"]
        return [one for one in items if one["type"] == "card"]

    def _as_customer(self, order: Json) -> dict[str, str]:
        """The door of the customer: a session in the customer's name, which your agreement with them must allow."""
        session = self._http.post("/v1/customer-sessions/", json={"customer_id": order["customer_id"]})
        return {"authorization": f"Bearer {session.raise_for_status().json()['token']}"}

    def _order(self, order_id: str) -> Json:
        return self._get(f"/v1/orders/{order_id}")

    def _get(self, path: str, headers: Mapping[str, str] | None = None) -> Json:
        found: Json = self._http.get(path, headers=dict(headers or {})).raise_for_status().json()
        return found


def failed_in(secret: str, headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> str | None:
    """The order that a webhook says is not paid; None for any other event.

    Raises:
        SignatureError: Polar has not signed it just now.
    """
    # Standard Webhooks; Polar's secret is the key itself, not its Base64.
    event = verified_event([f"whsec_{b64encode(secret.encode()).decode()}"], headers, body, now=now)
    order = event.data
    unpaid = order.get("status") == "pending" and order.get("billing_reason") == "subscription_cycle"
    return str(order["id"]) if event.type == "order.updated" and unpaid else None


def _attempt(payment: Json, methods: list[Json]) -> AttemptIn:
    return AttemptIn(
        attempt_id=payment["id"],
        method_id=_method_id(payment, methods),
        processor="stripe",
        attempted_at=_at(payment["created_at"]),
        outcome=_OUTCOMES[payment["status"]],
        code=payment["decline_reason"],
        text=payment["decline_message"],
    )


def _method_id(payment: Json, methods: list[Json]) -> str:
    """Payments name the card by brand and last digits; the method on file with the same is taken for it."""
    card = payment.get("method_metadata") or {}
    looks = (card.get("brand"), card.get("last4"))
    same = [m["id"] for m in methods if (m["method_metadata"]["brand"], m["method_metadata"]["last4"]) == looks]
    return str(same[0]) if same else f"polar_{looks[0]}_{looks[1]}"


def _method(given: Json) -> MethodIn:
    brand = given["method_metadata"]["brand"]
    network = _BRANDS.get(brand) or (Network(brand) if brand in set(Network) else Network.UNKNOWN)
    return MethodIn(method_id=given["id"], rail=Rail.CARD, network=network, processors=("stripe",))


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def main(arguments: list[str]) -> None:
    """`advise ORDER` after a failure, `due` every few minutes, `sweep` every hour."""
    biller = Polar(os.environ.get("API_MERCHANT", "acme"), variable("POLAR_TOKEN"))
    with Recoup(os.environ.get("API_URL", "http://127.0.0.1:8080"), os.environ.get("API_KEY")) as recoup:
        run(recoup, biller, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

"""Stripe Billing with Recoup: see docs/recipes/stripe-billing.md.

STRIPE_KEY=sk_… API_KEY=recoup_… python docs/examples/recipes/stripe_billing.py advise in_1N…
STRIPE_KEY=sk_… API_KEY=recoup_… python docs/examples/recipes/stripe_billing.py due    # or: sweep
"""

import hashlib
import hmac
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import httpx
from recovering import methods_for, run, settled_from, variable

from serving.client import Recoup
from serving.client.shapes import (
    AttemptIn,
    DecisionRequest,
    IssuerIn,
    MethodIn,
    Network,
    Outcome,
    PaymentIn,
    Rail,
    ReservationOut,
    SettledAttempt,
)

Json = dict[str, Any]  # Stripe's documents; their shape is the point
API = "https://api.stripe.com"
VERSION = "2024-06-20"
TOLERANCE_S = 300
_OUTCOMES = {"succeeded": Outcome.APPROVED, "failed": Outcome.DECLINED, "pending": Outcome.UNKNOWN}
_BRANDS = {"amex": Network.AMERICAN_EXPRESS, "eftpos_au": Network.UNKNOWN}
_DECLINED = 402
# Stripe's amounts are in the currency's own minor units but for these: https://docs.stripe.com/currencies#special-cases
_AS_IF_WITH_CENTS, _WITHOUT_ITS_CENTS = frozenset({"ISK", "UGX"}), frozenset({"MGA"})


class StripeBilling:
    """Invoices are payments, charges are attempts."""

    answers_later = False

    def __init__(
        self, merchant_id: str, key: str, *, url: str = API, transport: httpx.BaseTransport | None = None
    ) -> None:
        self.merchant_id = merchant_id
        headers = {"authorization": f"Bearer {key}", "stripe-version": VERSION}
        self._http = httpx.Client(base_url=url, headers=headers, transport=transport, timeout=30.0)

    def owed(self, payment_id: str) -> DecisionRequest | None:
        invoice = self._get(f"/v1/invoices/{payment_id}")
        attempts = self._attempts(invoice)
        if invoice["status"] != "open" or not attempts:
            return None
        listed = self._get(f"/v1/customers/{invoice['customer']}/payment_methods?type=card&limit=100")["data"]
        return DecisionRequest(
            payment=PaymentIn(
                payment_id=payment_id,
                merchant_id=self.merchant_id,
                customer_id=invoice["customer"],
                amount_minor=_minor(invoice["amount_remaining"], invoice["currency"].upper()),
                currency=invoice["currency"].upper(),
                due_at=_at(invoice["due_date"] or invoice["created"]),
            ),
            methods=methods_for([_method(one) for one in listed], attempts),
            attempts=attempts,
        )

    def made_since(self, payment_id: str, at: datetime) -> SettledAttempt | None:
        return settled_from(self._attempts(self._get(f"/v1/invoices/{payment_id}")), at)

    def charge(self, held: ReservationOut) -> None:
        # Stripe answers the same key the same way, so that a try whose answer was lost charges nothing twice.
        sent = self._http.post(
            f"/v1/invoices/{held.payment_id}/pay",
            data={"payment_method": held.method_id, "off_session": "true"},
            headers={"idempotency-key": held.reservation_id},
        )
        if sent.status_code != _DECLINED:
            sent.raise_for_status()

    def _attempts(self, invoice: Json) -> tuple[AttemptIn, ...]:
        intent = invoice["payment_intent"]
        if intent is None:
            return ()
        return tuple(_attempt(one) for one in self._get(f"/v1/charges?payment_intent={intent}&limit=100")["data"])

    def _get(self, path: str) -> Json:
        answer = self._http.get(path).raise_for_status()
        found: Json = answer.json()
        return found


def failed_in(secret: str, headers: Mapping[str, str], body: bytes, now: datetime | None = None) -> str | None:
    """The invoice that a webhook says has failed; None for any other event.

    Raises:
        ValueError: Stripe has not signed it just now.
    """
    sent = next((value for name, value in headers.items() if name.lower() == "stripe-signature"), "")
    pairs = [part.strip().partition("=")[::2] for part in sent.split(",")]
    stamp, at = next((value for name, value in pairs if name == "t"), ""), now or datetime.now(UTC)
    wanted = hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    fresh = stamp.isascii() and stamp.isdecimal() and abs(at.timestamp() - int(stamp)) <= TOLERANCE_S
    # One signature for each secret that is in use: while they change, any of them will do.
    signed = [hmac.compare_digest(wanted.encode(), value.encode()) for name, value in pairs if name == "v1"]
    if not fresh or not any(signed):
        raise ValueError("the delivery was not signed by Stripe just now")
    event = json.loads(body)
    return str(event["data"]["object"]["id"]) if event["type"] == "invoice.payment_failed" else None


def _attempt(charge: Json) -> AttemptIn:
    outcome = charge["outcome"] or {}
    return AttemptIn(
        attempt_id=charge["id"],
        method_id=charge["payment_method"],
        processor="stripe",
        attempted_at=_at(charge["created"]),
        outcome=_OUTCOMES[charge["status"]],
        code=outcome.get("reason") or charge["failure_code"],
        subcode=outcome.get("network_decline_code"),
        advice_code=outcome.get("network_advice_code"),
        text=charge["failure_message"],
    )


def _method(given: Json) -> MethodIn:
    card = given["card"]
    return MethodIn(
        method_id=given["id"],
        rail=Rail.CARD,
        network=_BRANDS.get(card["brand"]) or _known(card["brand"]),
        issuer=IssuerIn(country=card["country"]),
        processors=("stripe",),
    )


def _minor(amount: int, currency: str) -> int:
    if currency in _AS_IF_WITH_CENTS:
        whole, rest = divmod(amount, 100)
        if rest:
            raise ValueError(f"amount: {amount} is not accepted; expected hundreds, as Stripe writes {currency}")
        return whole
    return amount * 100 if currency in _WITHOUT_ITS_CENTS else amount


def _known(brand: str) -> Network:
    return Network(brand) if brand in set(Network) else Network.UNKNOWN


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def main(arguments: list[str]) -> None:
    """`advise INVOICE` after a failure, `due` every few minutes, `sweep` every hour."""
    biller = StripeBilling(os.environ.get("API_MERCHANT", "acme"), variable("STRIPE_KEY"))
    with Recoup(os.environ.get("API_URL", "http://127.0.0.1:8080"), os.environ.get("API_KEY")) as recoup:
        run(recoup, biller, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

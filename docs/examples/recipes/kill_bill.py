"""Kill Bill with Recoup: see docs/recipes/kill-bill.md.

    KILLBILL_URL=http://127.0.0.1:8081 KILLBILL_USER=admin:… KILLBILL_TENANT=bob:… API_KEY=recoup_… \\
        python docs/examples/recipes/kill_bill.py advise INVOICE_ID    # or: due, sweep
"""

import hmac
import json
import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
from recovering import methods_for, own_id, run, settled_from, variable

from serving.client import Recoup
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

Json = dict[str, Any]  # Kill Bill's documents; their shape is the point
_OUTCOMES = {
    "SUCCESS": Outcome.APPROVED,
    "PAYMENT_FAILURE": Outcome.DECLINED,
    "PLUGIN_FAILURE": Outcome.ERROR,
    "PAYMENT_SYSTEM_OFF": Outcome.ERROR,
    "PENDING": Outcome.UNKNOWN,
    "UNKNOWN": Outcome.UNKNOWN,
}
_BRANDS = ("card_brand", "ccType", "card_type", "type")
_WITHOUT_MINOR = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_IN_THOUSANDTHS = "BHD IQD JOD KWD LYD OMR TND"
_DIGITS = {**dict.fromkeys(_WITHOUT_MINOR.split(), 0), **dict.fromkeys(_IN_THOUSANDTHS.split(), 3), "CLF": 4, "UYW": 4}
_DECLINED = 402


class KillBill:
    """Invoices are payments, purchases are attempts.

    Args:
        processor: Behind the payment plugin, as your decline codes are listed: `stripe`, `adyen` …
    """

    answers_later = False

    def __init__(
        self,
        merchant_id: str,
        url: str,
        user: str,
        tenant: str,
        *,
        processor: str,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.merchant_id, self.processor = merchant_id, processor
        name, _, password = user.partition(":")
        key, _, secret = tenant.partition(":")
        headers = {
            "x-killbill-apikey": key,
            "x-killbill-apisecret": secret,
            "x-killbill-createdby": "recoup",
            "accept": "application/json",
        }
        self._http = httpx.Client(
            base_url=url, auth=(name, password), headers=headers, transport=transport, timeout=30.0
        )

    def owed(self, payment_id: str) -> DecisionRequest | None:
        invoice = self._get(f"/1.0/kb/invoices/{payment_id}")
        balance, attempts = Decimal(str(invoice["balance"])), self._attempts(payment_id)
        if balance <= 0 or invoice["status"] != "COMMITTED" or not attempts:
            return None
        account = invoice["accountId"]
        listed = self._get(f"/1.0/kb/accounts/{account}/paymentMethods?withPluginInfo=true")
        return DecisionRequest(
            payment=PaymentIn(
                payment_id=payment_id,
                merchant_id=self.merchant_id,
                customer_id=account,
                amount_minor=_minor(balance, invoice["currency"]),
                currency=invoice["currency"],
                due_at=datetime.fromisoformat(invoice["invoiceDate"]).replace(tzinfo=UTC),
            ),
            methods=methods_for([self._method(one) for one in listed], attempts),
            attempts=attempts,
        )

    def made_since(self, payment_id: str, at: datetime) -> SettledAttempt | None:
        return settled_from(self._attempts(payment_id), at)

    def charge(self, held: ReservationOut) -> None:
        invoice = self._get(f"/1.0/kb/invoices/{held.payment_id}")
        sent = self._http.post(
            f"/1.0/kb/invoices/{held.payment_id}/payments?externalPayment=false",
            json={
                "accountId": invoice["accountId"],
                "targetInvoiceId": held.payment_id,
                "purchasedAmount": invoice["balance"],
                "currency": invoice["currency"],
                "paymentMethodId": held.method_id,
                "paymentExternalKey": own_id(held.reservation_id),
            },
        )
        if sent.status_code != _DECLINED:
            sent.raise_for_status()

    def _attempts(self, invoice_id: str) -> tuple[AttemptIn, ...]:
        payments = self._get(f"/1.0/kb/invoices/{invoice_id}/payments?withPluginInfo=true")
        return tuple(
            AttemptIn(
                attempt_id=one["transactionId"],
                method_id=payment["paymentMethodId"],
                processor=self.processor,
                attempted_at=datetime.fromisoformat(one["effectiveDate"]),
                outcome=_OUTCOMES.get(one["status"], Outcome.UNKNOWN),
                code=one["gatewayErrorCode"],
                text=one["gatewayErrorMsg"],
            )
            for payment in payments
            for one in payment["transactions"]
            if one["transactionType"] == "PURCHASE"
        )

    def _method(self, given: Json) -> MethodIn:
        listed = (given.get("pluginInfo") or {}).get("properties") or []
        properties = {str(one["key"]): str(one["value"]).lower() for one in listed}
        brand = next((properties[key] for key in _BRANDS if key in properties), "")
        network = Network(brand) if brand in set(Network) else Network.UNKNOWN
        return MethodIn(
            method_id=given["paymentMethodId"], rail=Rail.CARD, network=network, processors=(self.processor,)
        )

    def _get(self, path: str) -> Any:
        return self._http.get(path).raise_for_status().json()


def failed_in(secret: str, query: Mapping[str, str], body: bytes) -> str | None:
    """The invoice that a push notification says has failed; None for any other.

    Args:
        secret: As it stands in the address that Kill Bill calls; it signs nothing.

    Raises:
        ValueError: The address was called without it.
    """
    if not hmac.compare_digest(secret.encode(), query.get("secret", "").encode()):
        raise ValueError("the address was called without its secret")
    event = json.loads(body)
    return str(event["objectId"]) if event["eventType"] == "INVOICE_PAYMENT_FAILED" else None


def forward(url: str, secret: str, body: bytes, transport: httpx.BaseTransport | None = None) -> None:
    """Pass a push notification on to Recoup as it came: Kill Bill keeps one callback per tenant, and it is yours.

    Args:
        url: Recoup's.
        secret: Of Recoup's endpoint for Kill Bill.

    Raises:
        httpx.HTTPError: Recoup did not take it; answer Kill Bill with an error, and it notifies again.
    """
    with httpx.Client(base_url=url, transport=transport, timeout=30.0) as http:
        # Among the headers none signs it, so none but the type is needed.
        headers = {"content-type": "application/json"}
        http.post("/webhooks/killbill", params={"secret": secret}, content=body, headers=headers).raise_for_status()


def _minor(amount: Decimal, currency: str) -> int:
    digits = _DIGITS.get(currency, 2)
    minor = amount.scaleb(digits)
    if minor != minor.to_integral_value():
        raise ValueError(f"amount: {amount} {currency} is not accepted; expected at most {digits} decimals")
    return int(minor)


def main(arguments: list[str]) -> None:
    """`advise INVOICE` after a failure, `due` every few minutes, `sweep` every hour."""
    biller = KillBill(
        os.environ.get("API_MERCHANT", "acme"),
        variable("KILLBILL_URL"),
        variable("KILLBILL_USER"),
        variable("KILLBILL_TENANT"),
        processor=os.environ.get("KILLBILL_PROCESSOR", "stripe"),
    )
    with Recoup(os.environ.get("API_URL", "http://127.0.0.1:8080"), os.environ.get("API_KEY")) as recoup:
        run(recoup, biller, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

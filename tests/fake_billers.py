"""Billing systems in the shapes that they publish, for the recipes: an invoice, a card, and what charging it comes to.

Sources: https://docs.stripe.com/api (version 2024-06-20), https://killbill.github.io/slate and
https://docs.killbill.io/latest/userguide_payment.html, https://getlago.com/docs/api-reference and the serializers of
https://github.com/getlago/lago-api, https://docs.polar.sh/api-reference and the schemas of
https://github.com/polarsource/polar; read 2026-11-26.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from api_builders import Clock

Json = dict[str, Any]  # documents of other systems


@dataclass
class Charge:
    """One attempt as the biller knows it."""

    name: str
    at: datetime
    approved: bool
    key: str = ""


@dataclass
class FakeBiller:
    """An unpaid invoice that was attempted once; later attempts are declined so many times, then approved."""

    clock: Clock
    declines: int = 2
    charges: list[Charge] = field(default_factory=list)
    invoice = "inv"
    paid_otherwise: bool = False
    unexpected: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.charges.append(Charge(self.named(0), self.clock.now, approved=False))

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self.answer)

    @property
    def paid(self) -> bool:
        return self.paid_otherwise or any(charge.approved for charge in self.charges)

    def named(self, number: int) -> str:
        return f"charge_{number}"

    def try_once(self, key: str = "") -> Charge:
        assert not self.paid, "charged though it is paid"
        number = len(self.charges)
        made = Charge(self.named(number), self.clock.now, approved=number > self.declines, key=key)
        self.charges.append(made)
        return made

    def answer(self, request: httpx.Request) -> httpx.Response:
        parts = urlsplit(str(request.url))
        reply = self.route(request.method, parts.path, parse_qs(parts.query), request)
        if reply is None:
            self.unexpected.append(f"{request.method} {request.url}")
            return httpx.Response(404, json={})
        return reply

    def route(
        self, method: str, path: str, query: dict[str, list[str]], request: httpx.Request
    ) -> httpx.Response | None:
        raise NotImplementedError


class FakeStripe(FakeBiller):
    invoice = "in_1NfakeInvoice000001"

    def named(self, number: int) -> str:
        return f"ch_3Nfake{'abcdefgh'[number]}"

    def route(
        self, method: str, path: str, query: dict[str, list[str]], request: httpx.Request
    ) -> httpx.Response | None:
        assert request.headers["authorization"] == "Bearer sk_test"
        if (method, path) == ("GET", f"/v1/invoices/{self.invoice}"):
            return httpx.Response(200, json=self.invoice_document())
        if (method, path) == ("GET", "/v1/charges"):
            assert query["payment_intent"] == ["pi_1"]
            return httpx.Response(200, json={"object": "list", "data": [self.charge(one) for one in self.charges]})
        if (method, path) == ("GET", "/v1/customers/cus_1/payment_methods"):
            card = {"brand": "visa", "country": "DE", "exp_month": 8, "exp_year": 2030}
            return httpx.Response(200, json={"object": "list", "data": [{"id": "pm_1", "type": "card", "card": card}]})
        if (method, path) == ("POST", f"/v1/invoices/{self.invoice}/pay"):
            assert parse_qs(request.content.decode()) == {"payment_method": ["pm_1"], "off_session": ["true"]}
            return self.pay(request.headers["idempotency-key"])
        return None

    def pay(self, key: str) -> httpx.Response:
        made = next((one for one in self.charges if one.key == key), None) or self.try_once(key)
        if made.approved:
            return httpx.Response(200, json=self.invoice_document())
        error = {
            "type": "card_error",
            "code": "card_declined",
            "decline_code": "insufficient_funds",
            "charge": made.name,
        }
        return httpx.Response(402, json={"error": error})

    def invoice_document(self) -> Json:
        return {
            "id": self.invoice,
            "object": "invoice",
            "status": "paid" if self.paid else "open",
            "amount_remaining": 0 if self.paid else 2_799,
            "currency": "eur",
            "customer": "cus_1",
            "created": int(self.charges[0].at.timestamp()) - 3600,
            "due_date": None,
            "payment_intent": "pi_1",
        }

    def charge(self, one: Charge) -> Json:
        outcome = {"reason": "insufficient_funds", "network_decline_code": "51", "network_advice_code": None}
        approved = {"reason": None, "network_decline_code": None, "network_advice_code": None}
        return {
            "id": one.name,
            "object": "charge",
            "status": "succeeded" if one.approved else "failed",
            "created": int(one.at.timestamp()),
            "payment_method": "pm_1",
            "failure_code": None if one.approved else "card_declined",
            "failure_message": None if one.approved else "Your card has insufficient funds.",
            "outcome": approved if one.approved else outcome,
        }


class FakeKillBill(FakeBiller):
    invoice = "8f0a3f0c-4444-4a4b-9c5d-000000000004"
    account = "8f0a3f0c-1111-4a4b-9c5d-000000000001"

    def named(self, number: int) -> str:
        return f"8f0a3f0c-2222-4a4b-9c5d-00000000000{'abcdefgh'[number]}"

    def route(
        self, method: str, path: str, query: dict[str, list[str]], request: httpx.Request
    ) -> httpx.Response | None:
        assert (request.headers["x-killbill-apikey"], request.headers["x-killbill-apisecret"]) == ("bob", "lazar")
        root = "/1.0/kb"
        if (method, path) == ("GET", f"{root}/invoices/{self.invoice}"):
            return httpx.Response(200, json=self.invoice_document())
        if (method, path) == ("GET", f"{root}/invoices/{self.invoice}/payments"):
            return httpx.Response(200, json=[self.payment(one) for one in self.charges])
        if (method, path) == ("GET", f"{root}/accounts/{self.account}/paymentMethods"):
            properties = [{"key": "card_brand", "value": "Visa", "isUpdatable": False}]
            info = {"externalPaymentMethodId": "pm_1", "isDefaultPaymentMethod": True, "properties": properties}
            method_document = {"paymentMethodId": "kb_pm", "accountId": self.account, "pluginInfo": info}
            return httpx.Response(200, json=[method_document])
        if (method, path) == ("POST", f"{root}/invoices/{self.invoice}/payments"):
            asked = json.loads(request.content)
            assert (asked["paymentMethodId"], query["externalPayment"]) == ("kb_pm", ["false"])
            made = self.try_once(asked["paymentExternalKey"])
            return httpx.Response(
                201 if made.approved else 402, json=None if made.approved else {"message": "declined"}
            )
        return None

    def invoice_document(self) -> Json:
        return {
            "invoiceId": self.invoice,
            "accountId": self.account,
            "status": "COMMITTED",
            "currency": "EUR",
            "amount": 27.99,
            "balance": 0 if self.paid else 27.99,
            "invoiceDate": f"{self.charges[0].at:%Y-%m-%d}",
        }

    def payment(self, one: Charge) -> Json:
        transaction = {
            "transactionId": one.name,
            "transactionExternalKey": one.key or one.name,
            "transactionType": "PURCHASE",
            "effectiveDate": one.at.isoformat().replace("+00:00", "Z"),
            "status": "SUCCESS" if one.approved else "PAYMENT_FAILURE",
            "amount": 27.99,
            "currency": "EUR",
            "gatewayErrorCode": None if one.approved else "insufficient_funds",
            "gatewayErrorMsg": None if one.approved else "Your card has insufficient funds.",
        }
        return {
            "targetInvoiceId": self.invoice,
            "accountId": self.account,
            "paymentMethodId": "kb_pm",
            "currency": "EUR",
            "transactions": [transaction],
        }


class FakeLago(FakeBiller):
    """Answers to a retry come by webhook, a little later."""

    invoice = "1a901a90-0000-4000-8000-000000000001"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.deliver: Callable[[Json, str], None] = lambda event, key: None

    def route(
        self, method: str, path: str, query: dict[str, list[str]], request: httpx.Request
    ) -> httpx.Response | None:
        assert request.headers["authorization"] == "Bearer lago"
        if (method, path) == ("GET", f"/api/v1/invoices/{self.invoice}"):
            return httpx.Response(200, json={"invoice": self.invoice_document()})
        if (method, path) == ("POST", f"/api/v1/invoices/{self.invoice}/retry_payment"):
            self.try_once()
            return httpx.Response(200)
        return None

    def event(self, number: int) -> tuple[Json, str]:
        """What Lago delivers of an attempt, and the unique key of the delivery."""
        key = f"unique-{'abcdefgh'[number]}"
        if self.charges[number].approved:
            document = {"webhook_type": "invoice.payment_status_updated", "object_type": "invoice"}
            return document | {"invoice": self.invoice_document()}, key
        error = {
            "lago_invoice_id": self.invoice,
            "external_customer_id": "cust_88",
            "provider_customer_id": "cus_1",
            "payment_provider": "stripe",
            "provider_error": {"message": "Your card has insufficient funds.", "error_code": "insufficient_funds"},
        }
        document = {"webhook_type": "invoice.payment_failure", "object_type": "payment_provider_invoice_payment_error"}
        return document | {"payment_provider_invoice_payment_error": error}, key

    def invoice_document(self) -> Json:
        return {
            "lago_id": self.invoice,
            "status": "finalized",
            "payment_status": "succeeded" if self.paid else "failed",
            "currency": "EUR",
            "total_amount_cents": 2_799,
            "total_due_amount_cents": 0 if self.paid else 2_799,
            "payment_due_date": f"{self.charges[0].at:%Y-%m-%d}",
            "customer": {"external_id": "cust_88", "billing_configuration": {"payment_provider": "stripe"}},
        }


class FakePolar(FakeBiller):
    invoice = "57107b74-8400-4d80-a2fc-54c2b4239cb3"
    customer = "992fae2a-2a17-4b7a-8d9e-e287cf90131b"
    planned: datetime | None = None

    def named(self, number: int) -> str:
        return f"42b94870-36b9-4573-96b6-b90b1c99a35{'abcdefgh'[number]}"

    def route(
        self, method: str, path: str, query: dict[str, list[str]], request: httpx.Request
    ) -> httpx.Response | None:
        portal = path.startswith("/v1/customer-portal/")
        assert request.headers["authorization"] == ("Bearer polar_cst_1" if portal else "Bearer polar_oat_1")
        if (method, path) == ("POST", "/v1/customer-sessions/"):
            assert json.loads(request.content) == {"customer_id": self.customer}
            return httpx.Response(201, json={"token": "polar_cst_1"})
        if (method, path) == ("GET", f"/v1/orders/{self.invoice}"):
            return httpx.Response(200, json=self.order())
        if (method, path) == ("GET", f"/v1/customer-portal/orders/{self.invoice}"):
            planned = None if self.planned is None else self.planned.isoformat()
            return httpx.Response(200, json=self.order() | {"next_payment_attempt_at": planned})
        if (method, path) == ("GET", "/v1/payments/"):
            assert query["order_id"] == [self.invoice]
            return httpx.Response(200, json=listed([self.payment(one) for one in self.charges]))
        if (method, path) == ("GET", "/v1/customer-portal/customers/me/payment-methods"):
            card = {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2030}
            return httpx.Response(200, json=listed([{"id": "polar_pm", "type": "card", "method_metadata": card}]))
        if (method, path) == ("POST", f"/v1/customer-portal/orders/{self.invoice}/confirm-payment"):
            assert json.loads(request.content) == {"payment_method_id": "polar_pm", "payment_processor": "stripe"}
            made = self.try_once()
            return httpx.Response(200 if made.approved else 422, json={"status": "succeeded"})
        return None

    def order(self) -> Json:
        return {
            "id": self.invoice,
            "status": "paid" if self.paid else "pending",
            "billing_reason": "subscription_cycle",
            "due_amount": 0 if self.paid else 2_799,
            "currency": "eur",
            "customer_id": self.customer,
            "created_at": self.charges[0].at.isoformat(),
        }

    def payment(self, one: Charge) -> Json:
        return {
            "id": one.name,
            "created_at": one.at.isoformat(),
            "processor": "stripe",
            "status": "succeeded" if one.approved else "failed",
            "amount": 2_799,
            "currency": "eur",
            "method": "card",
            "method_metadata": {"brand": "visa", "last4": "4242"},
            "trigger": "retry_customer",
            "decline_reason": None if one.approved else "insufficient_funds",
            "decline_message": None if one.approved else "Your card has insufficient funds.",
            "order_id": self.invoice,
        }


def listed(items: list[Json]) -> Json:
    return {"items": items, "pagination": {"total_count": len(items), "max_page": 1}}

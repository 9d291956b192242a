"""Lago with Recoup: see docs/recipes/lago.md.

    LAGO_KEY=… API_KEY=recoup_… python docs/examples/recipes/lago.py due    # or: sweep

and `told` from your own webhook handler, with every delivery of Lago's.
"""

import base64
import hashlib
import hmac
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
from recovering import run, variable

from serving.client import Recoup
from serving.client.errors import ConflictError, UnknownIdError
from serving.client.shapes import (
    AttemptIn,
    AttemptReport,
    DecisionRequest,
    MethodIn,
    Network,
    Outcome,
    PaymentEvent,
    PaymentEventKind,
    PaymentIn,
    Rail,
    ReportedAttempt,
    ReportedMethod,
    ReservationOut,
    SettledAttempt,
    TimelineEntry,
)

Json = dict[str, Any]  # Lago's documents; their shape is the point
API = "https://api.getlago.com"
_PAID = "succeeded"


class Lago:
    """Invoices are payments. Lago names no method and no charge: the customer at the provider stands for the method.

    Args:
        network: Of your customers' cards where it is known; Lago does not say it.
    """

    answers_later = True

    def __init__(
        self,
        merchant_id: str,
        key: str,
        recoup: Recoup,
        *,
        url: str = API,
        network: Network = Network.UNKNOWN,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.merchant_id, self.network, self._recoup = merchant_id, network, recoup
        self._http = httpx.Client(
            base_url=url, headers={"authorization": f"Bearer {key}"}, transport=transport, timeout=30.0
        )

    def owed(self, payment_id: str) -> DecisionRequest | None:
        invoice = self._invoice(payment_id)
        tried = [one for one in self._told(payment_id) if one.entry == "attempt"]
        if invoice["payment_status"] == _PAID or invoice["status"] != "finalized" or not tried:
            return None
        method = MethodIn(
            method_id=str(tried[-1].method_id),
            rail=Rail.CARD,
            network=self.network,
            processors=(_provider(invoice),),
        )
        return DecisionRequest(
            payment=PaymentIn(
                payment_id=payment_id,
                merchant_id=self.merchant_id,
                customer_id=invoice["customer"]["external_id"],
                amount_minor=invoice["total_due_amount_cents"],
                currency=invoice["currency"],
                due_at=datetime.fromisoformat(invoice["payment_due_date"]).replace(tzinfo=UTC),
            ),
            methods=(method,),
            attempts=tuple(_attempt(one) for one in tried if one.method_id == method.method_id),
        )

    def made_since(self, payment_id: str, at: datetime) -> SettledAttempt | None:  # noqa: ARG002 - as all billers
        return None  # Lago's answers come by webhook; what was begun is told to Recoup before it is sent

    def charge(self, held: ReservationOut) -> None:
        self._http.post(f"/api/v1/invoices/{held.payment_id}/retry_payment").raise_for_status()

    def told(self, event: Json, key: str, now: datetime | None = None) -> str | None:
        """Tell Recoup what a webhook says; the invoice to be advised on, where that is what follows.

        Args:
            key: Lago's `X-Lago-Unique-Key` of the delivery: what was told under it before is not told again.
        """
        at = now or datetime.now(UTC)
        failure: Json | None = event.get("payment_provider_invoice_payment_error")
        with suppress(ConflictError):  # the same delivery again, at another time
            match event["webhook_type"]:
                case "invoice.payment_failure" if failure:
                    self._failed(failure, key, at)
                case "invoice.payment_status_updated" if event["invoice"]["payment_status"] == _PAID:
                    self._paid(event["invoice"], key, at)
        # Told again, too: whoever handled it before may not have come to advise.
        return str(failure["lago_invoice_id"]) if failure else None

    def _failed(self, failure: Json, key: str, now: datetime) -> None:
        error = failure.get("provider_error") or {}
        invoice, pending = self._invoice(failure["lago_invoice_id"]), self._pending(failure["lago_invoice_id"])
        method_id = failure["provider_customer_id"] or failure["external_customer_id"]
        attempt = self._attempted(invoice, method_id, Outcome.DECLINED, pending, now)
        attempt = replace(attempt, code=error.get("error_code"), text=error.get("message"))
        self._report(attempt, key, pending)

    def _paid(self, invoice: Json, key: str, now: datetime) -> None:
        invoice_id = invoice["lago_id"]
        if pending := self._pending(invoice_id):
            attempt = self._attempted(invoice, str(pending.method_id), Outcome.APPROVED, pending, now)
            self._report(attempt, key, pending)
        paid = PaymentEvent(
            merchant_id=self.merchant_id,
            event_id=f"lago/{key}/paid",
            kind=PaymentEventKind.PAYMENT_PAID,
            happened_at=now,
        )
        self._recoup.tell_of_payment(invoice_id, paid)

    def _attempted(
        self, invoice: Json, method_id: str, outcome: Outcome, pending: TimelineEntry | None, now: datetime
    ) -> ReportedAttempt:
        return ReportedAttempt(
            payment_id=invoice["lago_id"],
            customer_id=invoice["customer"]["external_id"],
            method=ReportedMethod(method_id=method_id, rail=Rail.CARD, network=self.network),
            processor=_provider(invoice),
            amount_minor=invoice["total_amount_cents"],
            currency=invoice["currency"],
            attempted_at=pending.at if pending else now,
            outcome=outcome,
            outcome_at=now,
        )

    def _report(self, attempt: ReportedAttempt, key: str, pending: TimelineEntry | None) -> None:
        """The answer to what Recoup advised where that is pending, else an attempt of Lago's own."""
        report = AttemptReport(
            merchant_id=self.merchant_id,
            event_id=f"lago/{key}",
            attempt_id=pending.id if pending else f"lago_{key}",
            reservation_id=pending.other_id if pending else None,
            attempt=attempt,
        )
        self._recoup.report_attempts(report)

    def _pending(self, invoice_id: str) -> TimelineEntry | None:
        """The attempt that Recoup advised and whose answer is not known."""
        told = self._told(invoice_id)
        return next((one for one in told if one.entry == "attempt" and one.word == "unknown" and one.other_id), None)

    def _told(self, invoice_id: str) -> list[TimelineEntry]:
        try:
            return list(self._recoup.all_payment(invoice_id, merchant_id=self.merchant_id))
        except UnknownIdError:
            return []

    def _invoice(self, invoice_id: str) -> Json:
        found: Json = self._http.get(f"/api/v1/invoices/{invoice_id}").raise_for_status().json()["invoice"]
        return found


def verified(secret: str, headers: Mapping[str, str], body: bytes) -> Json:
    """The event in a delivery that is signed with HMAC.

    Raises:
        ValueError: Lago has not signed it.
    """
    wanted = base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest())
    if not hmac.compare_digest(wanted, headers.get("x-lago-signature", "").encode()):
        raise ValueError("the delivery was not signed by Lago")
    event: Json = json.loads(body)
    return event


def _attempt(told: TimelineEntry) -> AttemptIn:
    return AttemptIn(
        attempt_id=told.id,
        method_id=str(told.method_id),
        processor=str(told.processor),
        attempted_at=told.at,
        outcome=Outcome(told.word),
        outcome_at=told.ends_at,
        code=told.code,
        subcode=told.subcode,
    )


def _provider(invoice: Json) -> str:
    return str(invoice["customer"]["billing_configuration"]["payment_provider"])


def main(arguments: list[str]) -> None:
    """`advise INVOICE` after a failure, `due` every few minutes, `sweep` every hour."""
    with Recoup(os.environ.get("API_URL", "http://127.0.0.1:8080"), os.environ.get("API_KEY")) as recoup:
        biller = Lago(os.environ.get("API_MERCHANT", "acme"), variable("LAGO_KEY"), recoup)
        run(recoup, biller, arguments)


if __name__ == "__main__":
    main(sys.argv[1:])

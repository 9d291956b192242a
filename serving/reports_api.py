"""The addresses where attempts are reported, and where payments and consents stand."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response

from serving.edge import note, read_body
from serving.ledger_access import LedgerAccess
from serving.ledger_answers import (
    PaymentEventAnswer,
    ReportResult,
    ReportsAnswer,
    settled_answer,
    told,
)
from serving.ledger_examples import PAYMENT_EVENTS, REPORTS
from serving.ledger_openapi import body_of, refusals
from serving.ledger_schemas import MOST_REPORTS, AttemptReport, PaymentEvent
from serving.reporting import Reported, report_attempts, tell_of_payment
from serving.requests import parse, parse_many
from serving.settings import Settings
from serving.tenancy.caller import require_own
from serving.urls import path_id, send

_BODY_REFUSALS = refusals("malformed", "too_large", "media", "invalid", "conflict", "ledger")


def report_routes(access: LedgerAccess, settings: Settings, clock: Callable[[], datetime]) -> APIRouter:
    """The addresses that tell the ledger something."""
    router = APIRouter(responses=_BODY_REFUSALS)

    @router.post(
        "/v1/attempts",
        tags=["attempts"],
        response_model=ReportsAnswer,
        openapi_extra=body_of(AttemptReport, REPORTS, most=MOST_REPORTS),
        summary="Report attempts",
    )
    async def attempts(request: Request) -> Response:
        """Tell of one attempt, or of many as an array, whoever made them; corrections and reversals too.

        All are recorded or none. What was told before under the same `event_id` changes nothing; the same id for
        something else is a conflict. With `reservation_id` the reservation is settled as well.
        """
        body, now = await read_body(request, settings.max_body_bytes), clock()
        reports = parse_many(body, AttemptReport, MOST_REPORTS)
        require_own(request, *(one.merchant_id for one in reports))
        done = await access.ask(lambda ledger: report_attempts(ledger, reports, now))
        new = sum(one.new for one in done)
        for one in done:
            if one.new and one.unknown_at:
                access.metrics.unknown_code(one.unknown_at, "report")
        note(request, new=str(new), repeated=str(len(done) - new))
        results = tuple(_result(one) for one in done)
        return send(ReportsAnswer(new=new, repeated=len(done) - new, results=results))

    @router.post(
        "/v1/payments/{payment_id:id}/events",
        tags=["attempts"],
        response_model=PaymentEventAnswer,
        openapi_extra=body_of(PaymentEvent, PAYMENT_EVENTS),
        summary="Tell where a payment stands",
    )
    async def events(request: Request, payment_id: str) -> Response:
        """Paid by other means, cancelled, owed again; retries not wanted, or wanted again.

        A consent withdrawn or given; a method's details renewed.

        Decisions and checks from then on go by the latest word.
        """
        subject = path_id("payment_id", payment_id)
        given, now = parse(await read_body(request, settings.max_body_bytes), PaymentEvent), clock()
        require_own(request, given.merchant_id)
        new = await access.ask(lambda ledger: tell_of_payment(ledger, given, subject, now))
        return send(PaymentEventAnswer(event_id=given.event_id, recorded=told(new=new)))

    return router


def _result(one: Reported) -> ReportResult:
    settled = settled_answer(one.settled) if one.settled else None
    return ReportResult(
        event_id=one.report.event_id, attempt_id=one.report.attempt_id, recorded=told(new=one.new), settled=settled
    )

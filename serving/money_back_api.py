"""The address where it is told that money of an attempt went back: refunds, and chargebacks of cards."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from serving.edge import read_body
from serving.errors import invalid_request
from serving.ledger.events import Source
from serving.ledger.money_back import MoneyBack, put_money_back
from serving.ledger_access import LedgerAccess
from serving.ledger_answers import PaymentEventAnswer, told
from serving.ledger_events import CLOCKS_APART, of_the_future
from serving.ledger_examples import MONEY_BACK
from serving.ledger_openapi import body_of, refusals
from serving.money_back_schemas import ToldOfMoneyBack
from serving.requests import parse
from serving.settings import Settings
from serving.tenancy.caller import require_own
from serving.urls import path_id, send

_REFUSALS = refusals("malformed", "too_large", "media", "invalid", "conflict", "ledger")


def money_back_routes(access: LedgerAccess, settings: Settings, clock: Callable[[], datetime]) -> APIRouter:
    """The address that is told of money that went back."""
    router = APIRouter(responses=_REFUSALS)

    @router.post(
        "/v1/attempts/{attempt_id:id}/money-back",
        tags=["attempts"],
        response_model=PaymentEventAnswer,
        openapi_extra=body_of(ToldOfMoneyBack, MONEY_BACK),
        summary="Tell that money went back",
    )
    async def money_back(request: Request, attempt_id: str) -> Response:
        """A refund, or the chargeback of a card. Experiments take the recovery back by it; no limit counts it."""
        subject = path_id("attempt_id", attempt_id)
        given, now = parse(await read_body(request, settings.max_body_bytes), ToldOfMoneyBack), clock()
        require_own(request, given.merchant_id)
        if given.happened_at > now + CLOCKS_APART:
            raise invalid_request((of_the_future("happened_at", given.happened_at, now),))
        back = MoneyBack(
            merchant_id=given.merchant_id,
            source=Source.REPORTED,
            source_event_id=given.event_id,
            attempt_id=subject,
            kind=given.kind,
            amount_minor=given.amount_minor,
            said_at=given.happened_at.astimezone(UTC),
        )
        new = await access.ask(lambda ledger: put_money_back(ledger.store, [back], now)) > 0
        return send(PaymentEventAnswer(event_id=given.event_id, recorded=told(new=new)))

    return router

"""The address where it is told what befell a customer."""

from collections.abc import Callable
from datetime import UTC, datetime

from fastapi import APIRouter, Request, Response

from features.money import Money
from serving.customer_schemas import ToldOfCustomer
from serving.edge import read_body
from serving.errors import FieldError, invalid_request
from serving.ledger.customers import WITH_MONEY, CustomerEvent, tell_of_customer
from serving.ledger_access import LedgerAccess
from serving.ledger_answers import PaymentEventAnswer, told
from serving.ledger_events import CLOCKS_APART, of_the_future
from serving.ledger_examples import CUSTOMER_EVENTS
from serving.ledger_openapi import body_of, refusals
from serving.requests import parse
from serving.settings import Settings
from serving.tenancy.caller import require_own
from serving.urls import path_id, send

_REFUSALS = refusals("malformed", "too_large", "media", "invalid", "conflict", "ledger")


def customer_routes(access: LedgerAccess, settings: Settings, clock: Callable[[], datetime]) -> APIRouter:
    """The address that is told of customers."""
    router = APIRouter(responses=_REFUSALS)

    @router.post(
        "/v1/customers/{customer_id:id}/events",
        tags=["attempts"],
        response_model=PaymentEventAnswer,
        openapi_extra=body_of(ToldOfCustomer, CUSTOMER_EVENTS),
        summary="Tell what befell a customer",
    )
    async def customer_events(request: Request, customer_id: str) -> Response:
        """A complaint, messages no longer wanted, a dispute, the end of a subscription, a payment or a refund.

        Experiments weigh it; decisions and limits do not.
        """
        subject = path_id("customer_id", customer_id)
        given, now = parse(await read_body(request, settings.max_body_bytes), ToldOfCustomer), clock()
        require_own(request, given.merchant_id)
        event = _event(given, subject, now)
        new = await access.ask(lambda ledger: tell_of_customer(ledger.store, event, now))
        return send(PaymentEventAnswer(event_id=given.event_id, recorded=told(new=new)))

    return router


def _event(given: ToldOfCustomer, customer_id: str, now: datetime) -> CustomerEvent:
    """What is told, once its parts are found to fit.

    Raises:
        RequestError: An amount is missing or out of place, or it lies in the future; names every field at fault.
    """
    word, faults = given.kind.word, []
    for name, value in (("amount_minor", given.amount_minor), ("currency", given.currency)):
        if (value is not None) is not (word in WITH_MONEY):
            wanted = "what was paid or refunded" if word in WITH_MONEY else f"nothing, because the kind is {given.kind}"
            faults.append(FieldError(name, value, wanted))
    if given.happened_at > now + CLOCKS_APART:
        faults.append(of_the_future("happened_at", given.happened_at, now))
    if faults:
        raise invalid_request(tuple(faults))
    amount = None
    if given.amount_minor is not None and given.currency is not None:
        amount = Money(given.amount_minor, given.currency)
    at = given.happened_at.astimezone(UTC)
    return CustomerEvent(given.merchant_id, given.event_id, customer_id, word, at, amount)

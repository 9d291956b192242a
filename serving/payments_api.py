"""The addresses that list what the ledger knows: payments with their timelines, what is held, a method's attempts."""

from fastapi import APIRouter, Request, Response

from features.errors import InvalidValueError
from serving.ledger.facts import Facts
from serving.ledger.ledger import Ledger
from serving.ledger.timeline import (
    Entry,
    attempts_of_method,
    held_after,
    payments_after,
    timeline,
)
from serving.ledger_access import LedgerAccess
from serving.ledger_openapi import refusals
from serving.paging import Page, limit_in, page_of, place_in
from serving.payment_answers import (
    AttemptsPage,
    PaymentsPage,
    PaymentTimeline,
    ReservationsPage,
    attempts_out,
    payments_out,
    reservations_out,
    timeline_out,
)
from serving.tenancy.caller import merchant_in_query
from serving.urls import path_id, send

_REFUSALS = refusals("invalid", "unknown", "ledger")


def payment_routes(access: LedgerAccess) -> APIRouter:
    """The addresses of lists."""
    router = APIRouter(responses=_REFUSALS)

    @router.get("/v1/payments", tags=["payments"], response_model=PaymentsPage, summary="Payments")
    async def payments(
        request: Request, merchant_id: str | None = None, limit: str | None = None, cursor: str | None = None
    ) -> Response:
        """The payments that attempts were told of, in the order of their ids."""
        merchant, most = merchant_in_query(request, merchant_id), limit_in(limit)
        (after,) = place_in(cursor, (str,)) or ("",)
        found = await access.ask(lambda ledger: payments_after(ledger.store, merchant, str(after), most + 1))
        return send(payments_out(page_of(found, most, lambda one: (one.payment_id,))))

    @router.get(
        "/v1/payments/{payment_id:id}",
        tags=["payments"],
        response_model=PaymentTimeline,
        summary="One payment's timeline",
    )
    async def payment(
        request: Request,
        payment_id: str,
        merchant_id: str | None = None,
        limit: str | None = None,
        cursor: str | None = None,
    ) -> Response:
        """Attempts by whomever, reservations, and what was said of the payment, in the order of time."""
        name, merchant, most = (
            path_id("payment_id", payment_id),
            merchant_in_query(request, merchant_id),
            limit_in(limit),
        )
        after = place_in(cursor, (int, str, str))
        page = await access.ask(lambda ledger: _timeline(ledger, merchant, name, most, after))
        return send(timeline_out(merchant, name, page))

    @router.get("/v1/reservations", tags=["reservations"], response_model=ReservationsPage, summary="What is held")
    async def reservations(
        request: Request, merchant_id: str | None = None, limit: str | None = None, cursor: str | None = None
    ) -> Response:
        """The reservations that are held now, in the order of payments; closed ones stand in the timelines."""
        merchant, most = merchant_in_query(request, merchant_id), limit_in(limit)
        (after,) = place_in(cursor, (str,)) or ("",)
        found = await access.ask(lambda ledger: held_after(ledger.store, merchant, str(after), most + 1))
        return send(reservations_out(page_of(found, most, lambda one: (one.proposal.payment.payment_id,))))

    @router.get(
        "/v1/methods/{method_id:id}/attempts",
        tags=["methods"],
        response_model=AttemptsPage,
        summary="A method's attempts",
    )
    async def attempts(
        request: Request,
        method_id: str,
        merchant_id: str | None = None,
        limit: str | None = None,
        cursor: str | None = None,
    ) -> Response:
        """Every attempt on a method, newest first."""
        name, merchant, most = path_id("method_id", method_id), merchant_in_query(request, merchant_id), limit_in(limit)
        before = place_in(cursor, (int, str))
        page = await access.ask(lambda ledger: _attempts(ledger, merchant, name, most, before))
        return send(attempts_out(name, page))

    return router


def _timeline(
    ledger: Ledger, merchant_id: str, payment_id: str, most: int, after: tuple[str | int, ...] | None
) -> Page[Entry]:
    place = None if after is None else (int(after[0]), str(after[1]), str(after[2]))
    found = timeline(ledger.store, merchant_id, payment_id, most + 1, place)
    if not found and place is None:
        raise InvalidValueError("payment_id", payment_id, "a payment that the ledger knows")
    return page_of(found, most, lambda entry: entry.place)


def _attempts(
    ledger: Ledger, merchant_id: str, method_id: str, most: int, before: tuple[str | int, ...] | None
) -> Page[Facts]:
    place = None if before is None else (int(before[0]), str(before[1]))
    found = attempts_of_method(ledger.store, merchant_id, method_id, most + 1, place)
    if not found and place is None:
        raise InvalidValueError("method_id", method_id, "a method that was tried")
    return page_of(found, most, lambda one: (one.at, one.attempt_id))

"""The addresses of reservations and of what is left: see, check before charging, settle, release."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response

from serving.edge import note, read_body
from serving.ledger.budgets import budgets_of_method
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Settled
from serving.ledger_access import LedgerAccess
from serving.ledger_answers import (
    BudgetsAnswer,
    CheckAnswer,
    ReservationOut,
    SettledAnswer,
    budgets_answer,
    check_answer,
    reservation_out,
    settled_answer,
)
from serving.ledger_checks import fire_check
from serving.ledger_events import attempt_of_settling
from serving.ledger_examples import CHECKS, RELEASES, SETTLINGS
from serving.ledger_openapi import body_of, refusals
from serving.ledger_schemas import CheckRequest, ReleaseRequest, SettleRequest
from serving.reporting import settle
from serving.requests import parse
from serving.settings import Settings
from serving.tenancy.caller import merchant_in_query, require_own
from serving.urls import path_id, send

_READ_REFUSALS = refusals("invalid", "unknown", "ledger")
_BODY_REFUSALS = refusals("malformed", "too_large", "media")


def reservation_routes(access: LedgerAccess, settings: Settings, clock: Callable[[], datetime]) -> APIRouter:
    """The addresses of reservations."""
    router = APIRouter(tags=["reservations"], responses=_READ_REFUSALS)

    @router.get("/v1/reservations/{reservation_id}", response_model=ReservationOut, summary="One reservation")
    async def reservation(request: Request, reservation_id: str, merchant_id: str | None = None) -> Response:
        """Where a reservation stands: held, spent, released or expired."""
        name, merchant = path_id("reservation_id", reservation_id), merchant_in_query(request, merchant_id)
        return send(reservation_out(await access.ask(lambda ledger: ledger.reservation(merchant, name))))

    @router.post(
        "/v1/reservations/{reservation_id}/check",
        response_model=CheckAnswer,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(CheckRequest, CHECKS),
        summary="Go or no-go",
    )
    async def check(request: Request, reservation_id: str) -> Response:
        """Ask this just before charging: whether the attempt may still be made now, and if not, why.

        Paid or cancelled meanwhile, a consent withdrawn, over a limit since, outside its window, not held any more.
        The answer is of now, under an `Idempotency-Key` too: none is kept or given again.
        """
        name = path_id("reservation_id", reservation_id)
        given, now = parse(await read_body(request, settings.max_body_bytes), CheckRequest), clock()
        require_own(request, given.merchant_id)
        checked = await access.ask(lambda ledger: fire_check(ledger, given.merchant_id, name, now))
        access.metrics.checked(checked.reasons)
        found = check_answer(checked)
        note(request, go=str(found.go), reasons=",".join(reason.code for reason in found.reasons))
        return send(found)

    @router.post(
        "/v1/reservations/{reservation_id}/settle",
        response_model=SettledAnswer,
        responses=_BODY_REFUSALS | refusals("conflict"),
        openapi_extra=body_of(SettleRequest, SETTLINGS),
        summary="The attempt was made",
    )
    async def settle_one(request: Request, reservation_id: str) -> Response:
        """Tell the attempt that was made: it counts from now on, and the hold is spent. Safe to repeat.

        While the outcome is not known send `unknown`, and settle again with the same attempt when it is.
        """
        name = path_id("reservation_id", reservation_id)
        given, now = parse(await read_body(request, settings.max_body_bytes), SettleRequest), clock()
        require_own(request, given.merchant_id)
        return send(settled_answer(await access.ask(lambda ledger: _settled(ledger, name, given, now))))

    @router.post(
        "/v1/reservations/{reservation_id}/release",
        response_model=ReservationOut,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(ReleaseRequest, RELEASES),
        summary="The attempt will not be made",
    )
    async def release(request: Request, reservation_id: str) -> Response:
        """Let the hold go. One that has ended is left as it ended. Safe to repeat."""
        name = path_id("reservation_id", reservation_id)
        given, now = parse(await read_body(request, settings.max_body_bytes), ReleaseRequest), clock()
        require_own(request, given.merchant_id)
        done = await access.ask(lambda ledger: ledger.release(given.merchant_id, name, now, given.reason))
        return send(reservation_out(done))

    return router


def method_routes(access: LedgerAccess, clock: Callable[[], datetime]) -> APIRouter:
    """The addresses of methods."""
    router = APIRouter(tags=["methods"], responses=_READ_REFUSALS)

    @router.get("/v1/methods/{method_id:id}/budgets", response_model=BudgetsAnswer, summary="What is left")
    async def budgets(request: Request, method_id: str, merchant_id: str | None = None) -> Response:
        """What every rule leaves for the payments that the method was lately tried on, and when it frees."""
        method, merchant, now = path_id("method_id", method_id), merchant_in_query(request, merchant_id), clock()
        found = await access.ask(lambda ledger: budgets_of_method(ledger, merchant, method, now))
        return send(budgets_answer(merchant, method, now, found))

    return router


def _settled(ledger: Ledger, reservation_id: str, given: SettleRequest, now: datetime) -> Settled:
    reservation = ledger.reservation(given.merchant_id, reservation_id)
    return settle(ledger, reservation, attempt_of_settling(given.attempt, reservation, now), now)

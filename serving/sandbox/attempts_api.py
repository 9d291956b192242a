"""The addresses of what happens in a sandbox: advised attempts carried out, and the events that tell of it."""

from collections.abc import Callable

import orjson
from fastapi import APIRouter, Request, Response

from serving.edge import read_body
from serving.ledger.ledger import Ledger
from serving.ledger.reservations import Reservation
from serving.ledger_answers import check_answer, settled_answer
from serving.ledger_openapi import body_of, refusals
from serving.openapi import Json
from serving.paging import limit_in, page_of, place_in
from serving.requests import parse
from serving.sandbox.attempting import CarriedOut, carry_out, held_for
from serving.sandbox.door import here_of
from serving.sandbox.sandboxes import Sandboxes
from serving.sandbox.schemas import MadeAttempt, SandboxAttempt, SandboxAttempted, SandboxEvent, SandboxEventsPage
from serving.settings import Settings
from serving.urls import path_id, send

_REFUSALS = refusals("invalid", "ledger")
_BODY_REFUSALS = refusals("malformed", "too_large", "media", "invalid", "unknown", "ledger")
_PLACE = (int, int, str)
_Event = tuple[int, int, str, str]
ATTEMPTS: dict[str, Json] = {"advance": {"summary": "Go to the window and charge", "value": {"advance": True}}}


def sandbox_attempt_routes(sandboxes: Sandboxes, settings: Settings) -> APIRouter:
    """The addresses, for keys of sandboxes."""
    router = APIRouter(tags=["sandbox"])

    @router.post(
        "/v1/sandbox/payments/{payment_id:id}/attempt",
        response_model=SandboxAttempted,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(SandboxAttempt, ATTEMPTS),
        summary="Carry out a payment's retry",
    )
    async def attempt_payment(request: Request, payment_id: str) -> Response:
        """Make the attempt that is held for a payment: checked, answered as told, and settled."""
        name, merchant_id = path_id("payment_id", payment_id), here_of(request).state.merchant_id
        return await _attempted(request, lambda ledger: held_for(ledger, merchant_id, name))

    @router.post(
        "/v1/sandbox/reservations/{reservation_id}/attempt",
        response_model=SandboxAttempted,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(SandboxAttempt, ATTEMPTS),
        summary="Carry out a reserved retry",
    )
    async def attempt_reservation(request: Request, reservation_id: str) -> Response:
        """Make the attempt that a reservation is for: checked, answered as told, and settled."""
        name, merchant_id = path_id("reservation_id", reservation_id), here_of(request).state.merchant_id
        return await _attempted(request, lambda ledger: ledger.reservation(merchant_id, name))

    @router.get("/v1/sandbox/events", response_model=SandboxEventsPage, responses=_REFUSALS, summary="Events out")
    async def events(request: Request, limit: str | None = None, cursor: str | None = None) -> Response:
        """The events that your own systems are sent, earliest first, whether or not a receiver is set up."""
        here, most, after = here_of(request), limit_in(limit), place_in(cursor, _PLACE)
        found = await here.sandbox.access.ask(lambda ledger: _events(ledger, here.state.merchant_id, after, most + 1))
        page = page_of(found, most, lambda one: one[:3])
        written = tuple(_event(one) for one in page.items)
        return send(SandboxEventsPage(events=written, has_more=page.has_more, next_cursor=page.next_cursor))

    async def _attempted(request: Request, find: Callable[[Ledger], Reservation]) -> Response:
        given = parse(await read_body(request, settings.max_body_bytes), SandboxAttempt)
        here = here_of(request)
        held = await here.sandbox.access.ask(find)
        if given.advance and held.at > here.state.now:
            here = (await sandboxes.moved(here, held.at)).here
        state = here.state
        done = await here.sandbox.access.ask(
            lambda ledger: carry_out(ledger, state.merchant_id, held.reservation_id, state.rules, state.now)
        )
        return send(_outcome(done))

    return router


def _events(ledger: Ledger, merchant_id: str, after: tuple[str | int, ...] | None, most: int) -> tuple[_Event, ...]:
    at, ends, event_id = after or (-1, 0, "")
    values = {"merchant_id": merchant_id, "at": at, "ends": ends, "event_id": event_id, "most": most}
    with ledger.store.reading() as transaction:
        (rows,) = transaction.ask(("events_written", values))
    return tuple((int(a or 0), int(e or 0), str(name), str(body)) for a, e, name, body in rows)


def _event(one: _Event) -> SandboxEvent:
    return SandboxEvent.model_validate_json(orjson.dumps({"event_id": one[2], **orjson.loads(one[3])}))


def _outcome(done: CarriedOut) -> SandboxAttempted:
    made = None
    if done.made is not None:
        proposal = done.checked.reservation.proposal
        made = MadeAttempt(
            attempt_id=done.made.attempt_id,
            method_id=proposal.method.method_id,
            processor=proposal.processor,
            attempted_at=done.made.attempted_at,
            outcome=done.made.outcome,
            code=done.made.code,
            subcode=done.made.subcode,
            advice_code=done.made.advice_code,
        )
    settled = settled_answer(done.settled) if done.settled else None
    return SandboxAttempted(now=done.checked.at, check=check_answer(done.checked), attempt=made, settled=settled)

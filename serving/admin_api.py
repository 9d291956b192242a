"""The addresses of operators: stop and resume advice for a merchant or for all, and see which stops are in force."""

from collections.abc import Callable, Sequence
from datetime import datetime
from secrets import token_hex

from fastapi import APIRouter, Request, Response

from serving.admin_schemas import StopOut, StopRequest, StopsAnswer
from serving.edge import note, read_body
from serving.errors import Kind, RequestError
from serving.ledger.advice import EVERYBODY, AdviceEvent, EmergencyStop, Word, emergency_stops, tell_advice
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.ledger_openapi import body_of, refusals
from serving.openapi import Json
from serving.requests import parse
from serving.settings import Settings
from serving.tenancy.caller import caller_of, require_own
from serving.tenancy.merchants import doubts_about
from serving.urls import query_id, send

_BODY_REFUSALS = refusals("malformed", "too_large", "media", "invalid", "conflict", "ledger")
STOPS: dict[str, Json] = {
    "one": {
        "summary": "Stop one merchant",
        "value": {"merchant_id": "acme", "reason": "the processor charges twice; see INC-7"},
    },
    "all": {"summary": "Stop all merchants; for an operator's key", "value": {"reason": "see INC-8"}},
}
RESUMES: dict[str, Json] = {
    "one": {"summary": "Let one merchant go on", "value": {"merchant_id": "acme", "reason": "mended"}},
}


def admin_routes(access: LedgerAccess, settings: Settings, clock: Callable[[], datetime]) -> APIRouter:
    """The addresses, for keys of scope admin."""
    router = APIRouter(tags=["admin"])

    @router.get(
        "/v1/admin/stops",
        response_model=StopsAnswer,
        responses=refusals("invalid", "ledger"),
        summary="The stops in force",
    )
    async def stops(request: Request, merchant_id: str | None = None) -> Response:
        """Whether answers are on hold for a merchant or for all, since when, and why."""
        asked = None if merchant_id is None else query_id("merchant_id", merchant_id)
        return send(await _in_force(request, asked, access))

    @router.post(
        "/v1/admin/stop",
        response_model=StopsAnswer,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(StopRequest, STOPS),
        summary="Stop advising retries",
    )
    async def stop(request: Request) -> Response:
        """From now on every decision is a hold, and every check a no-go; counting, limits and reports go on."""
        return await _said(request, Word.STOPPED)

    @router.post(
        "/v1/admin/resume",
        response_model=StopsAnswer,
        responses=_BODY_REFUSALS,
        openapi_extra=body_of(StopRequest, RESUMES),
        summary="Advise retries again",
    )
    async def resume(request: Request) -> Response:
        """Lift a stop; one of all merchants and one of a merchant are lifted each for itself.

        A merchant's key lifts what the merchant stopped, an operator's whatever stands.
        """
        return await _said(request, Word.RESUMED)

    async def _said(request: Request, word: Word) -> Response:
        given, now = parse(await read_body(request, settings.max_body_bytes), StopRequest), clock()
        merchant_id = _whose(request, given.merchant_id)
        own = not caller_of(request).is_operator
        event = AdviceEvent(merchant_id, f"{word.value}/{token_hex(12)}", word, now, given.reason, by_merchant=own)
        if own and word is Word.RESUMED:
            _refuse_others_stop(
                merchant_id, await access.ask(lambda ledger: emergency_stops(ledger.store, merchant_id))
            )
        await access.ask(lambda ledger: tell_advice(ledger.store, event, now))
        note(request, advice=word.value, whose=merchant_id or "all")
        return send(await _in_force(request, given.merchant_id, access))

    return router


def _whose(request: Request, given: str | None) -> str:
    """Whose retries a caller may stop."""
    if given is not None:
        require_own(request, given)
        return given
    caller = caller_of(request)
    return EVERYBODY if caller.is_operator else caller.merchant_id


def _refuse_others_stop(merchant_id: str, stops: Sequence[EmergencyStop]) -> None:
    """Refuse to lift the operator's stop of a merchant for the merchant, where it has none of its own.

    Raises:
        RequestError: Says since when it stands, and why.
    """
    theirs = {one.by_merchant: one for one in stops if one.merchant_id == merchant_id}
    if True not in theirs and False in theirs:
        stop = theirs[False]
        since = f"since {stop.since:%Y-%m-%d %H:%M} UTC: {stop.reason}"
        raise RequestError(
            Kind.FORBIDDEN, f"Merchant {merchant_id} was stopped by an operator, who alone lifts it; {since}"
        )


async def _in_force(request: Request, asked: str | None, access: LedgerAccess) -> StopsAnswer:
    """The stops that hold for the merchant asked about, else for the caller."""
    if asked is not None:
        require_own(request, asked)
    caller = caller_of(request)
    whose = asked if asked is not None else None if caller.is_operator else caller.merchant_id

    def answered(ledger: Ledger) -> StopsAnswer:
        found = emergency_stops(ledger.store, whose)
        doubts = () if asked is None else doubts_about(ledger.store, asked)
        return StopsAnswer(stops=tuple(_stop(one) for one in found), warnings=doubts)

    return await access.ask(answered)


def _stop(one: EmergencyStop) -> StopOut:
    return StopOut(
        merchant_id=one.merchant_id or None,
        reason=one.reason,
        since=one.since,
        by="merchant" if one.by_merchant else "operator",
    )

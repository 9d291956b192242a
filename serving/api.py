"""The addresses of the service: ask for a decision, with or without a place held, and see with what it answers."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from model.decision import CODE_VERSION
from serving.answer_schemas import Health, LedgerReadiness, Models, Readiness, VersionsOut
from serving.draining import Draining
from serving.edge import note, read_body
from serving.errors import MEDIA_TYPE, Kind
from serving.fairness import Fairness
from serving.idempotency import claim_of, tell_kept
from serving.ledger.store import Failure
from serving.ledger_access import LedgerAccess, LedgerUnavailableError
from serving.ledger_answers import with_reservation
from serving.openapi import DECISION_BODY, DECISION_RESPONSES
from serving.requests import parse_request
from serving.reserving import decided_for
from serving.service import Service
from serving.settings import Settings
from serving.tenancy.caller import caller_of, require_own
from serving.trust.current import Current
from serving.trust.shadow import Shadowing
from serving.trust.telling import cause_of, models_of

JSON = "application/json"
_FINE = frozenset({"ready", "none"})
_READY_WITHIN_S = 2.0
_STATES: Mapping[Failure, Literal["not_answering", "unwritable"]] = {
    Failure.TIMEOUT: "not_answering",
    Failure.UNWRITABLE: "unwritable",
}
_NOT_READY: dict[int | str, dict[str, object]] = {
    503: {"description": "The ledger cannot be used, or the service was told to stop", "model": Readiness},
}
_INVALID: dict[int | str, dict[str, object]] = {
    Kind.INVALID_REQUEST.status: {
        "description": Kind.INVALID_REQUEST.title,
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    },
}


def routes(
    current: Current,
    shadow: Shadowing | None,
    access: LedgerAccess,
    settings: Settings,
    clock: Callable[[], datetime],
    fairness: Fairness,
    draining: Draining | None = None,
) -> APIRouter:
    """The addresses, answering with the service as it is when a request comes; `clock` is for those without `as_of`.

    Args:
        shadow: Puts decisions to a challenger; nobody does where it is None.
    """
    router = APIRouter()

    @router.post(
        "/v1/decisions", tags=["decisions"], responses=DECISION_RESPONSES, openapi_extra=DECISION_BODY, summary="Decide"
    )
    async def decide(request: Request) -> Response:
        """What to do about a failed payment: when, with which method and through which processor, or stop.

        The same request with the same `as_of`, model, rulebook and state of the ledger gives the same answer, byte
        for byte. What the ledger knows of the payment and its methods counts too. With `reserve` the answer holds a
        place in every counter that the retry would use.
        """
        asked, now = parse_request(await read_body(request, settings.max_body_bytes)), clock()
        require_own(request, asked.payment.merchant_id, field="payment.merchant_id")
        service = current.service.for_request(asked.within_ms)
        async with fairness.turn(asked, caller_of(request), service):
            decided = await decided_for(asked, service, access, now, claim_of(request))
        decision = decided.decision
        if decided.answer_kept:
            tell_kept(request)
        if shadow is not None:
            shadow.offer(service, decision)
        note(request, decision_id=decision.decision_id, policy_source=decision.policy_source)
        if decision.stepped_down:
            note(request, stepped_down=" ".join(step.why for step in decision.stepped_down))
        body = with_reservation(decided.answer, decided.reservation) if asked.reserve else decided.answer
        return Response(body, media_type=JSON)

    @router.get(
        "/v1/models", tags=["operation"], response_model=Models, responses=_INVALID, summary="Which model answers"
    )
    async def models() -> Response:
        """Which model answers since when, who is asked in shadow, what was refused, and why the prior answers if so.

        Each worker follows the registry by itself; with several, one of them answers.
        """
        return _json(models_of(current.snapshot))

    @router.get("/health", tags=["operation"], response_model=Health, summary="Alive")
    async def health() -> Response:
        """The process is alive."""
        return _json(Health(status="alive"))

    @router.get("/ready", tags=["operation"], response_model=Readiness, responses=_NOT_READY, summary="Ready")
    async def ready() -> Response:
        """A scorer answers, the ledger does in 2 seconds; says which scorer, and why it is the prior where it is.

        After a failure of the ledger it has to take something in before the service is ready again. A service that was
        told to stop is not ready, though it still answers what comes.
        """
        ledger = await _ledger_readiness(access)
        told = _readiness(current.service, ledger, leaving=draining is not None and draining.begun)
        return _json(told, 200 if told.status == "ready" else 503)

    return router


async def _ledger_readiness(access: LedgerAccess) -> LedgerReadiness:
    try:
        async with asyncio.timeout(_READY_WITHIN_S):
            state = await access.state()
    except TimeoutError:
        return LedgerReadiness(state="not_answering", database=None, version=None)
    except LedgerUnavailableError as error:
        return LedgerReadiness(state=_STATES.get(error.failure, "unreachable"), database=None, version=None)
    if state is None:
        return LedgerReadiness(state="none", database=None, version=None)
    word: Literal["ready", "other_version"] = "ready" if state.current else "other_version"
    return LedgerReadiness(state=word, database=state.dialect, version=state.version)


def _readiness(service: Service, ledger: LedgerReadiness, *, leaving: bool) -> Readiness:
    scorer = service.answering.scorer
    versions = VersionsOut(
        model=scorer.version,
        rulebook=service.rulebook.version,
        economics=service.economics.version,
        code=CODE_VERSION,
    )
    refused = service.answering.refused and cause_of(service.answering.refused)
    status: Literal["ready", "not_ready", "draining"] = "ready" if ledger.state in _FINE else "not_ready"
    if leaving:
        status = "draining"
    return Readiness(status=status, policy_source=scorer.source, refused=refused, versions=versions, ledger=ledger)


def _json(answer: BaseModel, status: int = 200) -> Response:
    return Response(answer.model_dump_json(), status_code=status, media_type=JSON)

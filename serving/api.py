"""The addresses of the service: ask for a decision, and see whether and with what it answers."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from model.decision import CODE_VERSION
from serving.answer_schemas import Health, Models, Readiness, VersionsOut
from serving.answers import answer_of
from serving.contexts import context_of
from serving.edge import note, read_body
from serving.openapi import DECISION_BODY, DECISION_RESPONSES
from serving.requests import parse_request
from serving.service import Service
from serving.settings import MODEL_NAME, Settings

JSON = "application/json"


def routes(service: Service, settings: Settings, clock: Callable[[], datetime]) -> APIRouter:
    """All addresses, answering with this service; `clock` gives the instant of requests without `as_of`."""
    router = APIRouter()

    @router.post(
        "/v1/decisions", tags=["decisions"], responses=DECISION_RESPONSES, openapi_extra=DECISION_BODY, summary="Decide"
    )
    async def decide(request: Request) -> Response:
        """What to do about a failed payment: when, with which method and through which processor, or stop.

        The same request with the same `as_of`, model and rulebook gives the same answer, byte for byte.
        """
        context = context_of(parse_request(await read_body(request, settings.max_body_bytes)), clock())
        decision = service.decide(context)
        note(request, decision_id=decision.decision_id, policy_source=decision.policy_source)
        return _json(answer_of(decision, context))

    @router.get("/v1/models", tags=["operation"], response_model=Models, summary="Which model answers")
    async def models() -> Response:
        """Which model answers, where it was looked for, and why the prior answers where it does."""
        return _json(_models(service))

    @router.get("/health", tags=["operation"], response_model=Health, summary="Alive")
    async def health() -> Response:
        """The process is alive."""
        return _json(Health(status="alive"))

    @router.get("/ready", tags=["operation"], response_model=Readiness, summary="Ready")
    async def ready() -> Response:
        """The rulebook is loaded and a scorer answers; says which, and why it is the prior where it is."""
        return _json(_readiness(service))

    return router


def _readiness(service: Service) -> Readiness:
    scorer = service.answering.scorer
    versions = VersionsOut(
        model=scorer.version,
        rulebook=service.rulebook.version,
        economics=service.economics.version,
        code=CODE_VERSION,
    )
    refused = service.answering.refused
    return Readiness(status="ready", policy_source=scorer.source, refused=refused, versions=versions)


def _models(service: Service) -> Models:
    answering = service.answering
    return Models(
        name=MODEL_NAME,
        asked=answering.asked,
        policy_source=answering.scorer.source,
        version=answering.scorer.version,
        registered_version=answering.registered_version,
        refused=answering.refused,
    )


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type=JSON)

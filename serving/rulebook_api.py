"""The addresses that show the rules in force and how a decline code is read."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel

from features.card_number import refuse_card_numbers
from features.declines.explained import explained, named
from features.vocabulary import Network
from serving.errors import MEDIA_TYPE, Kind
from serving.rulebook_answers import (
    DeclineOut,
    RulebookOut,
    day_of,
    decline_out,
    instant_of,
    network_of,
    rulebook_out,
)
from serving.service import Service

JSON = "application/json"
_PROBLEM = {"schema": {"$ref": "#/components/schemas/Problem"}}
_REFUSALS: dict[int | str, dict[str, object]] = {
    kind.status: {"description": kind.title, "content": {MEDIA_TYPE: _PROBLEM}}
    for kind in (Kind.INVALID_REQUEST, Kind.INTERNAL)
}


def rulebook_routes(service: Service, clock: Callable[[], datetime]) -> APIRouter:
    """The addresses, answering with this service's rulebook; `clock` gives the day where none is asked about."""
    router = APIRouter(tags=["rules"], responses=_REFUSALS)

    @router.get("/v1/rulebook", response_model=RulebookOut, summary="The rules in force")
    async def rulebook(at: str | None = None, network: str | None = None) -> Response:
        """Every rule and price in force on a day (UTC; today where none is given), of one network or of all.

        A rule that warns but never forbids says `advises`; one that is Recoup's own says `ours`.
        """
        return _json(rulebook_out(service.rulebook, day_of(at, clock().date()), network_of(network)))

    @router.get("/v1/declines/{processor}/{code}", response_model=DeclineOut, summary="What a decline code means")
    async def decline(
        processor: str,
        code: str,
        network: str | None = None,
        subcode: str | None = None,
        advice_code: str | None = None,
        country: str | None = None,
        at: str | None = None,
    ) -> Response:
        """How a raw code of a processor, or of a network by its name, is read on a day, and which table says so."""
        refuse_card_numbers(
            {"processor": processor, "code": code, "subcode": subcode, "advice_code": advice_code, "country": country}
        )
        carrier, of_name = named(processor)
        found = explained(
            code,
            processor=carrier,
            network=network_of(network) or of_name or Network.UNKNOWN,
            subcode=subcode,
            advice_code=advice_code,
            country=country,
            at=instant_of(at) or clock(),
        )
        return _json(decline_out(found, carrier))

    return router


def _json(answer: BaseModel) -> Response:
    return Response(answer.model_dump_json(), media_type=JSON)

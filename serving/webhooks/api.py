"""The address that providers deliver to."""

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from serving.edge import note
from serving.errors import Kind, RequestError
from serving.ledger_access import LedgerAccess
from serving.openapi import Json, problem_response
from serving.settings import Settings
from serving.urls import query_id, send
from serving.webhooks.endpoints import Endpoints
from serving.webhooks.receiving import Received, receive, sender
from serving.webhooks.signatures import SOURCES, Signed

_ACCEPTED = "[accepted]"  # what Adyen waits for
_EXAMPLE = "/webhooks/stripe"
_REFUSALS: tuple[tuple[Kind, str], ...] = (
    (Kind.NOT_SIGNED, "No active secret of stripe signed this delivery just now"),
    (Kind.NOT_FOUND, "No webhooks of stripe are set up here; see docs/webhooks.md"),
    (Kind.TOO_LARGE, "The body is larger than 1,000,000 bytes"),
    (Kind.MEDIA_TYPE, "The content encoding is gzip; expected a body that is not encoded"),
    (Kind.INVALID_REQUEST, "merchant_id: is missing; expected an id of 1 to 200 printable characters"),
    (Kind.INTERNAL, "The service failed on this request; its log tells why under request id 6d1f0c"),
    (Kind.LEDGER_UNAVAILABLE, "The ledger cannot be reached; nothing was recorded, try again"),
)
_RESPONSES: dict[int | str, Json] = {
    kind.status: problem_response(kind, detail, _EXAMPLE) for kind, detail in _REFUSALS
}
_BODY: Json = {
    "requestBody": {
        "required": True,
        "description": "As the provider sends it; read byte for byte, because that is what is signed.",
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
            "application/xml": {"schema": {"type": "object"}},
        },
    }
}


class DeliveryAnswer(BaseModel):
    """What became of a delivery."""

    delivery_id: str = Field(
        description="digest of the body, and of the day (UTC) on which it first came where the body says no time "
        "(Recurly's renewed billing information); recoup webhooks list shows it"
    )
    received: Literal["new", "repeated"] = Field(description="whether it was delivered before")
    state: Literal["stored", "applied", "ignored", "waiting", "failed"] = Field(
        description="kept in every state; failed ones are read again by recoup webhooks retry"
    )
    events: int = Field(description="how many events of the ledger were new")


def webhook_routes(
    access: LedgerAccess, endpoints: Endpoints, settings: Settings, clock: Callable[[], datetime]
) -> APIRouter:
    """The address of webhooks."""
    router = APIRouter(tags=["webhooks"], responses=_RESPONSES)

    @router.post(
        "/webhooks/{source}",
        response_model=DeliveryAnswer,
        openapi_extra=_BODY,
        summary="Deliver a webhook",
    )
    async def deliver(request: Request, source: str, merchant_id: str | None = None) -> Response:
        """Take what a payment provider or billing system sends, verified by its own scheme.

        The delivery is kept before anything of it is read, and acknowledged whether it can be read or not. The
        secret that signed it says which merchant it is of; `merchant_id` narrows the secrets that are tried.
        Adyen is answered with the text `[accepted]`.
        """
        try:
            done = await taken(request, source, merchant_id)
        except RequestError as refusal:
            access.metrics.delivered(source if source in SOURCES else "other", refusal.kind.slug)
            raise
        note(request, source=source, kinds=done.reading.kinds, state=done.reading.state.value)
        access.metrics.delivered(source, done.reading.state.value if done.new else "repeated")
        for processor in done.reading.unknown:
            access.metrics.unknown_code(processor, "webhook")
        if source == "adyen":
            return Response(_ACCEPTED, media_type="text/plain")
        return send(
            DeliveryAnswer(
                delivery_id=done.delivery.digest,
                received="new" if done.new else "repeated",
                state=done.reading.state.value,
                events=done.reading.events,
            )
        )

    async def taken(request: Request, source: str, merchant_id: str | None) -> Received:
        if source not in SOURCES:
            raise RequestError(Kind.NOT_FOUND, f"There is no source by that name; known are {', '.join(SOURCES)}")
        merchant = None if merchant_id is None else query_id("merchant_id", merchant_id)
        signed = Signed(dict(request.headers), dict(request.query_params), await _body(request, settings))
        endpoint = await run_in_threadpool(sender, endpoints, source, merchant, signed, clock())
        content_type = request.headers.get("content-type", "")
        return await access.ask(lambda ledger: receive(ledger, endpoint, content_type, signed.body, clock()))

    return router


async def _body(request: Request, settings: Settings) -> bytes:
    """The body as it came, at most as long as the settings say."""
    encoding = request.headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise RequestError(Kind.MEDIA_TYPE, f"The content encoding is {encoding}; expected a body that is not encoded")
    body, limit = bytearray(), settings.max_body_bytes
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise RequestError(Kind.TOO_LARGE, f"The body is larger than {limit:,} bytes")
    return bytes(body)

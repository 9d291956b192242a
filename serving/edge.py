"""The outermost layer of every request: its id, its one log line, and a problem document when all else fails."""

import re
from collections.abc import MutableMapping
from time import perf_counter
from uuid import uuid4

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from features.card_number import holds_card_number
from serving.errors import MEDIA_TYPE, Kind, RequestError, problem_body
from serving.leaving import Heard, hears, hears_no_more
from serving.metrics import METHODS, Metrics
from serving.routed import routed_in
from serving.traces import request_span

REQUEST_ID = "x-request-id"
CLIENT_LEFT = 499
_ACCEPTED_ID = re.compile(r"[A-Za-z0-9._:\-]{1,100}")


class Edge:
    """ASGI middleware: takes or makes the request id, logs one line, counts, and lets no failure out as a traceback."""

    def __init__(self, app: ASGIApp, log: FilteringBoundLogger, metrics: Metrics) -> None:
        self.app = app
        self.log = log
        self.metrics = metrics
        self.templates: tuple[tuple[re.Pattern[str], str], ...] = ()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection; only HTTP requests are logged."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers, whole = Headers(scope=scope), scope.get("app")
        started, request_id = perf_counter(), _request_id(headers)
        heard, status = Heard(receive), 0
        token = hears(heard)

        async def tell(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        with request_span(_method(scope), headers) as ended:
            try:
                with self.metrics.request():
                    await self.app(scope, heard, tell)
            except ClientDisconnect:
                status = CLIENT_LEFT
            except Exception:
                self.log.exception("failed", request_id=request_id, route=self._route(scope, whole))
                if not status:
                    await _send_failure(scope, tell, request_id)
            hears_no_more(token)
            route = self._route(scope, whole)
            ended(route, status)
        seconds = perf_counter() - started
        replayed = "replayed" in scope.get("state", {}).get("facts", {})
        self.metrics.answered(scope["method"], route, status, seconds, replayed=replayed)
        self.log.info("request", **_line(scope, request_id, route, status, seconds))

    def _route(self, scope: Scope, whole: Starlette | None) -> str:
        """The route's template, never the path as sent: a path may hold anything.

        One that was answered before it was routed has the route that it would have reached in the `whole` application.
        """
        routed: str | None = getattr(scope.get("route"), "path_format", None)
        if routed is None and whole is not None:
            self.templates = self.templates or tuple((one.looks, one.template) for one in routed_in(whole))
            routed = next((path for looks, path in self.templates if looks.match(scope["path"])), None)
        return routed or "unknown"


def note(request: Request, **facts: str) -> None:
    """Add facts to the log line of this request; never a body, a token or anything personal."""
    request.state.facts = {**getattr(request.state, "facts", {}), **facts}


async def read_body(request: Request, limit: int) -> bytes:
    """The JSON body of a request, at most `limit` bytes however it is sent.

    Raises:
        RequestError: Another media type or encoding, or a longer body; nothing of it is parsed.
    """
    _require_json(request.headers)
    return await read_whole(request, limit)


async def read_whole(request: Request, limit: int) -> bytes:
    """The body of a request, at most `limit` bytes however it is sent.

    Raises:
        RequestError: It is longer.
    """
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared) > limit:
        raise _too_large(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _require_json(headers: Headers) -> None:
    given = headers.get("content-type", "")
    if given.split(";")[0].strip().lower() != "application/json":
        raise RequestError(Kind.MEDIA_TYPE, f"The content type is {given or 'missing'}; expected application/json")
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding != "identity":
        raise RequestError(Kind.MEDIA_TYPE, f"The content encoding is {encoding}; expected a body that is not encoded")


def _too_large(limit: int) -> RequestError:
    return RequestError(Kind.TOO_LARGE, f"The body is larger than {limit:,} bytes; send only what one decision needs")


def _request_id(headers: Headers) -> str:
    given = headers.get(REQUEST_ID, "")
    usable = _ACCEPTED_ID.fullmatch(given) and not holds_card_number(given)
    return given if usable else uuid4().hex


def _method(scope: Scope) -> str:
    """The HTTP method, or `_OTHER` for what is none: a method may hold anything too."""
    return scope["method"] if scope["method"] in METHODS else "_OTHER"


def _line(
    scope: Scope, request_id: str, route: str, status: int, seconds: float
) -> MutableMapping[str, str | int | float]:
    facts: dict[str, str] = scope.get("state", {}).get("facts", {})
    return {
        "request_id": request_id,
        "method": scope["method"],
        "route": route,
        "status": status,
        "milliseconds": round(seconds * 1000, 2),
        **facts,
    }


async def _send_failure(scope: Scope, send: Send, request_id: str) -> None:
    detail = f"The service failed on this request; its log tells why under request id {request_id}"
    body = problem_body(Kind.INTERNAL, detail, scope["path"])
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": Kind.INTERNAL.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

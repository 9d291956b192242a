"""The address for many decisions in one call: an array, or a stream of lines that is answered as it is read."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from datetime import datetime

import orjson
from fastapi import APIRouter, Request, Response
from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from features.nesting import DEEPEST, is_too_deep
from serving.batch import LONGEST, MOST, Entries, answered
from serving.batch_entries import Answering
from serving.batch_openapi import BATCH_BODY, BATCH_RESPONSES
from serving.batch_sharing import Sharing
from serving.edge import read_body
from serving.errors import FieldError, invalid_request
from serving.fairness import Fairness
from serving.idempotency import HEADER
from serving.ledger_access import LedgerAccess
from serving.neighbours import Neighbours
from serving.requests import tree_in
from serving.settings import Settings
from serving.tenancy.caller import caller_of
from serving.trust.current import Current

NDJSON = "application/x-ndjson"
_JSON = "application/json"
_AS_DEEP_AS_READ = 1024
# Stands for an entry that is nested too deep to be written again, and is refused as that entry would be.
_TOO_DEEP = b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1)


def batch_routes(
    current: Current,
    access: LedgerAccess,
    settings: Settings,
    clock: Callable[[], datetime],
    log: FilteringBoundLogger,
    neighbours: Neighbours,
    fairness: Fairness,
) -> APIRouter:
    """The address of many decisions."""
    router = APIRouter(tags=["decisions"])

    @router.post(
        "/v1/decisions/batch", responses=BATCH_RESPONSES, openapi_extra=BATCH_BODY, summary="Decide about many"
    )
    async def decide_many(request: Request) -> Response:
        """Decisions about many payments: an array answered by an array, or lines (`application/x-ndjson`) by lines.

        Every entry is answered by itself and in its place, with the status that a call of its own would have had:
        one that is refused spoils no other. Answers come while the rest is still worked on; whoever hangs up ends it.
        """
        _refuse_key(request.headers)
        answering = Answering(caller_of(request), current, access, clock, log, fairness)
        if _media_type(request.headers) == NDJSON:
            return _Streamed(request, Entries(), answering, neighbours, settings.max_body_bytes)
        entries = Entries.listed(_entries_in(await read_body(request, LONGEST)))
        return _Streamed(request, entries, answering, neighbours, None)

    return router


class _Streamed(Response):
    """The answers to entries, each sent when it is there.

    Args:
        longest_line: Of the lines that are read meanwhile; None where the entries are there and make an array.
    """

    def __init__(
        self,
        request: Request,
        entries: Entries,
        answering: Answering,
        neighbours: Neighbours,
        longest_line: int | None,
    ) -> None:
        super().__init__(media_type=_JSON if longest_line is None else NDJSON)
        del self.headers["content-length"]
        self._request, self._entries, self._answering, self._neighbours = request, entries, answering, neighbours
        self._longest_line = longest_line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the request has it
        """Send the answers; what comes in is read beside it, so that a caller who leaves is noticed."""
        incoming = asyncio.create_task(self._take_in())
        try:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            async with aclosing(self._written()) as texts:
                async for text in texts:
                    await send({"type": "http.response.body", "body": text, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            incoming.cancel()

    async def _take_in(self) -> None:
        if self._longest_line is None:
            await self._entries.notice_leaving(self._request)
        else:
            await self._entries.read_lines(self._request, self._longest_line)

    async def _written(self) -> AsyncGenerator[bytes, None]:
        array = self._longest_line is None
        if array:
            yield b"["
        between, sharing = b"", await Sharing.begun(self._answering, self._neighbours)
        with closing(sharing):
            lots = answered(self._entries, sharing.answer, self._answering.refused, sharing.at_once)
            async with aclosing(lots):
                async for lot in lots:
                    yield between + b",".join(lot) if array else b"\n".join((*lot, b""))
                    between = b","
        if array:
            yield b"]"


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").split(";")[0].strip().lower()


def _refuse_key(headers: Headers) -> None:
    if HEADER in headers:
        expected = "none for the whole call; give each entry an idempotency_key of its own"
        raise invalid_request((FieldError("Idempotency-Key", headers[HEADER][:60], expected),))


def _entries_in(body: bytes) -> list[bytes]:
    tree = tree_in(body, deepest=_AS_DEEP_AS_READ)  # an entry that is nested too deep spoils no other
    if not isinstance(tree, list) or not 1 <= len(tree) <= MOST:
        given = f"a list of {len(tree)}" if isinstance(tree, list) else type(tree).__name__
        raise invalid_request((FieldError("body", given, f"a list of 1 to {MOST:,} requests"),))
    return [_TOO_DEEP if is_too_deep(entry) else orjson.dumps(entry) for entry in tree]

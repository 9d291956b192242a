"""The client against the real application, over a network that may fail as told, for tests."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum

import httpx
from fastapi import FastAPI

from serving.client.client import Recoup
from serving.client.retrying import RetryPolicy


class InProcess(httpx.BaseTransport):
    """Carries requests to an application in this process."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        return asyncio.run(self._answered(request))

    async def _answered(self, request: httpx.Request) -> httpx.Response:
        sent = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        response = await httpx.ASGITransport(self.app).handle_async_request(sent)
        content = await response.aread()
        return httpx.Response(response.status_code, headers=response.headers, content=content)


class Mishap(Enum):
    """What may happen to one try."""

    NONE = "it arrives and is answered"
    LOST = "it never arrives"
    ANSWER_LOST = "it arrives, and the answer is lost"
    BAD_GATEWAY = "it never arrives, and something in between says 502"
    LATE_GATEWAY = "it arrives, and something in between says 504"
    BUSY = "it is told to wait"


class Faulty(httpx.BaseTransport):
    """A network on which each try meets the next mishap; afterwards none."""

    def __init__(self, behind: httpx.BaseTransport, mishaps: Sequence[Mishap]) -> None:
        self.behind = behind
        self.mishaps = list(mishaps)
        self.sent: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        mishap = self.mishaps.pop(0) if self.mishaps else Mishap.NONE
        if mishap is Mishap.LOST:
            raise httpx.ConnectError("no route", request=request)
        if mishap is Mishap.BAD_GATEWAY:
            return httpx.Response(502, content=b"<html>bad gateway</html>")
        if mishap is Mishap.BUSY:
            return httpx.Response(429, headers={"retry-after": "2"}, content=b"{}")
        answer = self.behind.handle_request(request)
        if mishap is Mishap.ANSWER_LOST:
            raise httpx.ReadTimeout("nothing came", request=request)
        if mishap is Mishap.LATE_GATEWAY:
            return httpx.Response(504, content=b"")
        return answer


@contextmanager
def client_of(
    app: FastAPI,
    key: str | None = None,
    *,
    mishaps: Sequence[Mishap] = (),
    retries: RetryPolicy | None = None,
    waits: list[float] | None = None,
) -> Iterator[Recoup]:
    """A client whose pauses are noted and not waited for."""
    noted = [] if waits is None else waits
    transport = Faulty(InProcess(app), mishaps)
    url = "http://127.0.0.1:8080"
    with Recoup(url, key, retries=retries, transport=transport, sleep=noted.append, draw=lambda: 0.5) as client:
        yield client

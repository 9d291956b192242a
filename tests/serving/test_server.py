"""What a server process opens, and what it refuses to open, before it listens."""

import asyncio
import gc
import os
from dataclasses import replace
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from features.errors import InputError
from serving.forking import FORKS, Prepared
from serving.server import opened
from serving.service import Service
from serving.settings import Auth, Settings, settings_from


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("RECOUP_", "MLFLOW_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(os, "environ", dict(os.environ))


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_that_others_can_reach_does_not_start_without_a_key(
    settings: Settings, service: Service, workers: int
) -> None:
    for auth in (Auth.AUTO, Auth.OFF):
        with pytest.raises(InputError, match=r"0\.0\.0\.0.*can be reached by others"):
            opened(replace(settings, auth=auth), service, workers, "0.0.0.0")


def test_worker_processes_are_told_what_was_settled_for_the_address(settings: Settings, service: Service) -> None:
    for auth, settled in ((Auth.AUTO, Auth.OFF), (Auth.ON, Auth.ON)):
        app, found = opened(replace(settings, auth=auth), service, 2, "127.0.0.1")
        assert found is settled
        assert isinstance(app, Prepared) if FORKS else app == "serving.app:app_from_environment"
        assert settings_from({k: v for k, v in os.environ.items() if k.startswith("RECOUP_")}).auth is settled


def test_one_worker_is_the_application_itself(settings: Settings, service: Service) -> None:
    app, found = opened(settings, service, 1, "127.0.0.1")
    assert isinstance(app, FastAPI)
    assert found is Auth.OFF


@pytest.mark.skipif(not FORKS, reason="workers are forked on Linux only")
def test_a_first_worker_answers_with_the_service_that_was_loaded_and_a_ledger_of_its_own(
    settings: Settings, service: Service
) -> None:
    app, _ = opened(settings, service, 2, "127.0.0.1")
    assert isinstance(app, Prepared)
    built = app()
    gc.unfreeze()

    async def ready() -> dict[str, Any]:
        transport = httpx.ASGITransport(app=built)
        async with built.router.lifespan_context(built), httpx.AsyncClient(transport=transport) as client:
            told: dict[str, Any] = (await client.get("http://recoup/ready")).json()
        return told

    told = asyncio.run(ready())
    assert told["versions"]["model"] == service.answering.scorer.version
    assert told["ledger"]["state"] == "ready"

"""What a server process opens, and what it refuses to open, before it listens; and how one worker is stopped."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from features.errors import InputError
from serving.forking import FORKS, Prepared
from serving.ports import free_port
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


SERVE = "from serving.cli import main; main()"
HEARING = f"import signal; signal.signal(signal.SIGHUP, signal.SIG_DFL); {SERVE}"
"""Whoever runs the tests may ignore hangups, and what they start does so then."""


@contextmanager
def served(home: Path, *program: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process of one worker that is ready, and its address."""
    port = free_port()
    command = [*program, "serve", "--port", str(port)]
    own = {
        "RECOUP_HOME": str(home),
        "RECOUP_LOG_FORMAT": "json",
        "RECOUP_DECISION_SECONDS": "60",
        "RECOUP_DRAIN_SECONDS": "1",
    }
    process = subprocess.Popen(
        command,
        env=os.environ | own,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        assert any('"ready"' in line for line in process.stderr)
        address = f"http://127.0.0.1:{port}"
        with httpx.Client(transport=httpx.HTTPTransport(retries=5)) as client:
            assert client.get(f"{address}/ready", timeout=300).status_code == 200
        yield process, address
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_one_worker_that_hears_a_hangup_drains_and_ends_as_if_told_to_stop(tmp_path: Path) -> None:
    with served(tmp_path, sys.executable, "-c", HEARING) as (process, _):
        process.send_signal(signal.SIGHUP)
        _, log = process.communicate(timeout=300)
    assert process.returncode == 0
    assert '"draining"' in log
    assert "Traceback" not in log


def test_a_hangup_that_is_ignored_stops_nothing(tmp_path: Path) -> None:
    with served(tmp_path, "nohup", sys.executable, "-c", SERVE) as (process, address):
        process.send_signal(signal.SIGHUP)
        for _ in range(3):
            assert httpx.get(f"{address}/ready", timeout=300).json()["status"] == "ready"
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize(
    ("variable", "value", "right"),
    [("OTEL_TRACES_EXPORTER", "foo", "otlp, console, none"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "http/protobuf")],
)
def test_traces_that_cannot_be_sent_are_refused_in_a_sentence_before_anything_listens(
    tmp_path: Path, workers: str, variable: str, value: str, right: str
) -> None:
    own = {"RECOUP_HOME": str(tmp_path), "OTEL_TRACES_EXPORTER": "otlp", variable: value}
    command = [sys.executable, "-c", SERVE, "serve", "--port", "0", "--workers", workers]
    ended = subprocess.run(command, env=os.environ | own, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert all(word in ended.stderr for word in (variable, value, right))

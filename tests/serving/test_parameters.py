"""A query names what its address knows, or is refused."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from serving.app import create_app
from serving.service import prior_service
from serving.settings import Settings


@pytest.fixture
def app(tmp_path: Path, clock: Callable[[], datetime]) -> FastAPI:
    settings = Settings(home=tmp_path, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", log_format="json")
    return create_app(settings, service=prior_service(), clock=clock)


def get(app: FastAPI, path: str) -> httpx.Response:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://recoup") as client:
            return await client.get(path)

    return asyncio.run(once())


@pytest.mark.parametrize(
    ("path", "name", "expected"),
    [
        ("/v1/rulebook?at=2026-01-01&netwrok=visa", "netwrok", "one of at, network"),
        ("/v1/rulebook?=visa", "", "one of at, network"),
        ("/v1/models?which=challenger", "which", "no query parameter here"),
    ],
)
def test_a_parameter_that_the_address_does_not_know_is_refused_by_name(
    app: FastAPI, path: str, name: str, expected: str
) -> None:
    refused = get(app, path)
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "query", "value": name, "expected": expected}]


def test_a_parameter_that_is_given_twice_is_refused_because_one_value_would_be_dropped(app: FastAPI) -> None:
    refused = get(app, "/v1/rulebook?network=visa&at=2026-01-01&network=mastercard")
    assert refused.status_code == 422
    assert refused.json()["errors"] == [{"field": "network", "value": "given 2 times", "expected": "one value"}]


@pytest.mark.parametrize(
    "path", ["/v1/rulebook?at=2026-01-01&network=visa", "/v1/models", "/health?probe=7", "/ready?t=1"]
)
def test_what_an_address_knows_and_what_a_probe_adds_is_let_pass(app: FastAPI, path: str) -> None:
    assert get(app, path).status_code == 200

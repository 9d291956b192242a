"""What an application takes at an address, whichever of its routers says so."""

import pytest
from fastapi import FastAPI

from serving.app import create_app
from serving.routed import methods_at
from serving.service import prior_service
from serving.settings import Settings


@pytest.fixture(scope="module")
def app() -> FastAPI:
    return create_app(Settings(), service=prior_service())


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/v1/decisions", ("GET", "POST")),
        ("/v1/decisions/batch", ("POST",)),
        ("/v1/decisions/dec_1", ("GET",)),
        ("/v1/sandbox", ("DELETE", "GET")),
        ("/v1/nothing", ()),
    ],
)
def test_every_route_at_an_address_is_named_and_a_plain_one_hides_those_with_ids(
    app: FastAPI, path: str, methods: tuple[str, ...]
) -> None:
    assert methods_at(app, path) == methods

"""A body that is nested too deep is refused at every address as one that is not JSON; in a batch, as an entry."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import closing

import httpx
import orjson
import pytest
from fastapi import FastAPI

from api_builders import Api, Document, of_payment
from features.nesting import DEEPEST
from sandbox_builders import Sandboxed, sandboxed
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings

BATCH = "/v1/decisions/batch"
DEPTHS = (DEEPEST + 1, 254, 255, 300, 1_020, 1_025, 20_000)
HELD = {"idempotency_key": "k1"}


@pytest.fixture
def everything(settings: Settings, service: Service) -> Iterator[Sandboxed]:
    """The service with every address that there is."""
    with (
        closing(open_ledger(settings, service.rulebook)) as ledger,
        closing(sandboxed(settings, service, ledger)) as made,
    ):
        yield made


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def with_nested(entry: Document, levels: int) -> bytes:
    """The entry with a field that it does not have; it stands one level deep itself."""
    return orjson.dumps(entry).removesuffix(b"}") + b',"x":' + nested(levels - 1) + b"}"


def sent(app: FastAPI, calls: list[tuple[str, str, bytes]], headers: Mapping[str, str]) -> list[httpx.Response]:
    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://recoup") as client:
            given = {"content-type": "application/json", **headers}
            return [await client.request(how, path, content=body, headers=given) for how, path, body in calls]

    return asyncio.run(send())


def addresses(app: FastAPI) -> Iterator[tuple[str, str]]:
    """Where a body is taken; webhooks are kept before they are read and tests/serving/webhooks delivers deep ones."""
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation and not path.startswith("/webhooks"):
                yield method.upper(), path


@pytest.mark.parametrize("under_key", [False, True])
def test_at_every_address_the_body_is_refused_as_a_whole(everything: Sandboxed, *, under_key: bool) -> None:
    found = [one for one in addresses(everything.app) if one[1] != BATCH]
    assert {path for _, path in found} > {"/v1/decisions", "/v1/attempts", "/v1/admin/stop", "/v1/sandbox/clock"}
    for method, path in found:
        api = everything.sandbox() if path.startswith("/v1/sandbox") else everything.live()
        for levels in DEPTHS:
            more = {"idempotency-key": f"{levels} {path}"} if under_key and method == "POST" else {}
            (answer,) = sent(everything.app, [(method, path, nested(levels))], {**api.headers, **more})
            assert answer.status_code == 400, (method, path, levels, answer.text)
            assert answer.json()["type"].endswith("malformed-json")
            assert f"at most {DEEPEST} levels deep" in answer.json()["detail"]


def test_a_body_as_deep_as_may_be_is_judged_by_its_fields(api: Api, failed: Document) -> None:
    (answer,) = sent(api.app, [("POST", "/v1/decisions", with_nested(failed, DEEPEST))], {})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "x")


@pytest.mark.parametrize("levels", [DEEPEST + 1, 255, 300, 1_000])
@pytest.mark.parametrize("more", [{}, HELD])
@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
def test_an_entry_of_a_batch_that_is_too_deep_spoils_no_other(
    api: Api, failed: Document, levels: int, more: Document, kind: str
) -> None:
    good = [orjson.dumps(of_payment(failed, f"inv_{number}")) for number in range(4)]
    entries = [*good[:2], with_nested(failed | more, levels), *good[2:]]
    array = kind == "application/json"
    body = b"[" + b",".join(entries) + b"]" if array else b"\n".join(entries)
    (answer,) = sent(api.app, [("POST", BATCH, body)], {"content-type": kind})
    found = orjson.loads(answer.content) if array else [orjson.loads(line) for line in answer.content.splitlines()]
    assert [one["status"] for one in found] == [200, 200, 400, 200, 200]
    assert f"at most {DEEPEST} levels deep" in found[2]["problem"]["detail"]


def test_an_array_too_deep_to_be_read_is_refused_as_a_whole(api: Api) -> None:
    (answer,) = sent(api.app, [("POST", BATCH, b"[" + nested(1_024) + b"]")], {})
    assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (400, "malformed-json")

"""Every command of docs/curl.md is taken by the service as it is printed, and every address is among them."""

import re
import shlex
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from api_builders import Document
from report_builders import reports_at_once
from sandbox_builders import Sandboxed, sandboxed
from serving.definitions import folder_at
from serving.ledger_access import open_ledger
from serving.live_experiments import LiveExperiments
from serving.service import prior_service
from serving.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
COMMAND = re.compile(r"^curl (?:[^'\n]|'[^']*')*", re.MULTILINE)
NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


def commands() -> list[str]:
    blocks = re.findall(r"```sh no-run\n(.*?)```", (DOCS / "curl.md").read_text("utf-8"), re.DOTALL)
    return [one for block in blocks for one in COMMAND.findall(block)]


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Sandboxed]:
    shipped = folder_at(DOCS.parent / "experiments" / "definitions").definitions
    service = replace(prior_service(), experiments=LiveExperiments(shipped))
    settings = Settings(home=tmp_path, database=f"sqlite:///{tmp_path}/l.db?synchronous=normal", log_format="json")
    with (
        closing(open_ledger(settings, service.rulebook)) as ledger,
        closing(sandboxed(settings, service, ledger, reports_at_once(settings))) as made,
    ):
        yield made


def sent(made: Sandboxed, command: str, ids: dict[str, str]) -> tuple[str, str, int, Document]:
    for name, value in ids.items():
        command = command.replace(f"${name}", value)
    words = iter(shlex.split(command)[1:])
    method, body, headers, address = "GET", None, {}, ""
    for word in words:
        match word:
            case "-s":
                pass
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = orjson.loads(next(words))
            case _:
                address = word.removeprefix("$URL")
    if body is not None and method == "GET":
        method = "POST"
    api = made.sandbox() if "$SANDBOX" in headers.get("authorization", "") else made.live()
    if "idempotency-key" in headers:
        api = api.under(headers["idempotency-key"])
    answer = api.send(method, address, body)
    return method, address, answer.status_code, orjson.loads(answer.content)


def test_every_command_is_taken_and_every_address_is_asked(made: Sandboxed) -> None:
    made.clock.now = NOW
    asked, ids = set(), {"RESERVATION": "-", "DECISION": "-"}
    for command in commands():
        method, address, status, answer = sent(made, command, ids)
        assert status == 200, (command, answer)
        if (method, address) == ("POST", "/v1/decisions") and "$KEY" in command:
            ids = {"RESERVATION": answer["reservation"]["reservation_id"], "DECISION": answer["decision_id"]}
        asked.add((method, address.partition("?")[0]))
    document: dict[str, Any] = orjson.loads((DOCS / "openapi.json").read_bytes())
    left = {
        (method.upper(), path)
        for path, methods in document["paths"].items()
        for method in methods
        if not any(
            method.upper() == one and re.fullmatch(re.sub(r"{\w+}", "[^/]+", path), address) for one, address in asked
        )
    }
    assert left == {("POST", "/v1/sandbox/reservations/{reservation_id}/attempt"), ("POST", "/webhooks/{source}")}

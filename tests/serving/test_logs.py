"""The log over a day of requests, good, bad and failing: nothing of a payer is in it, whatever was sent."""

import asyncio
import copy
import io
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from api_builders import MERCHANT, Api, Clock, event, report
from features.action import Retry
from features.context import Context
from features.table import Asked
from features.vocabulary import Network, Rail
from model.caps.rule import CapRule
from model.caps.rulebook import Rulebook
from model.scorer import Scores, ScoreSource
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.logs import service_log
from serving.registry import Answering
from serving.service import Service
from serving.settings import Settings

Document = dict[str, Any]  # a JSON document that tests take apart
CARD = "4242 4242 4242 4242"
SECRETS = ("jane.doe@example.com", "cus_Jane_Doe", "pm_of_Jane", "inv_of_Jane", "att_of_Jane", "51JANE", "acme")


class TellingScorer:
    """Fails with what it was asked about, as a careless library does."""

    version = "telling"
    source: ScoreSource = "model"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        raise RuntimeError(f"{context} with card {CARD} of {SECRETS[0]}")

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        return tuple(self.score(context, retries) for context, retries in asked)


class TellingRulebook(Rulebook):
    """Rules that fail with what they were asked about; no policy can answer without them."""

    def about(self, rail: Rail, network: Network) -> tuple[CapRule, ...]:
        raise RuntimeError(f"{rail} {network} with card {CARD} of {SECRETS[0]}")


def of_jane(document: Document) -> Document:
    text = orjson.dumps(document).replace(b"cus_1", b"cus_Jane_Doe").replace(b"pm_1", b"pm_of_Jane")
    text = text.replace(b"inv_1", b"inv_of_Jane").replace(b"att_1", b"att_of_Jane").replace(b'"51"', b'"51JANE"')
    found: Document = orjson.loads(text)
    return found


def bent(document: Document) -> list[Document]:
    """The document with something wrong in each field that a person could stand in."""
    found = []
    for field in ("customer_id", "payment_id", "merchant_id", "currency", "due_at"):
        for value in (SECRETS[0] + "\n", CARD, {"name": SECRETS[0]}):
            one = copy.deepcopy(document)
            one["payment"][field] = value
            found.append(one)
    return [*found, document | {SECRETS[0]: 1}, document | {"attempts": []}]


def test_a_day_of_requests_leaves_nothing_of_a_payer_in_the_log(
    failed: Document, settings: Settings, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        api = Api(create_app(settings, service=service, ledger=ledger, clock=Clock()), Clock())
        _a_day(api, of_jane(failed))
    telling = replace(service, answering=Answering(TellingScorer(), "x"))
    assert asyncio.run(_failing(create_app(settings, service=telling, clock=Clock()), of_jane(failed))) == 200
    broken = replace(telling, rulebook=TellingRulebook(service.rulebook.rules))
    assert asyncio.run(_failing(create_app(settings, service=broken, clock=Clock()), of_jane(failed))) == 500
    log = capsys.readouterr().err
    lines = [orjson.loads(line) for line in log.splitlines()]
    assert len([line for line in lines if line["event"] == "request"]) > 25
    assert any(line["event"] == "policy failed" and line["failure"] == "RuntimeError" for line in lines)
    assert any(line["event"] == "failed" and line["failure"] == "RuntimeError" for line in lines)
    assert [secret for secret in SECRETS if secret in log] == []
    assert not re.search(r"4242.{0,3}4242", log)


def _a_day(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]["reservation_id"]
    api.post(f"/v1/reservations/{held}/check", MERCHANT)
    api.post(f"/v1/reservations/{held}/release", MERCHANT | {"reason": f"{SECRETS[0]} called"})
    api.post("/v1/attempts", of_jane(report("att_1_event", "att_1", api.clock.now)))
    api.post("/v1/payments/inv_of_Jane/events", event("payment_paid"))
    for path in ("payments/inv_of_Jane", "methods/pm_of_Jane/budgets", f"nothing/{SECRETS[0]}", f"payments/{CARD}"):
        api.send("GET", f"/v1/{path}?merchant_id=acme&customer={SECRETS[0]}")
    for document in bent(failed):
        assert api.send("POST", "/v1/decisions", document).status_code in {200, 422}
    careless = replace(api, headers={"user-agent": SECRETS[0], "x-request-id": CARD, "authorization": f"Bearer {CARD}"})
    careless.send("POST", "/v1/decisions", failed)


async def _failing(app: FastAPI, document: Document) -> int:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://recoup") as client:
        return (await client.post("/v1/decisions", json=document)).status_code


def test_a_card_number_that_slips_into_a_line_is_masked_in_both_forms() -> None:
    for form in ("json", "console"):
        out = io.StringIO()
        service_log(form, out).info("said", text=f"card {CARD}, and 4242424242424242", cause="no\n4242424242424242")
        assert "said" in out.getvalue()
        assert "4242 4242" not in out.getvalue()
        assert "42424242" not in out.getvalue()


class FullDisk(io.StringIO):
    """Takes nothing while it is full."""

    full = True

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


@pytest.mark.parametrize("level", ["info", "warning", "error", "exception"])
def test_a_line_that_cannot_be_written_is_lost_and_stops_nothing(level: str) -> None:
    disk = FullDisk()
    log = service_log("json", disk)
    getattr(log, level)("lost")
    disk.full = False
    getattr(log, level)("written")
    assert [orjson.loads(line)["event"] for line in disk.getvalue().splitlines()] == ["written"]

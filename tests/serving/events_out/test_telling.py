"""What callers ask and report over HTTP is told to their merchant's own systems."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from api_builders import MERCHANT, START, Api, Clock, Document, event, past, report
from event_builders import events_of, types_of
from serving.app import create_app
from serving.ledger.ledger import Ledger
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3"


@pytest.fixture
def settings(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("ACME_EVENTS_SECRET", SECRET)
    path = tmp_path / "targets.toml"
    path.write_text(
        '[[target]]\nmerchant_id = "acme"\nname = "billing"\nurl = "https://billing.example.com/"\n'
        'secrets = [{ env = "ACME_EVENTS_SECRET" }]\n'
    )
    return replace(settings, event_targets=path)


@pytest.fixture
def ledger(settings: Settings, service: Service) -> Iterator[Ledger]:
    with closing(open_ledger(settings, service.rulebook)) as made:
        yield made


@pytest.fixture
def api(settings: Settings, service: Service, ledger: Ledger) -> Api:
    clock = Clock()
    return Api(create_app(settings, service=service, ledger=ledger, clock=clock), clock)


def test_a_recovery_from_the_reserved_retry_to_the_approval(api: Api, ledger: Ledger, failed: Document) -> None:
    api.post("/v1/decisions", failed)
    assert events_of(ledger) == []
    answer = api.reserve(failed)
    assert api.reserve(failed)["action"]["kind"] == "stop"
    name, window = answer["reservation"]["reservation_id"], answer["action"]["window"]
    (scheduled,) = events_of(ledger)
    assert scheduled["data"]["reservation_id"] == name
    assert (scheduled["data"]["at"], scheduled["data"]["until"]) == (window["start"], window["end"])
    assert scheduled["data"]["why"] == [reason["sentence"] for reason in answer["reasons"]]
    assert scheduled["data"]["attempt_number"] == 2
    told = report("e1", "att_2", START, outcome="approved") | {"reservation_id": name}
    api.post("/v1/attempts", told)
    assert types_of(ledger) == ["retry.scheduled", "recovery.recovered"]


def test_paid_by_other_means_ends_it_too(api: Api, ledger: Ledger, failed: Document) -> None:
    api.reserve(failed)
    api.post("/v1/payments/inv_1/events", event("payment_paid"))
    api.post("/v1/payments/inv_1/events", event("payment_paid"))
    assert [one["data"].get("by") for one in events_of(ledger)] == [None, "other_means"]


def test_a_stop_by_limits_names_them_and_what_the_payer_could_do(api: Api, ledger: Ledger, failed: Document) -> None:
    api.post("/v1/attempts", past(40))
    failed["payment"]["recover_by"] = "2026-11-24T10:15:00Z"
    answer = api.reserve(failed)
    assert answer["action"]["kind"] == "stop"
    kinds = types_of(ledger)
    assert {"limit.reached", "recovery.action_needed"} <= set(kinds)
    rules = {one["data"]["rule_id"] for one in events_of(ledger) if one["type"] == "limit.reached"}
    assert rules == {limit["limit"]["rule_id"] for limit in answer["removed"]}
    (needed,) = [one["data"] for one in events_of(ledger) if one["type"] == "recovery.action_needed"]
    assert needed["payer_could"] == answer["payer_could"]


def test_without_a_method_that_can_be_charged_the_recovery_is_exhausted(
    api: Api, ledger: Ledger, failed: Document
) -> None:
    failed["methods"][0]["consented"] = False
    answer = api.reserve(failed)
    assert types_of(ledger) == ["recovery.action_needed", "recovery.exhausted"]
    assert events_of(ledger)[-1]["data"]["reason"] == answer["action"]["reason"] == "no_usable_method"


def test_an_emergency_stop_ends_nothing_and_an_opt_out_does(api: Api, ledger: Ledger, failed: Document) -> None:
    api.post("/v1/admin/stop", MERCHANT | {"reason": "test"})
    assert api.reserve(failed)["action"]["kind"] == "hold"
    assert events_of(ledger) == []
    api.post("/v1/admin/resume", MERCHANT | {"reason": "mended"})
    api.post("/v1/payments/inv_1/events", event("payment_opted_out"))
    for _ in range(2):
        assert api.reserve(failed)["action"]["reason"] == "opted_out"
    (ended,) = events_of(ledger)
    assert (ended["type"], ended["data"]["reason"]) == ("recovery.exhausted", "opted_out")

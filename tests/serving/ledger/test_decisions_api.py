"""Decisions are listed, shown as they were answered, and computed again, each to its own merchant only."""

import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from api_builders import START, Api, Clock, Document, past
from serving.app import create_app
from serving.contexts import context_of
from serving.keeping import keep, keep_versions
from serving.ledger.ledger import Ledger
from serving.ledger_access import open_ledger
from serving.requests import parse_request
from serving.reserving import Decided
from serving.service import Service
from serving.settings import Settings
from tenants import tenants_of

OF_ACME = "merchant_id=acme"


@pytest.fixture(params=["sqlite", "postgres"])
def api(
    request: pytest.FixtureRequest, new_url: Callable[[str], str], settings: Settings, service: Service
) -> Iterator[Api]:
    """The service with a ledger of each kind in turn."""
    clock, ours = Clock(), replace(settings, database=new_url(str(request.param)))
    with closing(open_ledger(ours, service.rulebook)) as ledger:
        yield Api(create_app(ours, service=service, ledger=ledger, clock=clock), clock)


def replay(api: Api, decision_id: str) -> Document:
    return api.post(f"/v1/decisions/{decision_id}/replay?{OF_ACME}", None)


def test_every_answer_can_be_seen_again_byte_for_byte_and_computed_again(api: Api, failed: Document) -> None:
    plain = api.send("POST", "/v1/decisions", failed)
    for one in past(3):
        api.post("/v1/attempts", one)
    api.clock.now = START + timedelta(minutes=1)
    with_history = api.send("POST", "/v1/decisions", failed)
    api.clock.now = START + timedelta(minutes=2)
    reserved = api.send("POST", "/v1/decisions", failed | {"reserve": True})
    api.clock.now = START + timedelta(minutes=3)
    stopped = api.send("POST", "/v1/decisions", failed | {"reserve": True})
    assert len({plain.content, with_history.content, reserved.content, stopped.content}) == 4
    held = orjson.loads(reserved.content)["reservation"]
    assert held is not None
    assert orjson.loads(stopped.content)["reservation"] is None

    for sent, reservation_id in (
        (plain.content, None),
        (with_history.content, None),
        (reserved.content, held["reservation_id"]),
        (stopped.content, None),
    ):
        answer = orjson.loads(sent)
        name = answer["decision_id"]
        kept = api.send("GET", f"/v1/decisions/{name}?{OF_ACME}")
        assert sent.partition(b',"reservation":')[0].removesuffix(b"}") in kept.content
        assert kept.json()["answer"] == {key: value for key, value in answer.items() if key != "reservation"}
        assert kept.json()["reservation_id"] == reservation_id
        again = replay(api, name)
        assert (again["outcome"], again["fields"], again["missing"]) == ("same", 0, [])


def test_they_are_listed_page_by_page_the_latest_first_and_stand_in_the_timeline(api: Api, failed: Document) -> None:
    made = []
    for minute in range(5):
        api.clock.now = START + timedelta(minutes=minute)
        made.append(api.post("/v1/decisions", failed)["decision_id"])
    api.post("/v1/attempts", past(1)[0])

    seen: list[str] = []
    page = api.get(f"/v1/decisions?{OF_ACME}&payment_id=inv_1&limit=2")
    while True:
        seen += [one["decision_id"] for one in page["decisions"]]
        if not page["has_more"]:
            break
        page = api.get(f"/v1/decisions?{OF_ACME}&payment_id=inv_1&limit=2&cursor={page['next_cursor']}")
    assert seen == made[::-1]
    everything = api.get(f"/v1/decisions?{OF_ACME}")
    assert [one["decision_id"] for one in everything["decisions"]] == seen
    assert api.get(f"/v1/decisions?{OF_ACME}&payment_id=other")["decisions"] == []
    told = [one for one in api.get(f"/v1/payments/inv_1?{OF_ACME}")["entries"] if one["entry"] == "decision"]
    assert [one["id"] for one in told] == made
    assert {(one["word"], one["method_id"]) for one in told} == {("retry", "pm_1")}


def test_what_is_not_kept_is_not_found(api: Api) -> None:
    for path in ("dec_0", "d" * 100):
        assert api.get(f"/v1/decisions/{path}?{OF_ACME}", 404)["errors"][0]["field"] == "decision_id"
        assert api.send("POST", f"/v1/decisions/{path}/replay?{OF_ACME}").status_code == 404


def test_nothing_of_it_is_seen_by_another_merchant(settings: Settings, service: Service, failed: Document) -> None:
    with closing(Ledger.opened(settings.database)) as ledger:
        tenants = tenants_of(settings, service, ledger)
        name = tenants.of("acme").post("/v1/decisions", failed)["decision_id"]
        other = tenants.of("other")
        assert other.get("/v1/decisions")["decisions"] == []
        other.get(f"/v1/decisions/{name}", 404)
        other.get(f"/v1/decisions/{name}?{OF_ACME}", 403)
        assert other.send("POST", f"/v1/decisions/{name}/replay").status_code == 404
        assert other.send("POST", f"/v1/decisions/{name}/replay?{OF_ACME}").status_code == 403
        assert tenants.of("acme").get("/v1/decisions")["decisions"][0]["decision_id"] == name
        assert tenants.of("acme").post(f"/v1/decisions/{name}/replay", None)["outcome"] == "same"


def test_one_that_is_damaged_is_told_to_be(settings: Settings, service: Service, failed: Document) -> None:
    made = Decided.by(service, context_of(parse_request(orjson.dumps(failed)), START)).kept(START)
    with closing(Ledger.opened(settings.database)) as ledger:
        keep_versions(ledger, service)
        context, record, _, steps = zlib.decompress(made.content).split(b"\n")
        content = zlib.compress(b"\n".join((context, record, b'{"broken', steps)))
        keep(ledger, replace(made, content=content))
        acme = tenants_of(settings, service, ledger).of("acme")
        found = acme.post(f"/v1/decisions/{made.headline.decision_id}/replay", None)
    assert found["outcome"] == "missing"
    assert found["missing"][0].startswith("Its content cannot be read: answer: ")

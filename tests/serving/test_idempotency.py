"""A POST under an Idempotency-Key: done once, answered the same again, after a restart and after a crash too."""

import asyncio
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import httpx
import orjson
import pytest
from starlette.types import Message

from api_builders import MERCHANT, START, Api, Clock, Document, codes, event, report
from serving.app import create_app
from serving.idempotency import REPLAYED
from serving.ledger.answered import KEPT_FOR, WORKED_ON_FOR, forget
from serving.ledger.opening import store_at
from serving.ledger_access import open_ledger
from serving.service import Service
from serving.settings import Settings
from tenants import tenants_of

SECOND = timedelta(seconds=1)
Change = Callable[[str], None]


@pytest.fixture
def change(settings: Settings) -> Change:
    """Changes the database behind the service's back."""

    def run(statement: str) -> None:
        with closing(store_at(settings.database)) as store, store.writing() as transaction:
            transaction.script(f"{statement};\n")

    return run


def decide(api: Api, document: Document) -> httpx.Response:
    return api.send("POST", "/v1/decisions", document)


def kind(response: httpx.Response) -> str:
    return str(response.json()["type"]).rpartition(":")[2]


def reservations(settings: Settings) -> dict[str, int]:
    with closing(store_at(settings.database)) as store, store.reading() as transaction:
        (rows,) = transaction.ask(("reservation_counts", {}))
    return {str(state): int(count or 0) for state, count in rows}


CHECK = "/v1/reservations/{}/check"
LOST = "UPDATE answered SET status = NULL, media_type = NULL, body = NULL"


def test_the_same_request_is_answered_the_same_and_done_once(api: Api, failed: Document, settings: Settings) -> None:
    under, asked = api.under("k1"), failed | {"reserve": True}
    first = decide(under, asked)
    api.clock.now += timedelta(hours=2)
    again = decide(under, asked)
    assert (first.status_code, REPLAYED in first.headers) == (200, False)
    assert (again.status_code, again.headers[REPLAYED], again.content) == (200, "true", first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert reservations(settings) == {"held": 1}
    assert decide(api, asked).json()["action"]["reason"] == "attempt_pending"


def test_another_body_or_address_under_the_key_is_a_conflict(api: Api, failed: Document) -> None:
    under = api.under("k1")
    assert decide(under, failed).status_code == 200
    for response in (decide(under, failed | {"reserve": True}), under.send("POST", "/v1/attempts", failed)):
        assert (response.status_code, kind(response)) == (409, "idempotency-key-reused")
    assert under.send("GET", "/v1/models").status_code == 200


def test_answers_outlive_the_process(settings: Settings, service: Service, failed: Document) -> None:
    answers = []
    for hours in range(3):
        with closing(open_ledger(settings, service.rulebook)) as ledger:
            clock = Clock(START + timedelta(hours=hours))
            app = create_app(settings, service=service, ledger=ledger, clock=clock)
            answers.append(decide(Api(app, clock).under("k1"), failed | {"reserve": True}).content)
    assert len(set(answers)) == 1


def test_a_crash_between_the_hold_and_the_answer_holds_nothing_twice(
    api: Api, failed: Document, settings: Settings, change: Change
) -> None:
    under, asked = api.under("k1"), failed | {"reserve": True}
    first = decide(under, asked)
    assert first.json()["reservation"]["state"] == "held"
    change(LOST)  # as a process leaves it that is killed once the place is held
    api.clock.now += WORKED_ON_FOR - SECOND
    assert kind(decide(under, asked)) == "in-progress"
    api.clock.now += SECOND
    again = decide(under, asked)
    assert (again.content, REPLAYED in again.headers) == (first.content, False)
    assert reservations(settings) == {"held": 1}
    assert decide(under, asked).headers[REPLAYED] == "true"


def test_after_a_crash_what_was_held_is_named_when_it_would_not_be_advised_any_more(
    api: Api, failed: Document, settings: Settings, change: Change
) -> None:
    under, asked = api.under("k1"), failed | {"reserve": True}
    held = decide(under, asked).json()["reservation"]["reservation_id"]
    change(LOST)
    api.clock.now += WORKED_ON_FOR
    api.post("/v1/attempts", [report(f"e{i}", f"x{i}", START + i * SECOND, payment=f"inv_x{i}") for i in range(20)])
    again = decide(under, asked).json()
    assert again["reservation"] is None
    assert again["action"]["reason"] == "attempt_pending"
    assert any(held in reason["sentence"] for reason in again["reasons"])
    assert reservations(settings) == {"held": 1}


def test_a_crash_before_the_hold_is_made_up_for(api: Api, failed: Document, settings: Settings, change: Change) -> None:
    under, asked = api.under("k1"), failed | {"reserve": True}
    held = decide(under, asked).json()["reservation"]["reservation_id"]
    change(LOST)
    api.post(f"/v1/reservations/{held}/release", MERCHANT)
    api.clock.now += WORKED_ON_FOR
    again = decide(under, asked).json()["reservation"]
    assert again["state"] == "held"
    assert again["reservation_id"] != held
    assert reservations(settings) == {"held": 1, "released": 1}


def test_of_many_at_once_one_is_worked_on(api: Api, failed: Document, settings: Settings) -> None:
    answers = api.under("k1").send_at_once("/v1/decisions", failed | {"reserve": True}, 8)
    fresh = [one for one in answers if one.status_code == 200 and REPLAYED not in one.headers]
    busy = [one for one in answers if one.status_code == 409]
    assert len(fresh) == 1
    assert {kind(one) for one in busy} <= {"in-progress"}
    assert all(one.headers["retry-after"] == "1" for one in busy)
    assert {one.content for one in answers if one.status_code == 200} == {fresh[0].content}
    assert reservations(settings) == {"held": 1}


def test_a_refusal_is_kept_and_a_failure_is_not(api: Api, failed: Document, change: Change) -> None:
    wrong = failed | {"reserve": "yes"}
    first, again = (decide(api.under("k1"), wrong) for _ in range(2))
    assert (first.status_code, again.status_code, again.headers[REPLAYED]) == (422, 422, "true")
    assert again.headers["content-type"] == "application/problem+json"
    change("ALTER TABLE attempt RENAME TO gone")
    assert decide(api.under("k2"), failed).status_code == 503
    change("ALTER TABLE gone RENAME TO attempt")
    answer = decide(api.under("k2"), failed)
    assert (answer.status_code, REPLAYED in answer.headers) == (200, False)


@pytest.mark.parametrize("wrong", [{"content-type": "text/plain"}, {"content-encoding": "gzip"}])
def test_a_refusal_of_a_header_leaves_the_key_to_the_request_with_the_right_one(
    api: Api, failed: Document, settings: Settings, wrong: dict[str, str]
) -> None:
    under, asked = api.under("k1"), failed | {"reserve": True}
    refused = decide(replace(under, headers={**under.headers, **wrong}), asked)
    assert (refused.status_code, kind(refused)) == (415, "media-type")
    first = decide(under, asked)
    assert (first.status_code, REPLAYED in first.headers) == (200, False)
    again = decide(replace(under, headers={**under.headers, "content-type": "application/json; charset=utf-8"}), asked)
    assert (again.headers[REPLAYED], again.content) == ("true", first.content)
    assert reservations(settings) == {"held": 1}
    assert kind(decide(under, failed)) == "idempotency-key-reused"


def test_a_decision_and_its_answer_under_a_key_are_kept_together_or_not_at_all(
    api: Api, failed: Document, change: Change
) -> None:
    def kept() -> int:
        return len(api.get("/v1/decisions?merchant_id=acme")["decisions"])

    under = api.under("k1")
    change("CREATE TRIGGER no_answer BEFORE UPDATE ON answered BEGIN SELECT RAISE(ABORT, 'not now'); END")
    assert (decide(under, failed).status_code, kept()) == (409, 0)
    change("DROP TRIGGER no_answer")
    api.clock.now += WORKED_ON_FOR
    first = decide(under, failed)
    assert (first.status_code, kept()) == (200, 1)
    again = decide(under, failed)
    assert (again.content, again.headers[REPLAYED], kept()) == (first.content, "true", 1)


def test_answers_are_kept_for_a_day_and_then_forgotten(api: Api, failed: Document, settings: Settings) -> None:
    under = api.under("k1")
    decide(under, failed)
    with closing(store_at(settings.database)) as store:
        api.clock.now = START + KEPT_FOR
        assert forget(store, api.clock.now) == 0
        assert decide(under, failed).headers[REPLAYED] == "true"
        api.clock.now += SECOND
        assert REPLAYED not in decide(under, failed | {"reserve": True}).headers
        assert forget(store, api.clock.now) == 0
        assert forget(store, api.clock.now + KEPT_FOR + SECOND) == 1


@pytest.mark.parametrize("key", ["", "x" * 201, "4242 4242 4242 4242", "tab\there"])
def test_a_key_that_cannot_be_kept_is_refused(api: Api, failed: Document, key: str) -> None:
    for response in (decide(api.under(key), failed), api.under(key).send("POST", CHECK.format("rsv_1"), MERCHANT)):
        assert response.status_code == 422
        assert [fault["field"] for fault in response.json()["errors"]] == ["Idempotency-Key"]
        assert "4242" not in response.text


@pytest.mark.parametrize(
    ("path", "told", "code"),
    [
        ("/v1/admin/stop", MERCHANT | {"reason": "INC-9"}, "on_hold"),
        ("/v1/payments/inv_1/events", event("payment_opted_out", reason="no more"), "opted_out"),
        ("/v1/payments/inv_1/events", event("payment_paid"), "paid"),
    ],
)
def test_a_check_is_answered_anew_whatever_key_it_is_asked_under(
    api: Api, failed: Document, path: str, told: Document, code: str
) -> None:
    held = api.reserve(failed)["reservation"]
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    under, check = api.under("k1"), CHECK.format(held["reservation_id"])
    assert under.post(check, MERCHANT)["go"] is True
    api.post(path, told)
    again = under.send("POST", check, MERCHANT)
    assert (again.json()["go"], codes(again.json()), REPLAYED in again.headers) == (False, {code}, False)
    assert decide(under, failed).status_code == 200  # the key is free for what it is meant for


def test_a_decision_is_computed_again_each_time_it_is_asked(api: Api, failed: Document) -> None:
    under, path = api.under("k1"), f"/v1/decisions/{decide(api, failed).json()['decision_id']}/replay"
    for _ in range(2):
        answer = under.send("POST", f"{path}?merchant_id=acme")
        assert (answer.status_code, REPLAYED in answer.headers) == (200, False)


@pytest.mark.parametrize("second", ["k1", "k2"])
def test_two_keys_are_not_taken_for_one(api: Api, failed: Document, second: str) -> None:
    headers = [("content-type", "application/json"), ("idempotency-key", "k1"), ("idempotency-key", second)]

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(api.app), base_url="http://recoup") as client:
            return await client.post("/v1/decisions", json=failed, headers=headers)

    response = asyncio.run(ask())
    assert response.status_code == 422
    assert response.json()["errors"] == [
        {"field": "Idempotency-Key", "value": "given 2 times", "expected": "one value"}
    ]


def test_keys_of_different_merchants_have_nothing_to_do_with_each_other(
    settings: Settings, service: Service, failed: Document
) -> None:
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        tenants = tenants_of(settings, service, ledger)
        other = {**failed, "payment": failed["payment"] | {"merchant_id": "other"}}
        answers = [
            decide(tenants.of(whose).under("k1"), asked) for whose, asked in (("acme", failed), ("other", other))
        ]
        assert [(one.status_code, REPLAYED in one.headers) for one in answers] == [(200, False)] * 2
        assert decide(tenants.of("other").under("k1"), failed).status_code == 409


def test_a_body_that_is_too_long_is_refused_before_it_is_kept(api: Api, settings: Settings) -> None:
    long = {"x": "y" * settings.max_body_bytes}
    assert decide(api.under("k1"), long).status_code == 413
    assert decide(api.under("k1"), {}).status_code == 422


def test_a_request_that_breaks_off_in_its_body_leaves_the_key_to_the_next_try(api: Api, failed: Document) -> None:
    whole = orjson.dumps(failed)

    async def broken_off() -> list[Message]:
        came: list[Message] = [
            {"type": "http.request", "body": whole[: len(whole) // 2], "more_body": True},
            {"type": "http.disconnect"},
        ]
        answered: list[Message] = []

        async def receive() -> Message:
            return came.pop(0)

        async def send(message: Message) -> None:
            answered.append(message)

        headers = [(b"content-type", b"application/json"), (b"idempotency-key", b"k1")]
        scope = {"type": "http", "method": "POST", "path": "/v1/decisions", "query_string": b"", "headers": headers}
        await api.app(scope, receive, send)
        return answered

    assert asyncio.run(broken_off()) == []
    answer = decide(api.under("k1"), failed)
    assert (answer.status_code, REPLAYED in answer.headers) == (200, False)


def test_what_tells_nothing_of_anybody_takes_no_key_where_no_api_keys_are_asked_for_either(
    api: Api, failed: Document
) -> None:
    under = api.under("k1")
    for path in ("/health", "/docs", "/nothing"):
        assert under.send("POST", path, failed).status_code in {404, 405}
    assert decide(under, failed).status_code == 200


def test_a_service_without_a_ledger_keeps_no_answers_and_says_so(
    settings: Settings, service: Service, failed: Document
) -> None:
    clock = Clock()
    api = Api(create_app(settings, service=service, clock=clock), clock)
    assert decide(api, failed).status_code == 200
    assert kind(decide(api.under("k1"), failed)) == "ledger-unavailable"

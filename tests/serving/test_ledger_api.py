"""The ledger behind the HTTP interface, over ASGI and SQLite: the whole loop, races, repeats and refusals."""

import asyncio
import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from serving.app import create_app
from serving.ledger.migrate import migrations
from serving.ledger.opening import store_at
from serving.ledger_access import open_ledger
from serving.service import Service, prior_service
from serving.settings import Settings

Document = dict[str, Any]  # a JSON document that tests take apart
START = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that tests set."""

    now: datetime = START

    def __call__(self) -> datetime:
        return self.now


@dataclass(frozen=True)
class Api:
    """The application and its clock."""

    app: FastAPI
    clock: Clock

    def send(self, method: str, path: str, body: object = None) -> httpx.Response:
        return asyncio.run(_sent(self.app, [(method, path, body)]))[0]

    def post(self, path: str, body: object, status: int = 200) -> Document:
        return parsed(self.send("POST", path, body), status)

    def get(self, path: str, status: int = 200) -> Document:
        return parsed(self.send("GET", path), status)

    def reserve(self, document: Document) -> Document:
        return self.post("/v1/decisions", document | {"reserve": True})

    def at_once(self, bodies: Sequence[Document]) -> list[Document]:
        calls = [("POST", "/v1/decisions", body) for body in bodies]
        return [parsed(response, 200) for response in asyncio.run(_sent(self.app, calls))]


async def _sent(app: FastAPI, calls: Sequence[tuple[str, str, object]]) -> list[httpx.Response]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://recoup") as client:
        headers = {"content-type": "application/json"}
        content = [None if body is None else orjson.dumps(body) for _, _, body in calls]
        return await asyncio.gather(
            *(
                client.request(method, path, content=sent, headers=headers)
                for (method, path, _), sent in zip(calls, content, strict=True)
            )
        )


def parsed(response: httpx.Response, status: int) -> Document:
    assert response.status_code == status, response.text
    answer: Document = orjson.loads(response.content)
    return answer


@pytest.fixture(scope="module")
def service() -> Service:
    return prior_service()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, database=f"sqlite:///{tmp_path}/ledger.db?synchronous=normal", log_format="json")


@pytest.fixture
def api(settings: Settings, service: Service) -> Iterator[Api]:
    clock = Clock()
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        yield Api(create_app(settings, service=service, ledger=ledger, clock=clock), clock)


@pytest.fixture
def failed(document: Document) -> Document:
    """One declined attempt on a Visa card, asked about now."""
    del document["as_of"]
    document["methods"] = document["methods"][:1]
    return document


def report(
    event: str, attempt: str, at: datetime, *, payment: str = "inv_1", method: str = "pm_1", outcome: str = "declined"
) -> Document:
    told: Document = {
        "payment_id": payment,
        "customer_id": "cus_1",
        "method": {"method_id": method, "rail": "card", "network": "visa", "issuer_country": "DE"},
        "processor": "northgate",
        "amount_minor": 2799,
        "currency": "EUR",
        "attempted_at": at.isoformat(),
        "outcome": outcome,
    }
    if outcome == "declined":
        told["code"] = "51"
    return {"merchant_id": "acme", "event_id": event, "attempt_id": attempt, "source": "webhook", "attempt": told}


def past(count: int, *, payment: str = "inv_1") -> list[Document]:
    """Declines of the last days, one every 12 hours, that the request below does not tell of."""
    return [report(f"e{i}", f"old_{i}", START - timedelta(hours=12 * (i + 1)), payment=payment) for i in range(count)]


def of_payment(document: Document, payment: str) -> Document:
    other = copy.deepcopy(document)
    other["payment"]["payment_id"] = payment
    other["attempts"][0] |= {"attempt_id": f"att_{payment}"}
    return other


def visa_cap(limits: Sequence[Document]) -> Document:
    """The cap of Visa on reattempts."""
    return next(limit for limit in limits if limit["limit"] is not None and limit["rule_id"].startswith("visa"))


def used(api: Api) -> int:
    """What is used of the cap on reattempts, holds included."""
    (one,) = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
    return int(visa_cap(one["limits"])["used"])


def codes(answer: Document) -> set[str]:
    return {reason["code"] for reason in answer["reasons"]}


def event(kind: str, event_id: str = "p1", **more: object) -> Document:
    return {"merchant_id": "acme", "event_id": event_id, "kind": kind, "happened_at": "2026-11-23T10:10:00Z"} | more


MERCHANT = {"merchant_id": "acme"}


def test_the_whole_loop_from_a_decision_to_the_attempt(api: Api, failed: Document) -> None:
    answer = api.reserve(failed)
    held = answer["reservation"]
    assert answer["action"]["kind"] == "retry"
    assert held["state"] == "held"
    assert held["fire_from"] == answer["action"]["window"]["start"]
    assert held["fire_by"] == answer["action"]["window"]["end"]
    assert held["expires_at"] > held["fire_by"]
    path = f"/v1/reservations/{held['reservation_id']}"
    assert api.get(f"{path}?merchant_id=acme") == held

    assert codes(api.post(f"{path}/check", MERCHANT)) == {"too_early"}
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    checked = api.post(f"{path}/check", MERCHANT)
    assert checked["go"] is True, checked["reasons"]
    assert checked["limits"]

    made = {"attempt_id": "att_2", "attempted_at": api.clock.now.isoformat(), "outcome": "declined", "code": "51"}
    settled = api.post(f"{path}/settle", MERCHANT | {"attempt": made})
    assert settled["reservation"]["state"] == "spent"
    assert settled["reservation"]["attempt_id"] == "att_2"
    assert settled["late"] is False
    assert codes(api.post(f"{path}/check", MERCHANT)) >= {"not_held"}


def test_without_reserve_an_answer_is_that_of_a_service_without_a_ledger(
    api: Api, settings: Settings, service: Service, document: Document
) -> None:
    alone = Api(create_app(settings, service=service, clock=api.clock), api.clock)
    with_ledger, without = (a.send("POST", "/v1/decisions", document) for a in (api, alone))
    assert with_ledger.status_code == 200
    assert with_ledger.content == without.content
    assert b"reservation" not in without.content


def test_attempts_that_only_the_ledger_knows_use_up_a_cap(api: Api, failed: Document) -> None:
    before = visa_cap(api.post("/v1/decisions", failed)["limits"])
    api.post("/v1/attempts", past(3))
    after = visa_cap(api.post("/v1/decisions", failed)["limits"])
    assert after["rule_id"] == before["rule_id"]
    assert (after["used"], after["left"]) == (before["used"] + 3, before["left"] - 3)


def test_an_attempt_told_by_request_and_webhook_counts_once(api: Api, failed: Document) -> None:
    before = visa_cap(api.post("/v1/decisions", failed)["limits"])
    api.post("/v1/attempts", report("e1", "att_1", datetime(2026, 11, 23, 9, tzinfo=UTC)))
    assert visa_cap(api.post("/v1/decisions", failed)["limits"])["used"] == before["used"]


def test_a_report_told_again_changes_nothing(api: Api) -> None:
    told = past(2)
    first, again = api.post("/v1/attempts", told), api.post("/v1/attempts", told)
    assert (first["new"], first["repeated"]) == (2, 0)
    assert (again["new"], again["repeated"]) == (0, 2)
    assert [result["recorded"] for result in again["results"]] == ["repeated", "repeated"]


def test_an_event_id_cannot_stand_for_two_things_and_nothing_is_recorded_then(api: Api) -> None:
    first = past(1)[0]
    api.post("/v1/attempts", first)
    other = report("e0", "another", START)
    problem = api.post("/v1/attempts", [report("e9", "fresh", START), other], 409)
    assert problem["type"] == "urn:recoup:problem:conflict"
    assert api.post("/v1/attempts", report("e9", "fresh", START))["new"] == 1


def test_settling_by_a_report_spends_the_reservation_once(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    while_held = used(api)
    assert while_held > 0
    told = report("e1", "att_2", api.clock.now) | {"reservation_id": held["reservation_id"]}
    first, again = api.post("/v1/attempts", told), api.post("/v1/attempts", told)
    assert first["results"][0]["settled"]["reservation"]["state"] == "spent"
    assert again["results"][0]["recorded"] == "repeated"
    assert again["results"][0]["settled"]["reservation"]["attempt_id"] == "att_2"
    assert used(api) == while_held


def test_budgets_go_down_by_one_with_each_attempt(api: Api) -> None:
    def left() -> int:
        (one,) = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
        return int(visa_cap(one["limits"])["left"])

    seen = []
    for told in past(3):
        api.post("/v1/attempts", told)
        seen.append(left())
    assert seen == [seen[0], seen[0] - 1, seen[0] - 2]


def test_of_two_reserves_for_the_last_attempt_of_a_cap_exactly_one_holds(api: Api, failed: Document) -> None:
    api.post("/v1/attempts", past(1))
    (one,) = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
    cap = visa_cap(one["limits"])
    # The first attempt is no reattempt, and each of the two requests tells of one more: one is left for both.
    api.post("/v1/attempts", past(cap["limit"] - 2))
    last = failed | {"reserve": True}
    last["payment"]["recover_by"] = (START + timedelta(days=3)).isoformat()
    racing = [of_payment(last, "inv_a"), of_payment(last, "inv_b")]
    racing[1]["attempts"][0]["attempted_at"] = "2026-11-23T08:00:00Z"
    answers = api.at_once(racing)
    held = [answer for answer in answers if answer["reservation"]]
    (lost,) = [answer for answer in answers if not answer["reservation"]]
    assert len(held) == 1
    assert lost["action"]["kind"] == "stop"
    assert lost["action"]["reason"] == "no_allowed_action"
    assert cap["rule_id"] in {limit["rule_id"] for limit in lost["limits"]}


def test_of_two_reserves_for_one_payment_exactly_one_holds(api: Api, failed: Document) -> None:
    answers = api.at_once([failed | {"reserve": True}] * 4)
    assert sum(answer["reservation"] is not None for answer in answers) == 1
    stopped = [answer["action"] for answer in answers if answer["reservation"] is None]
    assert {action["reason"] for action in stopped} == {"attempt_pending"}


@pytest.mark.parametrize(
    ("told", "code"),
    [
        (event("payment_paid"), "paid"),
        (event("payment_cancelled"), "cancelled"),
        (event("consent_withdrawn", method_id="pm_1"), "consent_withdrawn"),
    ],
)
def test_a_check_turns_no_go_after_what_was_told(api: Api, failed: Document, told: Document, code: str) -> None:
    held = api.reserve(failed)["reservation"]
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    path = f"/v1/reservations/{held['reservation_id']}/check"
    assert api.post(path, MERCHANT)["go"] is True
    assert api.post("/v1/payments/inv_1/events", told) == {"event_id": "p1", "recorded": "new"}
    assert api.post("/v1/payments/inv_1/events", told) == {"event_id": "p1", "recorded": "repeated"}
    checked = api.post(path, MERCHANT)
    assert checked["go"] is False
    assert codes(checked) == {code}


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (event("payment_paid"), "already_paid"),
        (event("payment_cancelled"), "cancelled"),
        (event("consent_withdrawn", method_id="pm_1"), "no_usable_method"),
    ],
)
def test_a_decision_stops_after_what_was_told(api: Api, failed: Document, told: Document, reason: str) -> None:
    api.post("/v1/payments/inv_1/events", told)
    for asked in (failed, failed | {"reserve": True}):
        assert api.post("/v1/decisions", asked)["action"] == {"kind": "stop", "reason": reason, "propensity": 1.0}
    if reason == "already_paid":
        api.post("/v1/payments/inv_1/events", event("payment_reopened", "p2", happened_at="2026-11-23T10:12:00Z"))
        assert api.post("/v1/decisions", failed)["action"]["kind"] == "retry"


def test_a_check_says_when_the_cap_was_used_up_by_others(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    path = f"/v1/reservations/{held['reservation_id']}/check"
    cap = visa_cap(api.post(path, MERCHANT)["limits"])
    others = [
        report(f"o{i}", f"other_{i}", START + timedelta(minutes=i), payment=f"inv_x{i}") for i in range(cap["limit"])
    ]
    api.post("/v1/attempts", others)
    checked = api.post(path, MERCHANT)
    assert codes(checked) == {"over_cap"}
    assert cap["rule_id"] in {reason["rule_id"] for reason in checked["reasons"]}


def test_a_check_says_when_the_window_is_over_and_when_the_hold_is(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    path = f"/v1/reservations/{held['reservation_id']}/check"
    api.clock.now = datetime.fromisoformat(held["fire_by"])
    assert codes(api.post(path, MERCHANT)) == {"advice_expired"}
    api.clock.now = datetime.fromisoformat(held["expires_at"])
    assert codes(api.post(path, MERCHANT)) == {"expired"}


def test_a_check_waits_for_an_attempt_that_the_customer_started(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    api.post("/v1/attempts", report("c1", "by_customer", api.clock.now, outcome="unknown"))
    checked = api.post(f"/v1/reservations/{held['reservation_id']}/check", MERCHANT)
    assert [reason["rule_id"] for reason in checked["reasons"]] == ["recoup-outcome-pending"]


def test_a_released_place_can_be_held_again(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    path = f"/v1/reservations/{held['reservation_id']}/release"
    done = api.post(path, MERCHANT | {"reason": "the invoice was changed"})
    assert (done["state"], done["reason"]) == ("released", "the invoice was changed")
    assert api.post(path, MERCHANT)["state"] == "released"
    assert api.reserve(failed)["reservation"]["state"] == "held"


def test_a_reservation_is_spent_by_one_attempt_only(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    path = f"/v1/reservations/{held['reservation_id']}/settle"
    made = {"attempt_id": "att_2", "attempted_at": api.clock.now.isoformat(), "outcome": "unknown"}
    api.post(path, MERCHANT | {"attempt": made})
    known = made | {"outcome": "approved"}
    assert api.post(path, MERCHANT | {"attempt": known})["reservation"]["state"] == "spent"
    assert api.post("/v1/decisions", failed)["action"]["reason"] == "already_paid"
    problem = api.post(path, MERCHANT | {"attempt": made | {"attempt_id": "att_3"}}, 409)
    assert problem["detail"].endswith("was spent by attempt att_2, not by att_3")


def test_a_debit_that_came_back_counts_as_a_decline_again(api: Api) -> None:
    told = report("e1", "dd_1", START - timedelta(days=3), outcome="approved")
    told["attempt"]["method"] = {"method_id": "pm_dd", "rail": "bank_debit", "network": "sepa_core"}
    back = {
        "merchant_id": "acme", "event_id": "e2", "attempt_id": "dd_1", "kind": "reversed",
        "told_at": START.isoformat(), "returned": {"processor": "northgate", "network": "sepa_core", "code": "AM04"},
    }  # fmt: skip
    assert api.post("/v1/attempts", [back, told])["new"] == 2
    gone = {
        "merchant_id": "acme",
        "event_id": "e3",
        "attempt_id": "dd_1",
        "kind": "withdrawn",
        "told_at": "2026-11-23T10:00:00Z",
    }
    assert api.post("/v1/attempts", gone)["new"] == 1
    assert api.get("/v1/methods/pm_dd/budgets?merchant_id=acme", 404)["type"] == "urn:recoup:problem:unknown-id"


def test_nothing_of_one_merchant_is_seen_by_another(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    path = f"/v1/reservations/{held['reservation_id']}"
    api.get(f"{path}?merchant_id=other", 404)
    for verb in ("check", "release"):
        api.post(f"{path}/{verb}", {"merchant_id": "other"}, 404)
    api.get("/v1/methods/pm_1/budgets?merchant_id=other", 404)


def refused(change: Callable[[Document], object]) -> Document:
    told = report("e1", "att_9", START)
    change(told)
    return told


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (refused(lambda d: d.pop("event_id")), "event_id: is missing; expected a value: the source's own id"),
        (refused(lambda d: d.pop("attempt")), "attempt: is missing; expected an object, because the kind is reported"),
        (refused(lambda d: d["attempt"].update(outcome="failed")), "attempt.outcome: 'failed' is not accepted"),
        (refused(lambda d: d["attempt"].update(attempted_at="2026-11-24T00:00:00Z")), "attempt.attempted_at: "),
        (refused(lambda d: d["attempt"].update(outcome_at="2026-11-01T00:00:00Z")), "attempt.outcome_at: "),
        (refused(lambda d: d.update(kind="withdrawn")), "attempt: 'an object' is not accepted; expected nothing"),
        (refused(lambda d: d.update(kind="corrected")), "told_at: is missing; expected an instant"),
        (refused(lambda d: d.update(told_at="2026-11-23T00:00:00Z")), "told_at: "),
        (refused(lambda d: d.update(reservation_id="rsv_none")), "reservation_id: 'rsv_none' is not accepted"),
        (refused(lambda d: d.update(atempt_id=1)), "atempt_id: 1 is not accepted"),
        (refused(lambda d: d["attempt"].update(code="4242 4242 4242 4242")), "attempt.code: the value looks like"),
        ([], "body: 'a list of 0' is not accepted; expected an object or a list of 1 to 1000"),
        ([past(1)[0], refused(lambda d: d.pop("attempt_id"))], "[1].attempt_id: is missing"),
        ([past(1)[0], refused(lambda d: d.pop("attempt"))], "[1].attempt: is missing"),
    ],
)  # fmt: skip
def test_a_wrong_report_is_refused_in_one_sentence_and_nothing_is_recorded(api: Api, body: object, detail: str) -> None:
    problem = api.post("/v1/attempts", body, 422)
    assert problem["detail"].startswith(detail)
    assert "4242" not in problem["detail"]
    api.get("/v1/methods/pm_1/budgets?merchant_id=acme", 404)


@pytest.mark.parametrize(
    ("path", "body", "status", "detail"),
    [
        ("/v1/payments/inv_1/events", event("consent_withdrawn"), 422, "method_id: is missing; expected the method"),
        ("/v1/payments/inv_1/events", event("payment_paid", method_id="pm"), 422, "method_id: 'pm' is not accepted"),
        ("/v1/payments/inv_1/events", event("payed"), 422, "kind: 'payed' is not accepted; expected one of"),
        ("/v1/payments/4242424242424242/events", event("payment_paid"), 422, "payment_id: the value looks like"),
        ("/v1/reservations/rsv_1/check", MERCHANT, 404, "reservation_id: 'rsv_1' is not accepted"),
        ("/v1/reservations/rsv_1/release", MERCHANT, 404, "reservation_id: 'rsv_1' is not accepted"),
        ("/v1/reservations/rsv_1/check", {}, 422, "merchant_id: is missing"),
        ("/v1/reservations/rsv_1/settle", MERCHANT, 422, "attempt: is missing"),
    ],
)
def test_what_is_told_wrongly_is_refused_in_one_sentence(
    api: Api, path: str, body: Document, status: int, detail: str
) -> None:
    assert api.post(path, body, status)["detail"].startswith(detail)


def test_a_missing_merchant_is_asked_for(api: Api) -> None:
    problem = api.get("/v1/methods/pm_1/budgets", 422)
    assert problem["detail"].startswith("merchant_id: is missing")


def test_a_place_is_held_as_of_now_only(api: Api, document: Document) -> None:
    problem = api.post("/v1/decisions", document | {"reserve": True}, 422)
    assert problem["detail"].startswith("as_of: ")


def test_without_a_ledger_nothing_is_reserved(settings: Settings, service: Service, failed: Document) -> None:
    alone = Api(create_app(settings, service=service, clock=Clock()), Clock())
    problem = alone.post("/v1/decisions", failed | {"reserve": True}, 503)
    assert problem["type"] == "urn:recoup:problem:ledger-unavailable"
    assert alone.get("/ready")["ledger"] == {"state": "none", "database": None, "version": None}


def test_a_ledger_that_is_away_refuses_every_decision_and_is_not_ready(
    api: Api, settings: Settings, failed: Document
) -> None:
    assert api.get("/ready")["ledger"] == {"state": "ready", "database": "sqlite", "version": len(migrations("sqlite"))}
    with closing(store_at(settings.database)) as store, store.writing() as transaction:
        transaction.script("ALTER TABLE attempt RENAME TO gone;\nALTER TABLE migration RENAME TO gone_too;\n")
    for asked in (failed, failed | {"reserve": True}):
        response = api.send("POST", "/v1/decisions", asked)
        assert response.headers["retry-after"] == "5"
        problem = parsed(response, 503)
        assert problem["type"] == "urn:recoup:problem:ledger-unavailable"
        assert "\n" not in problem["detail"]
    told = api.get("/ready", 503)
    assert (told["status"], told["ledger"]["state"]) == ("not_ready", "other_version")

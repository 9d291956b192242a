"""Decisions that hold a place: races for the last one, and what is refused; a ledger that is absent or away."""

from contextlib import closing
from datetime import timedelta

from api_builders import START, Api, Clock, Document, of_payment, parsed, past, report, visa_cap
from serving.app import create_app
from serving.ledger.migrate import migrations
from serving.ledger.opening import store_at
from serving.service import Service
from serving.settings import Settings


def test_without_reserve_an_answer_is_that_of_a_service_without_a_ledger(
    api: Api, settings: Settings, service: Service, document: Document
) -> None:
    alone = Api(create_app(settings, service=service, clock=api.clock), api.clock)
    with_ledger, without = (a.send("POST", "/v1/decisions", document) for a in (api, alone))
    assert with_ledger.status_code == 200
    assert with_ledger.content == without.content
    assert b"reservation" not in without.content


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
    assert api.get("/ready")["ledger"] == {
        "state": "ready",
        "database": "sqlite",
        "version": migrations("sqlite")[-1].version,
    }
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


def listed(report: Document, **more: object) -> Document:
    """An attempt as a question lists it that leaves out what has a default."""
    made = report["attempt"]
    code = {"code": made["code"]} if "code" in made else {}
    return {
        "attempt_id": report["attempt_id"],
        "method_id": "pm_1",
        "processor": made["processor"],
        "attempted_at": made["attempted_at"],
        "outcome_at": (START - timedelta(minutes=30)).isoformat(),  # told later than all others tell it
        "outcome": made["outcome"],
        **code,
        **more,
    }


def test_a_question_that_lists_attempts_of_another_payment_moves_no_counter(api: Api, failed: Document) -> None:
    made = past(16, payment="inv_a")
    for one in made[:8]:
        one["attempt"]["initiator"] = "customer"
    api.post("/v1/attempts", made)
    before = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
    question = of_payment(failed, "inv_b")
    question["payment"]["amount_minor"] = 3000
    question["attempts"] += [listed(one, payment_id="inv_a") for one in made]
    api.post("/v1/decisions", question | {"reserve": True})
    after = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
    assert [one for one in after if one["payment_id"] == "inv_a"] == before


def test_a_paid_payment_stays_paid_when_its_attempt_is_listed_for_another(api: Api, failed: Document) -> None:
    paying = report("e1", "paying", START - timedelta(hours=3), payment="inv_a", outcome="approved")
    api.post("/v1/attempts", paying)
    other = of_payment(failed, "inv_b")
    other["attempts"].append(listed(paying))
    api.post("/v1/decisions", other | {"reserve": True})
    answer = api.post("/v1/decisions", of_payment(failed, "inv_a") | {"reserve": True})
    assert answer["action"]["reason"] == "already_paid"

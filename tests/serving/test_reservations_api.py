"""Reservations over HTTP: the whole loop, the check before charging, settling, releasing."""

from datetime import datetime, timedelta

import pytest

from api_builders import MERCHANT, START, Api, Document, codes, event, report, used, visa_cap


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


def test_nothing_of_one_merchant_is_seen_by_another(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    path = f"/v1/reservations/{held['reservation_id']}"
    api.get(f"{path}?merchant_id=other", 404)
    for verb in ("check", "release"):
        api.post(f"{path}/{verb}", {"merchant_id": "other"}, 404)
    api.get("/v1/methods/pm_1/budgets?merchant_id=other", 404)

"""Stops and opt-outs over HTTP: answers become holds or stops with the reason, and counting goes on."""

from contextlib import closing
from datetime import datetime, timedelta

import pytest

from api_builders import MERCHANT, START, Api, Document, codes, event, past, report, used
from serving.ledger.advice import EVERYBODY, AdviceEvent, Word, tell_advice
from serving.ledger.opening import store_at
from serving.settings import Settings

OPT_OUT = event("payment_opted_out", "o1", reason="the customer asked us to wait")
EVENTS = "/v1/payments/inv_1/events"


def stop(api: Api, whose: str | None = "acme") -> Document:
    named = {} if whose is None else {"merchant_id": whose}
    return api.post("/v1/admin/stop", named | {"reason": "see INC-7"})


@pytest.mark.parametrize("whose", ["acme", None], ids=["one merchant", "all merchants"])
def test_a_stop_makes_every_decision_a_hold_with_the_reason_until_it_is_lifted(
    api: Api, failed: Document, whose: str | None
) -> None:
    assert api.post("/v1/decisions", failed)["action"]["kind"] == "retry"
    stop(api, whose)
    answer = api.reserve(failed)
    assert answer["action"]["kind"] == "hold"
    assert answer["action"]["reason"] == "on_hold"
    assert answer["reservation"] is None
    assert any("see INC-7" in reason["sentence"] for reason in answer["reasons"])
    api.clock.now += timedelta(minutes=1)
    named = {} if whose is None else {"merchant_id": whose}
    assert api.post("/v1/admin/resume", named | {"reason": "mended"}) == {"stops": [], "warnings": []}
    assert api.reserve(failed)["reservation"]["state"] == "held"


def test_a_stop_of_another_merchant_changes_nothing(api: Api, failed: Document) -> None:
    assert [one["merchant_id"] for one in stop(api, "other")["stops"]] == ["other"]
    assert api.post("/v1/decisions", failed)["action"]["kind"] == "retry"
    assert api.get("/v1/admin/stops?merchant_id=acme") == {"stops": [], "warnings": []}


def test_a_stop_of_a_merchant_that_nobody_knows_is_kept_with_a_warning(api: Api, failed: Document) -> None:
    answer = stop(api, "acne")
    (warning,) = answer["warnings"]
    assert [one["merchant_id"] for one in answer["stops"]] == ["acne"]
    assert "merchant acne" in warning
    assert "misspelt" in warning
    api.reserve(failed)
    assert stop(api)["warnings"] == []
    assert stop(api, None)["warnings"] == []


def test_a_merchant_is_known_once_an_attempt_of_it_was_told(api: Api, failed: Document) -> None:
    assert stop(api)["warnings"] != []
    api.post("/v1/attempts", past(1))
    assert stop(api)["warnings"] == []


def test_a_stop_for_all_and_one_for_a_merchant_are_lifted_each_for_itself(api: Api, failed: Document) -> None:
    stop(api, None)
    stop(api, "acme")
    api.clock.now += timedelta(minutes=1)
    (left,) = api.post("/v1/admin/resume", {"reason": "mended"})["stops"]
    assert left["merchant_id"] == "acme"
    assert api.post("/v1/decisions", failed)["action"]["kind"] == "hold"


def test_what_was_held_before_a_stop_turns_no_go_and_counting_goes_on(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    path = f"/v1/reservations/{held['reservation_id']}"
    stop(api)
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    assert codes(api.post(f"{path}/check", MERCHANT)) == {"on_hold"}
    before = used(api)
    api.post("/v1/attempts", report("e1", "by_hand", api.clock.now - timedelta(minutes=1)))
    assert used(api) == before + 1
    made = {"attempt_id": "att_2", "attempted_at": api.clock.now.isoformat(), "outcome": "declined", "code": "51"}
    assert api.post(f"{path}/settle", MERCHANT | {"attempt": made})["reservation"]["state"] == "spent"


def test_limits_are_told_during_a_stop_as_before_it(api: Api, failed: Document) -> None:
    api.post("/v1/attempts", past(3))
    before = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")
    stop(api)
    assert api.get("/v1/methods/pm_1/budgets?merchant_id=acme") == before


def test_no_retries_are_advised_for_a_payment_that_opted_out_and_others_go_on(api: Api, failed: Document) -> None:
    assert api.post(EVENTS, OPT_OUT) == {"event_id": "o1", "recorded": "new"}
    assert api.post(EVENTS, OPT_OUT) == {"event_id": "o1", "recorded": "repeated"}
    answer = api.reserve(failed)
    assert (answer["action"]["kind"], answer["action"]["reason"]) == ("stop", "opted_out")
    assert any("the customer asked us to wait" in reason["sentence"] for reason in answer["reasons"])
    other = failed | {"payment": failed["payment"] | {"payment_id": "inv_2"}}
    assert api.post("/v1/decisions", other)["action"]["kind"] == "retry"
    back = event("payment_opted_in", "o2") | {"happened_at": "2026-11-23T10:11:00Z"}
    api.post(EVENTS, back)
    assert api.post("/v1/decisions", failed)["action"]["kind"] == "retry"


def test_a_check_says_that_the_payment_opted_out_meanwhile(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    api.post(EVENTS, OPT_OUT)
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    assert codes(api.post(f"/v1/reservations/{held['reservation_id']}/check", MERCHANT)) == {"opted_out"}


def test_what_is_final_is_told_before_a_stop(api: Api, failed: Document) -> None:
    stop(api)
    api.post(EVENTS, OPT_OUT)
    assert api.post("/v1/decisions", failed)["action"]["reason"] == "opted_out"
    api.post(EVENTS, event("payment_paid"))
    assert api.post("/v1/decisions", failed)["action"]["reason"] == "already_paid"


@pytest.mark.parametrize(("change", "field"), [
    ({"method_id": "pm_1"}, "method_id"),
    ({"fix": "details"}, "fix"),
    ({"happened_at": "2026-11-24T10:15:00Z"}, "happened_at"),
    ({"kind": "payment_paid"}, "reason"),
    ({"reason": "4242 4242 4242 4242"}, "reason"),
])  # fmt: skip
def test_an_opt_out_that_contradicts_itself_is_refused(api: Api, change: Document, field: str) -> None:
    told = api.post(EVENTS, OPT_OUT | change, 422)
    assert [fault["field"] for fault in told["errors"]] == [field]
    assert "4242" not in str(told)


def test_the_id_of_an_opt_out_stands_for_nothing_else(api: Api) -> None:
    api.post(EVENTS, OPT_OUT)
    assert api.post("/v1/payments/inv_2/events", OPT_OUT, 409)["type"].endswith("conflict")


def test_whatever_order_words_come_in_the_latest_stands_and_of_two_at_once_the_stop(
    api: Api, failed: Document, settings: Settings
) -> None:
    words = [(Word.RESUMED, 2), (Word.STOPPED, 1), (Word.RESUMED, 3), (Word.STOPPED, 3)]
    for number, (word, minute) in enumerate(words):
        at = START + timedelta(minutes=minute)
        with closing(store_at(settings.database)) as store:
            tell_advice(store, AdviceEvent(EVERYBODY, f"w{number}", word, at, "why"), START)
        kind = api.post("/v1/decisions", failed)["action"]["kind"]
        assert kind == ("hold" if number == 3 else "retry")

"""Attempts and events told over HTTP: counted once, refused in a sentence, and seen by what is decided and left."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api_builders import MERCHANT, START, Api, Clock, Document, event, past, report, visa_cap
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.service import load_service
from serving.settings import Settings


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


@pytest.mark.parametrize("other", [{"payment": "inv_2"}, {"method": "pm_2"}])
@pytest.mark.parametrize("together", [True, False])
def test_the_id_of_an_attempt_cannot_be_that_of_another(api: Api, other: dict[str, str], *, together: bool) -> None:
    first = report("e1", "att_1", START - timedelta(days=2))
    second = report("e2", "att_1", START - timedelta(days=1), **other)
    if not together:
        api.post("/v1/attempts", first)
    problem = api.post("/v1/attempts", [first, second], 409)
    assert problem["type"] == "urn:recoup:problem:conflict"
    assert problem["errors"] == [
        {
            "field": "[1].attempt_id",
            "value": "att_1",
            "expected": "an id of its own: this one is of an attempt on payment inv_1 with method pm_1",
        }
    ]
    tried = api.send("GET", "/v1/methods/pm_1/attempts?merchant_id=acme")
    assert (
        (tried.status_code == 404) if together else [one["payment_id"] for one in tried.json()["attempts"]] == ["inv_1"]
    )


def test_a_correction_may_say_that_the_payment_was_another_one(api: Api) -> None:
    told = report("e1", "att_1", START - timedelta(days=2))
    api.post("/v1/attempts", told)
    right = report("e2", "att_1", START - timedelta(days=2), payment="inv_2")
    right |= {"kind": "corrected", "told_at": START.isoformat()}
    assert api.post("/v1/attempts", right)["new"] == 1
    assert api.post("/v1/attempts", told)["repeated"] == 1, "told again after it was corrected"
    (one,) = api.get("/v1/methods/pm_1/attempts?merchant_id=acme")["attempts"]
    assert one["payment_id"] == "inv_2"


def test_budgets_go_down_by_one_with_each_attempt(api: Api) -> None:
    def left() -> int:
        (one,) = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
        return int(visa_cap(one["limits"])["left"])

    seen = []
    for told in past(3):
        api.post("/v1/attempts", told)
        seen.append(left())
    assert seen == [seen[0], seen[0] - 1, seen[0] - 2]


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


def wrong_data(count: int) -> list[Document]:
    """Declines of an expired card, on as many cards."""
    made = [
        report(f"w{i}", f"w_{i}", START - timedelta(hours=2), payment=f"inv_w{i}", method=f"w{i}") for i in range(count)
    ]
    for one in made:
        one["attempt"]["code"] = "54"
    return made


def test_what_the_merchant_sends_altogether_stands_in_decisions_and_budgets(api: Api, failed: Document) -> None:
    rule = "visa-cat3-data-quality-volume"

    def said(limits: list[Document]) -> list[str]:
        return [limit["sentence"] for limit in limits if limit["rule_id"] == rule]

    assert said(api.post("/v1/decisions", failed)["limits"]) == []
    api.post("/v1/attempts", [*wrong_data(4), *past(1)])
    (one,) = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
    for limits in (one["limits"], api.post("/v1/decisions", failed)["limits"]):
        (sentence,) = said(limits)
        assert sentence.endswith("from the 10,001th on; 4 so far.")


def test_a_volume_that_a_merchant_made_binding_stops_decisions(settings: Settings, failed: Document) -> None:
    rules = settings.home / "rules.toml"
    rules.write_text("[tighten.visa-cat3-data-quality-volume]\nlimit = 3\nbinding = true\n")
    strict = load_service(replace(settings, rulebook=rules, tracking_uri=f"sqlite:///{settings.home}/none.db"))
    with closing(open_ledger(settings, strict.rulebook)) as ledger:
        app = create_app(settings, service=strict, ledger=ledger, clock=Clock())
        api = Api(app, Clock())
        assert api.post("/v1/decisions", failed)["action"]["kind"] == "retry"
        api.post("/v1/attempts", wrong_data(3))
        for asked in (failed, failed | {"reserve": True}):
            assert api.post("/v1/decisions", asked)["action"]["reason"] == "no_allowed_action"


def stopped_debit() -> Document:
    """A debit that its payer stopped; nothing may follow without a new authorization."""
    told = report("e1", "dd_1", START - timedelta(days=3))
    told["attempt"] |= {"code": "R08", "currency": "USD", "merchant_country": "US"}
    told["attempt"]["method"] = {"method_id": "pm_dd", "rail": "bank_debit", "network": "ach", "mandate_id": "m1"}
    return told


@pytest.mark.parametrize(
    ("fix", "payment", "lifted"),
    [("authorization", "inv_1", True), ("authorization", "inv_2", False), (None, "inv_1", False)],
)
def test_what_was_mended_lifts_what_it_mends(api: Api, fix: str | None, payment: str, *, lifted: bool) -> None:
    api.post("/v1/attempts", stopped_debit())

    def forbids() -> bool:
        (one,) = api.get("/v1/methods/pm_dd/budgets?merchant_id=acme")["budgets"]
        (limit,) = (limit for limit in one["limits"] if limit["rule_id"] == "nacha-r08-stop-payment")
        return not limit["allowed"]

    assert forbids()
    told = event("method_fixed", method_id="pm_dd") | ({"fix": fix} if fix else {})
    for word in ("new", "repeated"):
        assert api.post(f"/v1/payments/{payment}/events", told)["recorded"] == word
    assert forbids() is not lifted


def test_a_card_whose_details_were_renewed_is_tried_again(api: Api, failed: Document) -> None:
    failed["methods"][0] |= {"network": "mastercard", "method_id": "pm_mc"}
    failed["attempts"][0] |= {"code": "54", "method_id": "pm_mc"}
    stop = api.post("/v1/decisions", failed)
    assert stop["action"]["kind"] == "stop"
    assert "recoup-after-fix" in {limit["rule_id"] for limit in stop["limits"]}
    api.post("/v1/payments/inv_1/events", event("method_fixed", method_id="pm_mc"))
    held = api.reserve(failed)
    assert held["action"]["kind"] == "retry"
    api.clock.now = datetime.fromisoformat(held["reservation"]["fire_from"])
    assert api.post(f"/v1/reservations/{held['reservation']['reservation_id']}/check", MERCHANT)["go"] is True


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
        ("/v1/payments/inv_1/events", event("payment_paid", fix="details"), 422, "fix: 'details' is not accepted"),
        ("/v1/payments/inv_1/events", event("method_fixed", method_id="pm", fix="luck"), 422, "fix: 'luck' is not"),
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

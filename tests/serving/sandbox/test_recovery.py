"""A whole recovery of 60 days over HTTP, by the same decisions, limits and ledger as live ones."""

from datetime import datetime, timedelta

from api_builders import Document, parsed
from sandbox_builders import BEGIN, NO_FUNDS, Sandboxed, a_failure, always, begin, recovery, types, with_attempt

APPROVED = {"outcome": "approved"}
_OF_THE_MOMENT = ("reservation",)  # its id is drawn, so that it differs


def decided(answer: Document) -> Document:
    return {name: value for name, value in answer.items() if name not in _OF_THE_MOMENT}


def test_sixty_days_end_with_the_payment_recovered_and_one_end_told(service_with_sandboxes: Sandboxed) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api, always(NO_FUNDS, NO_FUNDS, APPROVED))
    decisions, attempts = recovery(api, a_failure())
    assert [attempt["outcome"] for attempt in attempts] == ["declined", "declined", "approved"]
    for decision, attempt in zip(decisions, attempts, strict=True):
        window = decision["action"]["window"]
        assert window["start"] <= attempt["attempted_at"] < window["end"]
    assert types(api) == ["retry.scheduled"] * 3 + ["recovery.recovered"]
    told = api.get("/v1/payments/inv_1")["entries"]
    assert [one["word"] for one in told if one["entry"] == "attempt"] == ["declined"] * 3 + ["approved"]


def test_a_recovery_that_never_succeeds_ends_by_itself_within_its_sixty_days(service_with_sandboxes: Sandboxed) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api, always(NO_FUNDS))
    decisions, attempts = recovery(api, a_failure())
    assert decisions[-1]["action"]["kind"] == "stop"
    last = datetime.fromisoformat(attempts[-1]["attempted_at"])
    assert last < datetime.fromisoformat(BEGIN) + timedelta(days=60)
    assert [one for one in types(api) if one.startswith("recovery.") and one != "recovery.action_needed"] == [
        "recovery.exhausted"
    ]


def test_the_live_service_decides_the_same_at_the_same_instants(service_with_sandboxes: Sandboxed) -> None:
    sandbox, live = service_with_sandboxes.sandbox(), service_with_sandboxes.live()
    begin(sandbox, always(NO_FUNDS, NO_FUNDS, APPROVED))
    decisions, attempts = recovery(sandbox, a_failure())
    document = a_failure()
    service_with_sandboxes.clock.now = datetime.fromisoformat(BEGIN)
    for decision, attempt in zip(decisions, attempts, strict=True):
        answer = live.reserve(document)
        assert decided(answer) == decided(decision)
        service_with_sandboxes.clock.now = datetime.fromisoformat(attempt["attempted_at"])
        address = f"/v1/reservations/{answer['reservation']['reservation_id']}"
        assert live.post(f"{address}/check", {"merchant_id": "acme"})["go"]
        made = {k: v for k, v in attempt.items() if v is not None and k != "method_id"}
        live.post(f"{address}/settle", {"merchant_id": "acme", "attempt": made})
        document = with_attempt(document, attempt)


def test_nobody_asks_again_and_the_clock_alone_ends_the_hold_and_the_recovery(
    service_with_sandboxes: Sandboxed,
) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api)
    held = api.reserve(a_failure())["reservation"]
    moved = api.put("/v1/sandbox/clock", {"now": "2027-01-23T09:00:00Z"})
    assert (moved["holds_ended"], moved["recoveries_ended"]) == (1, 1)
    assert api.get(f"/v1/reservations/{held['reservation_id']}")["state"] == "expired"
    (last,) = parsed(api.send("GET", "/v1/sandbox/events"), 200)["events"][1:]
    assert (last["type"], last["data"]["reason"]) == ("recovery.exhausted", "recovery_window_over")


def test_caps_hold_in_a_sandbox_as_they_do_live(service_with_sandboxes: Sandboxed) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api, always({"outcome": "declined", "code": "43"}))
    api.reserve(a_failure())
    done = api.post("/v1/sandbox/payments/inv_1/attempt", {"advance": True})
    after = api.reserve(with_attempt(a_failure(), done["attempt"]))
    assert after["action"]["kind"] == "stop"
    assert any(not limit["allowed"] for limit in after["limits"])


def test_before_its_window_an_attempt_is_not_made(service_with_sandboxes: Sandboxed) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api)
    reservation = api.reserve(a_failure())["reservation"]
    address = f"/v1/sandbox/reservations/{reservation['reservation_id']}/attempt"
    early = api.post(address, {})
    assert (early["attempt"], early["settled"]) == (None, None)
    assert [reason["code"] for reason in early["check"]["reasons"]] == ["too_early"]
    made = api.post(address, {"advance": True})
    assert made["attempt"]["outcome"] == "approved"
    assert made["settled"]["reservation"]["state"] == "spent"
    again = api.post(address, {})
    assert again["attempt"] is None
    assert "not_held" in [reason["code"] for reason in again["check"]["reasons"]]


def test_a_payment_without_a_hold_cannot_be_attempted(service_with_sandboxes: Sandboxed) -> None:
    api = service_with_sandboxes.sandbox()
    refused = api.post("/v1/sandbox/payments/inv_9/attempt", {}, 404)
    assert "decide with reserve" in refused["detail"]

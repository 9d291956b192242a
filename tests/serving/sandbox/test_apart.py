"""What happens in a sandbox stays there: nothing of it is seen, counted or told anywhere else."""

from pathlib import Path

from api_builders import Api, Clock, parsed
from sandbox_builders import BEGIN, NO_FUNDS, Sandboxed, a_failure, always, begin, recovery, types
from serving.app import create_app
from serving.ledger.ledger import Ledger
from serving.metrics import Metrics
from serving.sandbox.uncounted import Uncounted
from serving.service import Service
from serving.settings import Settings


def held_and_attempted(ledger: Ledger) -> list[object]:
    with ledger.store.reading() as transaction:
        return [*transaction.ask(("counts", {}), ("reservation_counts", {}), ("event_out_counts", {}))]


def test_live_ledger_live_metrics_and_other_sandboxes_know_nothing_of_it(service_with_sandboxes: Sandboxed) -> None:
    before = held_and_attempted(service_with_sandboxes.ledger)
    api = service_with_sandboxes.sandbox()
    begin(api, always(NO_FUNDS, {"outcome": "approved"}))
    recovery(api, a_failure())
    assert held_and_attempted(service_with_sandboxes.ledger) == before
    assert service_with_sandboxes.live().get("/v1/payments") == {"payments": [], "has_more": False, "next_cursor": None}
    assert service_with_sandboxes.sandbox("other").get("/v1/payments")["payments"] == []
    assert types(service_with_sandboxes.sandbox("other")) == []
    assert [one["payment_id"] for one in api.get("/v1/payments")["payments"]] == ["inv_1"]


def test_every_count_of_the_metrics_is_left_out() -> None:
    counts = {name for name, one in vars(Metrics).items() if callable(one) and not name.startswith("_")} - {"text"}
    assert counts == {name for name in vars(Uncounted) if not name.startswith("_")}


def test_what_is_live_is_not_seen_in_the_sandbox_and_the_same_ids_may_stand_in_both(
    service_with_sandboxes: Sandboxed,
) -> None:
    service_with_sandboxes.live().reserve(a_failure())
    api = service_with_sandboxes.sandbox()
    begin(api)
    assert api.get("/v1/payments")["payments"] == []
    assert api.reserve(a_failure())["reservation"]["payment_id"] == "inv_1"


def test_a_stop_in_the_sandbox_stops_nothing_live(service_with_sandboxes: Sandboxed) -> None:
    api, live = service_with_sandboxes.sandbox(), service_with_sandboxes.live()
    api.post("/v1/admin/stop", {"merchant_id": "acme", "reason": "a test"})
    assert api.reserve(a_failure())["action"]["reason"] == "on_hold"
    assert live.reserve(a_failure())["action"]["kind"] == "retry"


ADDRESSES = (
    ("GET", "/v1/sandbox"),
    ("DELETE", "/v1/sandbox"),
    ("PUT", "/v1/sandbox/clock"),
    ("PUT", "/v1/sandbox/answers"),
    ("POST", "/v1/sandbox/payments/inv_1/attempt"),
    ("POST", "/v1/sandbox/reservations/rsv_1/attempt"),
    ("GET", "/v1/sandbox/events"),
)


def test_a_live_key_reaches_no_address_of_a_sandbox_and_no_key_none_at_all(service_with_sandboxes: Sandboxed) -> None:
    live = service_with_sandboxes.live()
    for method, path in ADDRESSES:
        body: object = None if method in {"GET", "DELETE"} else {}
        assert "recoup keys create --sandbox" in parsed(live.send(method, path, body), 403)["detail"]
        assert Api(live.app, live.clock).send(method, path, body).status_code == 401


def test_a_sandbox_key_names_its_own_merchant_or_is_refused(service_with_sandboxes: Sandboxed) -> None:
    api = service_with_sandboxes.sandbox()
    assert api.post("/v1/decisions", a_failure(merchant_id="other"), 403)["errors"][0]["value"] == "other"
    assert api.send("GET", "/v1/payments?merchant_id=other").status_code == 403


def test_wiping_removes_what_was_in_it_and_leaves_a_sandbox_that_works(
    service_with_sandboxes: Sandboxed, settings: Settings
) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api)
    held = api.under("k1").reserve(a_failure())["reservation"]["reservation_id"]
    files = set((settings.home / "sandbox").iterdir())
    wiped = parsed(api.send("DELETE", "/v1/sandbox"), 200)
    assert wiped["generation"] == 3
    assert wiped["now"] == service_with_sandboxes.clock.now.isoformat().replace("+00:00", "Z")
    assert not files & set((settings.home / "sandbox").iterdir())
    assert api.send("GET", f"/v1/reservations/{held}").status_code == 404
    assert (types(api), api.get("/v1/sandbox")["rules"]) == ([], [])
    api.put("/v1/sandbox/clock", {"now": "2026-11-24T09:00:00Z"})
    other = api.under("k1").reserve(a_failure())["reservation"]["reservation_id"]
    assert service_with_sandboxes.sandbox().get(f"/v1/reservations/{other}")["state"] == "held"


def test_several_workers_agree_on_clock_answers_and_generation(
    service_with_sandboxes: Sandboxed, settings: Settings, service: Service, tmp_path: Path
) -> None:
    ledger = Ledger.opened(settings.database, service.rulebook)
    other_app = create_app(settings, service=service, ledger=ledger, clock=Clock())
    here = service_with_sandboxes.sandbox()
    there = type(here)(other_app, Clock()).with_key(service_with_sandboxes.sandbox_keys["acme"])
    assert begin(here, always(NO_FUNDS)) == there.get("/v1/sandbox")
    there.reserve(a_failure())
    there.put("/v1/sandbox/clock", {"now": "2026-11-24T09:00:00Z"})
    assert here.get("/v1/sandbox")["now"] == "2026-11-24T09:00:00Z"
    assert here.post("/v1/sandbox/payments/inv_1/attempt", {"advance": True})["attempt"]["outcome"] == "declined"
    begin(here)
    assert there.get("/v1/payments")["payments"] == []
    other_app.state.sandboxes.close()
    ledger.close()


def test_the_clock_goes_forward_only_unless_the_sandbox_is_wiped(service_with_sandboxes: Sandboxed) -> None:
    api = service_with_sandboxes.sandbox()
    begin(api)
    api.reserve(a_failure())
    refused = api.put("/v1/sandbox/clock", {"now": "2026-11-23T08:59:59Z"}, 422)
    assert refused["errors"] == [
        {
            "field": "now",
            "value": "2026-11-23T08:59:59Z",
            "expected": f"an instant not before {BEGIN}, or reset true, which wipes the sandbox",
        }
    ]
    assert types(api) == ["retry.scheduled"]
    assert api.put("/v1/sandbox/clock", {"now": "2020-01-01T00:00:00Z", "reset": True})["now"] == "2020-01-01T00:00:00Z"
    assert types(api) == []

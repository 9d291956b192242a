"""Every address of the interface, asked with the wrong key, with too little of a key, and with none."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from api_builders import MERCHANT, START, Api, Document, event, report
from experiment_builders import a_definition
from report_builders import reports_at_once
from serving.app import create_app
from serving.examples import EXAMPLES
from serving.idempotency import ASKED_FOR_KEYS, REPLAYED
from serving.ledger_access import open_ledger
from serving.live_experiments import LiveExperiments
from serving.questions import only_reads
from serving.service import Service, prior_service
from serving.settings import Settings
from serving.tenancy.gate import PUBLIC, SIGNED, wanted_scope
from serving.tenancy.keys import EVERY_MERCHANT, Scope
from tenants import Tenants, tenants_of

Operation = tuple[str, str]

MADE = {
    "attempt_id": "att_2",
    "attempted_at": (START + timedelta(days=7)).isoformat(),
    "outcome": "declined",
    "code": "51",
}
BODIES: dict[str, Any] = {  # what acme may send; each is about acme and about nobody else
    "/v1/decisions": "the failed payment",
    "/v1/decisions/batch": "the failed payment, by itself",
    "/v1/decisions/{decision_id}/replay": None,
    "/v1/attempts": report("e1", "att_9", START),
    "/v1/payments/{payment_id}/events": event("payment_reopened"),
    "/v1/attempts/{attempt_id}/money-back": MERCHANT
    | {"event_id": "b1", "kind": "refund", "happened_at": START.isoformat()},
    "/v1/customers/{customer_id}/events": MERCHANT
    | {"event_id": "c1", "kind": "customer_left", "happened_at": START.isoformat()},
    "/v1/reservations/{reservation_id}/check": MERCHANT,
    "/v1/reservations/{reservation_id}/settle": MERCHANT | {"attempt": MADE},
    "/v1/reservations/{reservation_id}/release": MERCHANT,
    "/v1/admin/stop": MERCHANT | {"reason": "a test"},
    "/v1/admin/resume": MERCHANT | {"reason": "a test"},
}
OF_NOBODY = {"/v1/models", "/v1/rulebook", "/v1/declines/{processor}/{code}"}
IDS = {
    "key": "first",
    "customer_id": "cus_1",
    "attempt_id": "att_1",
    "payment_id": "inv_1",
    "processor": "stripe",
    "code": "insufficient_funds",
}


def operations() -> Iterator[Operation]:
    document: dict[str, Any] = create_app(Settings(), service=prior_service()).openapi()
    for path, methods in document["paths"].items():
        # What is of sandboxes takes keys of its own: tests/serving/sandbox asks it with others.
        if path not in PUBLIC and not path.startswith((*SIGNED, "/v1/sandbox")):
            yield from ((method.upper(), path) for method in methods)


OPERATIONS = sorted(operations())
OWNED = [one for one in OPERATIONS if one[1] not in OF_NOBODY]


def name(operation: Operation) -> str:
    return " ".join(operation)


class Asking:
    """Something of acme in the ledger, and every operation about it."""

    def __init__(self, tenants: Tenants) -> None:
        tenants.api.clock.now = START + timedelta(days=7)
        self.tenants = tenants
        self.failed: Document = orjson.loads(EXAMPLES[0].body)
        self.failed.pop("as_of", None)
        self.failed["payment"] |= {"payment_id": "inv_1", "merchant_id": "acme"}
        for attempt in self.failed["attempts"]:
            if attempt["outcome"] == "declined":
                attempt.pop("payment_id", None)
        decided = tenants.of("acme").reserve(self.failed)
        held = decided["reservation"]
        self.ids = IDS | {"reservation_id": held["reservation_id"], "method_id": held["method_id"]}
        self.ids["decision_id"] = decided["decision_id"]

    def send(self, api: Api, operation: Operation, *, named: bool = True) -> tuple[int, str]:
        method, path = operation
        bodiless = method == "GET" or BODIES[path] is None
        about = "?merchant_id=acme" if named and bodiless and path not in OF_NOBODY else ""
        many = path.endswith("/batch")
        body = BODIES[path] if method == "POST" else None
        if isinstance(body, str):
            body = [self.failed] if many else self.failed
        response = api.send(method, path.format(**self.ids) + about, body)
        if many and response.status_code == 200:
            (only,) = response.json()
            return only["status"], response.text
        return response.status_code, response.text

    def state(self) -> list[object]:
        stops = ("emergency_stops", {"merchant_id": "*"})
        with self.tenants.ledger.store.reading() as transaction:
            return [*transaction.ask(("counts", {}), ("reservation_counts", {}), stops)]


@pytest.fixture
def fresh(tenants: Tenants) -> Asking:
    return Asking(tenants)


@pytest.fixture(scope="module")
def asking(tmp_path_factory: pytest.TempPathFactory, service: Service) -> Iterator[Asking]:
    """For questions that change nothing, all of them one."""
    url = f"sqlite:///{tmp_path_factory.mktemp('asking')}/ledger.db?synchronous=normal"
    settings = Settings(database=url, log_format="json")
    service = replace(service, experiments=LiveExperiments((a_definition(),)))
    with closing(open_ledger(settings, service.rulebook)) as ledger:
        yield Asking(tenants_of(settings, service, ledger, reports_at_once(settings)))


def test_the_table_names_every_address_that_takes_a_body() -> None:
    assert set(BODIES) == {path for method, path in OPERATIONS if method == "POST"}


@pytest.mark.parametrize("operation", OWNED, ids=name)
def test_nothing_of_one_merchant_is_told_or_taken_under_the_key_of_another(
    asking: Asking, operation: Operation
) -> None:
    before = asking.state()
    status, text = asking.send(asking.tenants.of("other"), operation)
    assert status in {403, 404}, text
    assert '"errors":' in text
    assert asking.state() == before


@pytest.mark.parametrize("operation", [one for one in OWNED if one[0] == "GET"], ids=name)
def test_a_key_without_a_named_merchant_sees_its_own_and_nothing_else(asking: Asking, operation: Operation) -> None:
    status, text = asking.send(asking.tenants.of("other"), operation, named=False)
    assert status in {200, 404}
    if status == 200:
        assert "inv_1" not in text
        assert "acme" not in text
    status, own = asking.send(asking.tenants.of("acme"), operation, named=False)
    assert (status, own) == asking.send(asking.tenants.of("acme"), operation)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one[0] == "GET"], ids=name)
def test_the_merchants_own_key_and_an_operators_are_answered(asking: Asking, operation: Operation) -> None:
    for whose, scope in (("acme", Scope.ADMIN if "/admin/" in operation[1] else Scope.READ), ("", Scope.ADMIN)):
        status, text = asking.send(asking.tenants.of(whose, scope), operation)
        assert status == 200, text


def test_whatever_is_sent_under_the_merchants_own_key_or_an_operators_is_taken(fresh: Asking) -> None:
    for operation in [one for one in OPERATIONS if one[0] == "POST"]:
        for whose, scope in (("acme", Scope.ADMIN if "/admin/" in operation[1] else Scope.DECIDE), ("", Scope.ADMIN)):
            status, text = fresh.send(fresh.tenants.of(whose, scope), operation)
            assert status == 200, text


@pytest.mark.parametrize("operation", OPERATIONS, ids=name)
def test_without_a_key_and_with_too_little_of_one_nothing_is_answered(asking: Asking, operation: Operation) -> None:
    before = asking.state()
    assert asking.send(asking.tenants.api, operation)[0] == 401
    method, path = operation
    needed = Scope.ADMIN if "/admin/" in path else Scope.READ if method == "GET" else Scope.DECIDE
    for scope in Scope:
        if not scope.allows(needed):
            status, text = asking.send(asking.tenants.of("acme", scope), operation)
            assert (status, f"needs one of scope {needed}" in text) == (403, True)
    assert asking.state() == before


def test_every_post_under_an_idempotency_key_is_answered_once_and_the_same_again_unless_it_only_reads(
    fresh: Asking,
) -> None:
    for operation in [one for one in OPERATIONS if one[0] == "POST"]:
        under = fresh.tenants.of("acme").under(name(operation))
        first = fresh.send(under, operation)
        after = fresh.state()
        fresh.tenants.api.clock.now += timedelta(minutes=3)
        again = fresh.send(under, operation)
        assert again == first or only_reads(operation[1])
        assert fresh.state() == after


def test_what_tells_nothing_of_anybody_needs_no_key(tenants: Tenants) -> None:
    for path in ("/health", "/ready", "/openapi.json", "/docs"):
        assert tenants.api.send("GET", path).status_code == 200
    assert tenants.api.send("GET", "/v1/nothing/here").status_code == 401
    assert tenants.api.send("POST", "/webhooks/nobody", {}).status_code == 404


@pytest.mark.parametrize("path", sorted(PUBLIC | {"/metrics", "/webhooks/stripe", "/", "/elsewhere", "//v1/decisions"}))
def test_nobody_without_an_api_key_takes_an_idempotency_key(fresh: Asking, path: str) -> None:
    assert fresh.tenants.api.under("k1").send("POST", path, {}).status_code in {401, 404, 405}
    before = fresh.state()
    answer = (
        fresh.tenants.of(EVERY_MERCHANT).under("k1").send("POST", "/v1/payments/inv_1/events", event("payment_paid"))
    )
    assert (answer.status_code, REPLAYED in answer.headers) == (200, False)
    assert fresh.state() != before


def test_every_address_under_an_idempotency_key_is_one_that_asks_for_an_api_key() -> None:
    assert wanted_scope("POST", f"{ASKED_FOR_KEYS}anything") is not None
    assert not [path for path in PUBLIC if path.startswith(ASKED_FOR_KEYS)]


def test_a_report_of_another_merchant_among_ones_own_refuses_all(asking: Asking) -> None:
    before = asking.state()
    mixed = [report("m1", "att_m1", START), report("m2", "att_m2", START) | {"merchant_id": "other"}]
    told = asking.tenants.of("acme").post("/v1/attempts", mixed, 403)
    assert [fault["value"] for fault in told["errors"]] == ["other"]
    assert asking.state() == before


def test_only_an_operator_stops_all_merchants(fresh: Asking) -> None:
    acme, operator = fresh.tenants.of("acme"), fresh.tenants.of("")
    assert acme.post("/v1/admin/stop", {"reason": "ours"})["stops"][0]["merchant_id"] == "acme"
    assert fresh.tenants.of("other").get("/v1/admin/stops") == {"stops": [], "warnings": []}
    assert operator.post("/v1/admin/stop", {"reason": "all"})["stops"][0]["merchant_id"] is None
    assert [stop["merchant_id"] for stop in fresh.tenants.of("other").get("/v1/admin/stops")["stops"]] == [None]
    assert acme.post("/v1/admin/resume", {"reason": "ours"})["stops"][0]["reason"] == "all"

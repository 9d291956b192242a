"""What was kept and not read, and what waits for its attempt, is read later; what failed, when somebody asks."""

import asyncio
import io
import json
from datetime import timedelta

import pytest

from features.errors import InputError
from features.instants import to_micros
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.logs import service_log
from serving.service import Service
from serving.webhooks import deliveries
from serving.webhooks.deliveries import State
from serving.webhooks.endpoints import Endpoint, Endpoints
from serving.webhooks.receiving import receive
from serving.webhooks.retrying import read_again_and_again, read_due, read_failed
from webhook_builders import NOW, PENDING, Hooks, payload, posted, signed

MINUTE = timedelta(minutes=1)
RECURLY = Endpoints((Endpoint("recurly", "acme", ("x",), "USD"),))


def test_an_end_waits_for_its_attempt_and_is_told_then(hooks: Hooks) -> None:
    assert hooks.state(posted("gocardless/batch.json")) == "waiting"
    assert read_due(hooks.ledger, Endpoints(), NOW + MINUTE)[0].state is State.WAITING
    hooks.deliver(signed("generic", PENDING))
    assert hooks.attempt("PM000000000002").outcome == "unknown"
    (reading,) = read_due(hooks.ledger, Endpoints(), NOW + timedelta(hours=1))
    assert (reading.state, reading.events) == (State.APPLIED, 1)
    facts = hooks.attempt("PM000000000002")
    assert (facts.outcome, facts.precision) == ("approved", "instant")
    assert read_due(hooks.ledger, Endpoints(), NOW + timedelta(hours=9)) == ()


def test_an_event_that_cannot_be_read_does_not_end_the_waiting_of_another(hooks: Hooks) -> None:
    events = json.loads(payload("gocardless/batch.json"))["events"]
    del events[2]["links"]
    body = json.dumps({"events": events}).encode()
    assert hooks.state(signed("gocardless", body)) == "waiting"
    hooks.deliver(signed("generic", PENDING))
    assert read_due(hooks.ledger, Endpoints(), NOW + timedelta(hours=1))[0].state is State.FAILED
    assert hooks.attempt("PM000000000002").outcome == "approved"
    assert "links.mandate" in hooks.reasons()[0]


def test_what_waits_is_tried_ever_more_seldom_and_in_the_end_somebody_has_to_look(hooks: Hooks) -> None:
    hooks.deliver(posted("gocardless/batch.json"))
    tries = 0
    for minute in range(0, 31 * 24 * 60, 60):
        tries += len(read_due(hooks.ledger, Endpoints(), NOW + timedelta(minutes=minute)))
    assert 100 < tries < 300
    assert hooks.counts() == {"failed": 1}
    assert "PM000000000002" in hooks.reasons()[0]


def test_what_failed_is_read_again_once_its_cause_is_mended(hooks: Hooks) -> None:
    ledger = hooks.ledger
    without = Endpoint("recurly", "acme", ("x",), None)
    body = payload("recurly/failed_payment_notification.xml")
    assert receive(ledger, without, "", body, NOW).reading.state is State.FAILED
    assert "settings of this source" in hooks.reasons()[0]
    assert read_due(ledger, RECURLY, NOW + MINUTE) == ()
    (reading,) = read_failed(ledger, RECURLY, NOW + MINUTE)
    assert (reading.state, reading.events) == (State.APPLIED, 1)
    assert read_failed(ledger, RECURLY, NOW + 2 * MINUTE) == ()
    assert hooks.attempt("fake43c1d3a6f4a8287d0e2cc1d4c042").currency == "USD"


def test_many_failures_are_read_page_by_page_each_once(hooks: Hooks) -> None:
    endpoint = Endpoint("stripe", "acme", ("x",))
    for i in range(205):
        given = deliveries.delivery_of("acme", "stripe", "", f"not json {i}".encode(), to_micros(NOW))
        deliveries.keep(hooks.ledger.store, given)
    receive(hooks.ledger, endpoint, "", b"nor this", NOW)
    done = read_failed(hooks.ledger, Endpoints(), NOW + MINUTE)
    assert len(done) == 206
    assert {one.state for one in done} == {State.FAILED}


def test_a_ledger_that_goes_away_after_a_delivery_was_kept_loses_nothing(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise InputError("the ledger cannot be used: it is away")

    with monkeypatch.context() as patched:
        patched.setattr(Ledger, "record", away)
        assert hooks.state(posted("stripe/charge_failed.json")) == "stored"
    assert [one.state for one in read_due(hooks.ledger, Endpoints(), NOW)] == [State.APPLIED]
    assert hooks.attempt("ch_3NfakeFailed00000001").outcome == "declined"


def test_a_ledger_that_cannot_keep_it_has_the_sender_deliver_again(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise InputError("the ledger cannot be used: database or disk is full")

    with monkeypatch.context() as patched:
        patched.setattr(deliveries, "keep", full)
        answer = hooks.deliver(posted("stripe/charge_failed.json"), 503)
        assert answer.headers["retry-after"] == "5"
    assert hooks.state(posted("stripe/charge_failed.json")) == "applied"


def test_the_service_reads_again_turn_by_turn_and_goes_on_after_a_failure(hooks: Hooks, service: Service) -> None:
    hooks.deliver(posted("gocardless/batch.json"))
    hooks.deliver(signed("generic", PENDING))
    out, turns = io.StringIO(), 0
    hooks.api.clock.now = NOW + timedelta(hours=1)

    async def pause() -> None:
        nonlocal turns
        turns += 1
        if turns == 1:
            access.ledger = None
        if turns == 3:
            raise asyncio.CancelledError

    access = LedgerAccess(hooks.ledger, service.rulebook)
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(read_again_and_again(access, Endpoints(), service_log("json", out), hooks.api.clock, pause))
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["webhooks read again", *["webhooks were not read again"] * 2]
    assert hooks.attempt("PM000000000002").outcome == "approved"

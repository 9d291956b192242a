"""Deliveries as providers make them: who is believed, what is kept, and what becomes of it."""

import gzip
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from api_builders import parsed, report, visa_cap
from metric_readers import counted, read
from serving.webhooks import deliveries
from serving.webhooks.endpoints import Endpoint
from serving.webhooks.receiving import receive
from serving.webhooks.signatures import SOURCES
from serving.webhooks.telling import known_facts
from webhook_builders import NOW, SECRETS, Hooks, Post, names, payload, posted, signed

RECORDED = [name for source in SOURCES for name in names(source)]


def test_every_recorded_payload_is_taken_in_and_none_fails(hooks: Hooks) -> None:
    for name in RECORDED:
        hooks.deliver(posted(name))
    assert hooks.reasons() == []
    assert sum(hooks.counts().values()) == len(RECORDED)
    assert not any(one.marked for one in deliveries.counts(hooks.ledger.store))
    # Only what tells the end of an attempt that nobody has reported waits.
    assert hooks.counts()["waiting"] == 1


def test_a_declined_charge_counts_in_the_next_decision(hooks: Hooks) -> None:
    answer = hooks.deliver(posted("stripe/charge_failed.json"))
    assert answer.json() == {
        "delivery_id": answer.json()["delivery_id"],
        "received": "new",
        "state": "applied",
        "events": 1,
    }
    facts = hooks.attempt("ch_3NfakeFailed00000001")
    assert (facts.outcome, facts.category, facts.network) == ("declined", "insufficient_funds", "visa")
    again = payload("stripe/charge_failed.json").replace(b"Failed00000001", b"Failed00000002")
    hooks.deliver(signed("stripe", again.replace(b'"created": 17954289', b'"created": 17954299')))
    (budget,) = hooks.api.get("/v1/methods/pm_1NfakeMethod00000001/budgets?merchant_id=acme")["budgets"]
    assert visa_cap(budget["limits"])["used"] == 1  # one attempt after the first decline


def test_adyen_gets_the_answer_that_it_waits_for(hooks: Hooks) -> None:
    answer = hooks.deliver(posted("adyen/authorisation.json"))
    assert (answer.text, answer.headers["content-type"].split(";")[0]) == ("[accepted]", "text/plain")
    assert hooks.attempt("NC6HT9CRT65ZGN82").outcome == "approved"


def test_delivered_again_nothing_changes(hooks: Hooks) -> None:
    first = hooks.deliver(posted("stripe/charge_failed.json")).json()
    again = hooks.deliver(posted("stripe/charge_failed.json", at=NOW + timedelta(seconds=100))).json()
    assert (first["received"], first["events"]) == ("new", 1)
    assert (again["received"], again["events"], again["state"]) == ("repeated", 0, "applied")
    assert first["delivery_id"] == again["delivery_id"]
    # Stripe counts down in the event itself, so that the body differs while the event is the same.
    changed = payload("stripe/charge_failed.json").replace(b'"pending_webhooks": 1', b'"pending_webhooks": 0')
    third = hooks.deliver(signed("stripe", changed)).json()
    assert (third["received"], third["events"]) == ("new", 0)


def test_deliveries_are_counted_by_source_and_by_what_became_of_them(hooks: Hooks) -> None:
    for secret, status in ((None, 200), (None, 200), ("wrong", 401)):
        hooks.deliver(posted("stripe/charge_failed.json", secret=secret), status)
    code = payload("stripe/charge_failed.json").replace(b"Failed00000001", b"Failed00000002")
    for known in (b'"insufficient_funds"', b'"card_declined"', b'"try_again_later"', b'"51"'):
        code = code.replace(known, b'"qx_77"')
    hooks.deliver(signed("stripe", code))
    hooks.deliver(replace(posted("stripe/charge_failed.json"), source="4242424242424242"), 404)
    text = read(hooks.api)
    assert {(*labels.values(), count) for labels, count in counted(text, "recoup_webhook_deliveries_total")} == {
        ("applied", "stripe", 2.0),
        ("repeated", "stripe", 1.0),
        ("not-signed", "stripe", 1.0),
        ("not-found", "other", 1.0),
    }
    told = {"processor": "stripe", "told_by": "webhook"}
    assert counted(text, "recoup_unknown_decline_codes_total") == [(told, 1.0)]


def test_a_wrong_secret_is_refused_and_nothing_is_kept(hooks: Hooks) -> None:
    wrong = {"adyen": "00" * 32, "generic": "whsec_AAAA", "braintree": "public1:other"}
    for name in RECORDED:
        hooks.deliver(posted(name, secret=wrong.get(name.partition("/")[0], "wrong")), 401)
    assert hooks.counts() == {}


def test_a_body_that_was_changed_on_its_way_is_refused(hooks: Hooks) -> None:
    # Chargebee's and Kill Bill's secrets, and Recurly's for XML, are not about the body.
    for name in RECORDED:
        if not name.startswith(("chargebee", "killbill", "recurly")) or name == "recurly/json_payment_failed.json":
            good = posted(name)
            changed = good.body.replace(b"2799", b"1").replace(b"a", b"b")
            hooks.deliver(replace(good, body=changed), 401)
    assert hooks.counts() == {}


@pytest.mark.parametrize(("skew", "status"), [(-299, 200), (299, 200), (-301, 401), (301, 401), (-86_400, 401)])
def test_what_was_signed_long_ago_or_ahead_is_refused(hooks: Hooks, skew: int, status: int) -> None:
    for source in ("stripe", "generic", "recurly"):
        name = next(name for name in names(source) if name.endswith(".json"))
        hooks.deliver(posted(name, at=NOW + timedelta(seconds=skew)), status)


def test_signatures_that_are_none_are_refused_in_a_sentence(hooks: Hooks) -> None:
    given: tuple[dict[str, str], ...] = (
        {},
        {"stripe-signature": ""},
        {"stripe-signature": "t=,v1="},
        {"stripe-signature": "t=9" * 500},
        {"stripe-signature": "t=1e9,v1=x"},
        {"stripe-signature": "v1=" + "0" * 64},
        {"authorization": "Basic ///"},
    )
    for headers in given:
        for source in ("stripe", "chargebee", "gocardless", "generic", "recurly"):
            answer = hooks.deliver(Post(source, b"{}", headers), 401)
            assert "No active secret" in answer.json()["detail"]


def test_adyens_own_example_of_a_signature_is_verified(hooks: Hooks) -> None:
    # https://docs.adyen.com/development-resources/webhooks/secure-webhooks/verify-hmac-signatures
    item = {
        "eventCode": "AUTHORISATION",
        "success": "true",
        "pspReference": "7914073381342284",
        "merchantAccountCode": "TestMerchant",
        "merchantReference": "TestPayment-1407325143704",
        "amount": {"value": 1130, "currency": "EUR"},
        "additionalData": {"hmacSignature": "coqCmt/IZ4E3CzPvMY8zTjQVL5hYJUiBRg8UU+iCWo0="},
    }
    body = json.dumps({"live": "false", "notificationItems": [{"NotificationRequestItem": item}]}).encode()
    hooks.deliver(Post("adyen", body, {}))


def test_the_standard_webhooks_example_of_a_signature_is_verified() -> None:
    # https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
    from datetime import UTC, datetime

    from serving.webhooks.signatures import Signed, verified

    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret, at = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", datetime.fromtimestamp(1614265330, UTC)
    assert verified("generic", [secret], Signed(headers, {}, b'{"test": 2432232314}'), at)
    assert not verified("generic", [secret], Signed(headers, {}, b'{"test": 2432232315}'), at)


def test_an_unknown_source_and_a_source_that_is_not_set_up_are_told_apart(hooks: Hooks) -> None:
    assert "known are stripe" in hooks.deliver(Post("paypal", b"{}", {}), 404).json()["detail"]
    other = replace(posted("stripe/charge_failed.json"), query="?merchant_id=other")
    assert "No webhooks of stripe are set up" in hooks.deliver(other, 404).json()["detail"]
    mine = replace(posted("stripe/charge_failed.json"), query="?merchant_id=acme")
    hooks.deliver(mine)


@pytest.mark.parametrize("description", ["4242 4242 4242 4242", r"of\n4242424242424242", r"\u0034242424242424242"])
def test_a_card_number_is_kept_nowhere_and_the_delivery_is_marked(hooks: Hooks, description: str) -> None:
    pan = "4242424242424242"
    body = payload("stripe/charge_failed.json").replace(
        b'"description": "Subscription update"', f'"description": "{description}"'.encode()
    )
    body = body.replace(b'"last4": "0341"', f'"last4": "0341", "number": {pan}'.encode())
    answer = hooks.deliver(signed("stripe", body)).json()
    assert answer["state"] == "applied"
    kept = deliveries.found(hooks.ledger.store, answer["delivery_id"])
    assert kept.marked
    assert pan.encode() not in kept.body
    assert b"4242 4242" not in kept.body
    assert pan[1:].encode() not in kept.body
    assert sum(one.marked for one in deliveries.counts(hooks.ledger.store)) == 1


def test_a_card_number_as_an_id_is_kept_masked_and_told_to_nobody(hooks: Hooks) -> None:
    body = payload("stripe/charge_failed.json").replace(b'"pm_1NfakeMethod00000001"', b'"4242424242424242"')
    assert hooks.state(signed("stripe", body)) == "failed"
    (reason,) = hooks.reasons()
    assert "payment_method" in reason
    assert "card number" in reason
    assert "4242" not in reason


def test_a_merchant_that_looks_like_a_card_number_is_refused(hooks: Hooks) -> None:
    post = replace(posted("stripe/charge_failed.json"), query="?merchant_id=4242424242424242")
    assert "4242" not in hooks.deliver(post, 422).text


def test_a_body_that_is_too_large_or_coded_is_refused_before_it_is_read(hooks: Hooks) -> None:
    hooks.deliver(signed("stripe", b" " * 1_000_001), 413)
    packed = signed("stripe", gzip.compress(b"{}"))
    hooks.deliver(replace(packed, headers={**packed.headers, "content-encoding": "gzip"}), 415)
    assert hooks.counts() == {}


def test_an_unknown_event_is_acknowledged_and_counted(hooks: Hooks) -> None:
    assert hooks.state(posted("stripe/customer_updated.json")) == "ignored"
    body = payload("stripe/customer_updated.json").replace(b'"customer.updated"', b'"tomorrow.invented"')
    assert hooks.state(signed("stripe", body)) == "ignored"
    kinds = {one.kinds: one.deliveries for one in deliveries.counts(hooks.ledger.store)}
    assert kinds == {"customer.updated": 1, "tomorrow.invented": 1}


def test_one_event_that_cannot_be_read_holds_up_no_other(hooks: Hooks) -> None:
    events = json.loads(payload("gocardless/batch.json"))["events"]
    del events[1]["links"]
    assert hooks.state(signed("gocardless", json.dumps({"events": events}).encode())) == "failed"
    (reason,) = hooks.reasons()
    assert "links.payment" in reason
    check = parsed(hooks.api.send("GET", "/v1/methods/MD000000000004/budgets?merchant_id=acme"), 404)
    assert "MD000000000004" in check["detail"]  # nobody tried it, but its consent is gone:
    with hooks.ledger.store.reading() as transaction:
        (rows,) = transaction.ask(("counts", {}))
    assert rows[0][2] == 1


def test_an_instant_in_the_future_is_not_told(hooks: Hooks) -> None:
    body = payload("stripe/invoice_paid.json").replace(b"1795601801", b"1996033705")
    assert hooks.state(signed("stripe", body)) == "failed"
    assert "not after" in hooks.reasons()[0]


def test_a_generic_event_is_the_same_as_reported_by_hand(hooks: Hooks) -> None:
    assert hooks.state(posted("generic/attempt_reported.json")) == "applied"
    assert hooks.state(posted("generic/payment_paid.json")) == "applied"
    assert hooks.state(posted("generic/unknown.json")) == "ignored"
    assert hooks.attempt("erp-att-1").category == "insufficient_funds"
    told = report("e1", "att_9", NOW)
    other = {"type": "attempt.reported", "data": told | {"merchant_id": "other"}}
    assert hooks.state(signed("generic", json.dumps(other).encode())) == "failed"
    wrong = {"type": "attempt.reported", "data": {k: v for k, v in told.items() if k != "attempt"}}
    assert hooks.state(signed("generic", json.dumps(wrong).encode())) == "failed"
    assert any("other" in reason for reason in hooks.reasons())
    assert any("attempt: is missing" in reason for reason in hooks.reasons())


def test_secrets_stand_in_no_answer(hooks: Hooks) -> None:
    for source in SOURCES:
        text = hooks.deliver(posted(names(source)[0])).text + hooks.deliver(Post(source, b"x", {}), 401).text
        assert SECRETS[source] not in text


def test_an_attempt_beside_an_id_that_looks_like_a_card_number_is_still_told(hooks: Hooks) -> None:
    trace = b"<network-transaction-id>020190722160533</network-transaction-id><company>Smith &amp; Sons</company>"
    body = payload("braintree/subscription_charged_unsuccessfully.xml").replace(b"<status>", trace + b"<status>")
    answer = hooks.deliver(signed("braintree", body)).json()
    assert answer["state"] == "applied"
    assert deliveries.found(hooks.ledger.store, answer["delivery_id"]).marked
    assert hooks.attempt("faketxn1").category == "insufficient_funds"


def test_a_test_event_counts_only_where_the_sender_is_one_of_tests(hooks: Hooks) -> None:
    body = payload("stripe/charge_failed.json").replace(b'"livemode": true', b'"livemode": false')
    assert hooks.deliver(signed("stripe", body)).json()["state"] == "ignored"
    (ignored,) = deliveries.listed(hooks.ledger.store, deliveries.State.IGNORED, 10)
    assert (ignored.kinds, "test_events" in ignored.reason) == ("charge.failed", True)
    tests = Endpoint("stripe", "acme-tests", (), test_events=True)
    assert receive(hooks.ledger, tests, "application/json", body, NOW).reading.events == 1
    assert known_facts(hooks.ledger, "acme", "ch_3NfakeFailed00000001") is None


@pytest.mark.parametrize(
    ("version", "metadata", "payment_id", "amiss"),
    [
        ("2024-06-20", {}, "pi_3NfakeIntent00000001", False),
        ("2025-03-31.basil", {}, "pi_3NfakeIntent00000001", True),
        ("2026-10-28.endive", {"recoup_payment_id": "in_9"}, "in_9", False),
    ],
)
def test_a_charge_whose_version_names_no_invoice_is_told_and_the_delivery_says_so(
    hooks: Hooks, version: str, metadata: dict[str, str], payment_id: str, amiss: bool
) -> None:
    document = json.loads(payload("stripe/charge_failed.json")) | {"api_version": version}
    document["data"]["object"] |= {"invoice": None, "metadata": metadata}
    assert hooks.state(signed("stripe", json.dumps(document).encode())) == "applied"
    assert hooks.attempt("ch_3NfakeFailed00000001").payment_id == payment_id
    (applied,) = deliveries.listed(hooks.ledger.store, deliveries.State.APPLIED, 10)
    assert ("api_version 2024-06-20" in applied.reason) is amiss


RENEWED = b"""<?xml version="1.0" encoding="UTF-8"?><billing_info_updated_notification><account>
<account_code>fakeaccount1</account_code></account></billing_info_updated_notification>"""


def test_what_says_no_time_counts_once_a_day_and_again_on_a_later_one(hooks: Hooks) -> None:
    def renewed() -> tuple[str, int]:
        answer = hooks.deliver(signed("recurly", RENEWED, at=hooks.api.clock.now)).json()
        return answer["received"], answer["events"]

    assert renewed() == ("new", 1)
    hooks.api.clock.now += timedelta(hours=11)
    assert renewed() == ("repeated", 0)
    hooks.api.clock.now += timedelta(days=20)
    assert renewed() == ("new", 1)


@pytest.mark.parametrize(("minutes", "received"), [(0, "repeated"), (1, "repeated"), (60, "repeated"), (61, "new")])
def test_what_says_no_time_is_the_same_when_it_is_delivered_again_past_midnight(
    hooks: Hooks, minutes: int, received: str
) -> None:
    hooks.api.clock.now = datetime(2026, 12, 1, 23, 59, tzinfo=UTC)
    first = hooks.deliver(signed("recurly", RENEWED, at=hooks.api.clock.now)).json()
    hooks.api.clock.now += timedelta(minutes=minutes)
    again = hooks.deliver(signed("recurly", RENEWED, at=hooks.api.clock.now)).json()
    assert again["received"] == received
    assert (again["delivery_id"] == first["delivery_id"]) == (received == "repeated")
    assert again["events"] == (received == "new")

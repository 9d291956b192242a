"""What providers say went back within the window is no recovery of an experiment, and no decline of a limit."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from api_builders import Document, event
from experiment_builders import a_definition
from experiments.outcomes import PaymentOutcome
from exposure_builders import an_exposure
from features.instants import from_micros
from features.money import Money
from serving.experiment_outcomes import outcomes
from webhook_builders import NOW, Hooks, Post, payload, posted, signed

DEFINITION = a_definition()
CHARGE, SCA = "ch_3NfakeSucceeded00001", "NC6HT9CRT65ZGN82"
PAID_BY: dict[str, str] = {"stripe/charge_succeeded.json": CHARGE, "adyen/authorisation.json": SCA}


def refunded(event_id: str, now: int, before: int, *, days: float = 0) -> Post:
    """Stripe's event of a refund: what was refunded in all, and what it was before."""
    document: Document = json.loads(payload("stripe/charge_refunded.json"))
    document["id"], document["created"] = event_id, int(document["created"] + days * 86_400)
    document["data"]["object"]["amount_refunded"] = now
    document["data"]["previous_attributes"] = {"amount_refunded": before} if before else {}
    return signed("stripe", json.dumps(document).encode())


def disputed(kind: str, status: str, before: str | None = None) -> Post:
    """An event of a dispute of a part of what was paid."""
    document: Document = json.loads(payload("stripe/charge_dispute_created_card.json"))
    document |= {
        "id": f"evt_{kind}_{status}",
        "type": f"charge.dispute.{kind}",
        "created": document["created"] + len(kind),
    }
    document["data"]["object"] |= {"status": status, "amount": 1000}
    document["data"] |= {"previous_attributes": {"status": before}} if before else {}
    return signed("stripe", json.dumps(document).encode())


def outcome_of(hooks: Hooks, attempt_id: str) -> PaymentOutcome:
    """The payment of an attempt, exposed as having failed two days before it."""
    facts = hooks.attempt(attempt_id)
    failed_at = from_micros(facts.at) - timedelta(days=2)
    exposure = an_exposure(facts.payment_id)
    amount = Money(facts.amount_minor, facts.currency)
    hooks.ledger.expose(replace(exposure, amount=amount, failed_at=failed_at, exposed_at=failed_at))
    (found,) = outcomes(hooks.ledger.store, DEFINITION, NOW + timedelta(days=40))
    return found.outcome


@pytest.mark.parametrize(
    ("paid", "back"),
    [
        ("stripe/charge_succeeded.json", "stripe/charge_refunded.json"),
        ("stripe/charge_succeeded.json", "stripe/charge_dispute_created_card.json"),
        ("adyen/authorisation.json", "adyen/refund.json"),
        ("adyen/authorisation.json", "adyen/card_chargeback.json"),
    ],
)
@pytest.mark.parametrize("early", [False, True])
def test_what_went_back_is_no_recovery_whichever_was_told_first(
    hooks: Hooks, paid: str, back: str, early: bool
) -> None:
    for name in (back, paid) if early else (paid, back):
        assert hooks.state(posted(name)) in {"applied", "[accepted]"}
    found = outcome_of(hooks, PAID_BY[paid])
    assert (found.recovered, found.recovered_minor) == (False, 0)
    assert found.taken_back_at is not None
    # The attempt stays approved, and the payment is not owed again by it.
    assert hooks.attempt(PAID_BY[paid]).outcome == "approved"


def test_without_it_the_payment_is_recovered(hooks: Hooks) -> None:
    hooks.deliver(posted("stripe/charge_succeeded.json"))
    found = outcome_of(hooks, CHARGE)
    assert (found.recovered, found.recovered_minor) == (True, 2799)


def test_a_part_that_went_back_is_taken_off_once_however_often_it_is_told(hooks: Hooks) -> None:
    hooks.deliver(posted("stripe/charge_succeeded.json"))
    for told in (refunded("evt_1", 1000, 0), refunded("evt_1", 1000, 0), refunded("evt_2", 1500, 1000)):
        hooks.deliver(told)
    found = outcome_of(hooks, CHARGE)
    assert (found.recovered, found.recovered_minor, found.taken_back_at) == (True, 1299, None)


def test_parts_that_come_to_all_of_it_take_the_recovery_back(hooks: Hooks) -> None:
    hooks.deliver(posted("stripe/charge_succeeded.json"))
    for told in (refunded("evt_1", 1000, 0), refunded("evt_2", 2799, 1000)):
        hooks.deliver(told)
    assert not outcome_of(hooks, CHARGE).recovered


def test_what_goes_back_after_the_window_changes_nothing(hooks: Hooks) -> None:
    hooks.api.clock.now = NOW + timedelta(days=35)
    for told in (posted("stripe/charge_succeeded.json"), refunded("evt_1", 2799, 0, days=30)):
        hooks.deliver(replace(told, headers=signed("stripe", told.body, at=hooks.api.clock.now).headers))
    assert outcome_of(hooks, CHARGE).recovered


def test_a_debit_that_comes_back_and_a_payment_that_is_owed_again_are_no_recoveries_either(hooks: Hooks) -> None:
    hooks.deliver(posted("adyen/sepa_authorisation_and_chargeback.json"))
    document: Document = json.loads(payload("adyen/sepa_authorisation_and_chargeback.json"))
    debit = document["notificationItems"][0]["NotificationRequestItem"]["pspReference"]
    assert not outcome_of(hooks, debit).recovered


def test_a_payment_that_is_told_to_be_owed_again_is_no_recovery(hooks: Hooks) -> None:
    hooks.deliver(posted("stripe/charge_succeeded.json"))
    payment = hooks.attempt(CHARGE).payment_id
    hooks.api.post(
        f"/v1/payments/{payment}/events", event("payment_reopened") | {"happened_at": "2026-11-27T10:00:00Z"}
    )
    assert not outcome_of(hooks, CHARGE).recovered


def test_an_inquiry_moves_no_money_and_what_becomes_of_it_is_told_once(hooks: Hooks) -> None:
    hooks.deliver(posted("stripe/charge_succeeded.json"))
    for inquiry in (
        disputed("created", "warning_needs_response"),
        disputed("updated", "warning_under_review", before="warning_needs_response"),
        disputed("updated", "needs_response"),
    ):
        assert hooks.state(inquiry) == "ignored"
    assert outcome_of(hooks, CHARGE).recovered_minor == 2799
    for dispute in (
        disputed("updated", "needs_response", before="warning_needs_response"),
        disputed("funds_withdrawn", "needs_response"),
    ):
        assert hooks.state(dispute) == "applied"
    assert outcome_of(hooks, CHARGE).recovered_minor == 1799


def test_a_dispute_whose_money_is_withdrawn_counts_once(hooks: Hooks) -> None:
    hooks.deliver(posted("stripe/charge_succeeded.json"))
    for dispute in (disputed("created", "needs_response"), disputed("funds_withdrawn", "needs_response")):
        assert hooks.state(dispute) == "applied"
    assert outcome_of(hooks, CHARGE).recovered_minor == 1799

"""Telling what befell a customer over HTTP."""

from datetime import timedelta
from typing import Any

import pytest

from api_builders import MERCHANT, START, Api

PATH = "/v1/customers/cus_1/events"


def told(kind: str, **more: object) -> dict[str, Any]:
    return MERCHANT | {"event_id": f"c {kind}", "kind": kind, "happened_at": START.isoformat()} | more


@pytest.mark.parametrize("kind", ["complained", "unsubscribed", "disputed", "lost", "left"])
def test_what_has_no_amount_is_recorded_and_told_again_is_a_repetition(api: Api, kind: str) -> None:
    body = told(f"customer_{kind}")
    assert api.post(PATH, body) == {"event_id": body["event_id"], "recorded": "new"}
    assert api.post(PATH, body)["recorded"] == "repeated"


@pytest.mark.parametrize("kind", ["paid", "refunded"])
def test_money_is_told_with_its_currency(api: Api, kind: str) -> None:
    assert api.post(PATH, told(f"customer_{kind}", amount_minor=2900, currency="EUR"))["recorded"] == "new"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (told("customer_paid"), {"amount_minor", "currency"}),
        (told("customer_paid", amount_minor=1), {"currency"}),
        (told("customer_left", amount_minor=1, currency="EUR"), {"amount_minor", "currency"}),
        (told("customer_left", happened_at=(START + timedelta(hours=1)).isoformat()), {"happened_at"}),
        (told("customer_moved"), {"kind"}),
    ],
)
def test_what_does_not_fit_is_refused_with_every_field(api: Api, body: dict[str, Any], fields: set[str]) -> None:
    response = api.send("POST", PATH, body)
    assert response.status_code == 422
    assert {one["field"] for one in response.json()["errors"]} == fields


def test_an_id_used_for_something_else_is_a_conflict(api: Api) -> None:
    api.post(PATH, told("customer_left"))
    assert api.send("POST", PATH, told("customer_lost", event_id="c customer_left")).status_code == 409


def test_what_is_told_of_customers_stands_in_no_timeline_of_payments(api: Api) -> None:
    api.post(PATH, told("customer_lost"))
    assert api.get("/v1/payments?merchant_id=acme")["payments"] == []

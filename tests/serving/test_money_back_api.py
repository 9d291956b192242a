"""Telling over HTTP that money of an attempt went back."""

from datetime import timedelta
from typing import Any

import pytest

from api_builders import MERCHANT, START, Api

PATH = "/v1/attempts/att_1/money-back"


def told(**more: object) -> dict[str, Any]:
    return MERCHANT | {"event_id": "r1", "kind": "refund", "happened_at": START.isoformat()} | more


@pytest.mark.parametrize("more", [{}, {"kind": "chargeback"}, {"amount_minor": 100}])
def test_what_went_back_is_recorded_once(api: Api, more: dict[str, Any]) -> None:
    assert api.post(PATH, told(**more)) == {"event_id": "r1", "recorded": "new"}
    assert api.post(PATH, told(**more))["recorded"] == "repeated"


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"kind": "return"}, "kind"),
        ({"amount_minor": -1}, "amount_minor"),
        ({"happened_at": (START + timedelta(hours=1)).isoformat()}, "happened_at"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(api: Api, more: dict[str, Any], field: str) -> None:
    response = api.send("POST", PATH, told(**more))
    assert response.status_code == 422
    assert [one["field"] for one in response.json()["errors"]] == [field]


def test_a_refund_leaves_the_payment_paid(api: Api) -> None:
    api.post(PATH, told())
    assert api.get("/v1/payments?merchant_id=acme")["payments"] == []


@pytest.mark.parametrize("more", [{"kind": "chargeback"}, {"amount_minor": 7}])
def test_an_id_used_for_something_else_is_a_conflict_and_nothing_is_dropped_silently(
    api: Api, more: dict[str, Any]
) -> None:
    api.post(PATH, told())
    assert api.send("POST", PATH, told(**more)).status_code == 409

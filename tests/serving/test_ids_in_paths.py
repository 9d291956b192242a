"""Ids with slashes, as invoice numbers are, have addresses like any other."""

from datetime import timedelta

import pytest

from api_builders import START, Api, Document, event, of_payment, report, visa_cap

IDS = ("INV/2025/001", "/", "a/", "//b", "a/events/b", "events", "50%/2F", "INV 7/ü")


def _in_path(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("name", IDS)
def test_a_payment_is_told_of_and_looked_up_by_its_id(api: Api, failed: Document, name: str) -> None:
    api.post("/v1/attempts", report("e1", "att/1", START - timedelta(hours=1), payment=name))
    api.post(f"/v1/payments/{_in_path(name)}/events", event("payment_paid"))
    found = api.get(f"/v1/payments/{_in_path(name)}?merchant_id=acme")
    assert found["payment_id"] == name
    stopped = api.post("/v1/decisions", of_payment(failed, name))
    assert stopped["action"]["reason"] == "already_paid"


@pytest.mark.parametrize("name", IDS)
def test_a_method_is_looked_up_by_its_id(api: Api, name: str) -> None:
    api.post("/v1/attempts", report("e1", "att_1", START - timedelta(hours=1), method=name))
    (one,) = api.get(f"/v1/methods/{_in_path(name)}/budgets?merchant_id=acme")["budgets"]
    assert visa_cap(one["limits"])["left"]
    assert len(api.get(f"/v1/methods/{_in_path(name)}/attempts?merchant_id=acme")["attempts"]) == 1


def test_what_does_not_fit_an_address_is_not_taken_for_an_id(api: Api) -> None:
    assert api.send("GET", "/v1/payments/").status_code == 404
    asked = api.send("GET", "/v1/payments/inv_1/events?merchant_id=acme")
    assert (asked.status_code, asked.headers["allow"]) == (405, "POST")

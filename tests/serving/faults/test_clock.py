"""A clock that is stepped back or forward breaks no limit, ends no recovery, and is got over by itself."""

from datetime import timedelta

import pytest

from api_builders import MERCHANT, START, Api, Document, codes, past, used, visa_cap
from serving.tenancy.bucket import Bucket

HOURS = timedelta(hours=1)


@pytest.fixture
def failed(failed: Document) -> Document:
    """A payment whose decline is older than any step back of the clock: a later one than now would be refused."""
    earlier = (START - timedelta(days=5)).isoformat()
    failed["payment"]["due_at"] = failed["attempts"][0]["attempted_at"] = earlier
    return failed


@pytest.mark.parametrize("step", [timedelta(hours=-3), timedelta(days=-2), timedelta(days=2)], ids=str)
def test_a_step_of_the_clock_lets_nobody_over_a_limit(api: Api, failed: Document, step: timedelta) -> None:
    for event in past(14):
        api.post("/v1/attempts", event)
    told = len(past(14)) + 1
    assert api.reserve(failed)["reservation"] is not None
    before = used(api)
    api.clock.now += step
    again = api.reserve(failed)
    assert again["reservation"] is None or step > timedelta(0)
    api.clock.now -= step
    assert used(api) <= max(before, told + 1)
    (budget,) = api.get("/v1/methods/pm_1/budgets?merchant_id=acme")["budgets"]
    cap = visa_cap(budget["limits"])
    assert cap["used"] <= cap["limit"]


def test_set_back_a_hold_is_not_fired_early_and_counts_again_once_the_clock_is_right(
    api: Api, failed: Document
) -> None:
    held = api.reserve(failed)["reservation"]
    path, before = f"/v1/reservations/{held['reservation_id']}", used(api)
    api.clock.now = START - 5 * HOURS
    assert codes(api.post(f"{path}/check", MERCHANT)) >= {"too_early"}
    assert api.reserve(failed)["reservation"] is None
    api.clock.now = START
    assert api.get(f"{path}?merchant_id=acme")["state"] == "held"
    assert used(api) == before > 0


def test_set_forward_a_hold_that_ended_is_not_fired_when_the_clock_is_right_again(api: Api, failed: Document) -> None:
    held = api.reserve(failed)["reservation"]
    path = f"/v1/reservations/{held['reservation_id']}"
    api.clock.now = START + timedelta(days=40)
    assert codes(api.post(f"{path}/check", MERCHANT)) >= {"expired"}
    api.clock.now = START
    checked = api.post(f"{path}/check", MERCHANT)
    assert checked["go"] is False


def test_an_answer_under_a_key_is_given_again_whatever_the_clock_says(api: Api, failed: Document) -> None:
    first = api.under("k1").reserve(failed)
    for step in (-5 * HOURS, 5 * HOURS):
        api.clock.now = START + step
        assert api.under("k1").reserve(failed) == first


def test_a_key_may_ask_on_after_the_clock_was_set_back() -> None:
    bucket = Bucket.full(2, 1_000.0)
    assert [bucket.take(at) for at in (1_000.0, 1_000.0, 1_000.0, 1_000.0)] == [0.0] * 4
    assert bucket.take(10.0) > 0.0
    assert bucket.take(11.0) == 0.0

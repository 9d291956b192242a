"""Timelines and lists over HTTP: everything once, in order, page by page."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from api_builders import MERCHANT, START, Api, Document, event, past, report
from features.errors import CardNumberError
from serving.errors import RequestError
from serving.paging import MOST, cursor_at, limit_in, place_in

TIMELINE = "/v1/payments/inv_1?merchant_id=acme"


def pages(api: Api, path: str, limit: int) -> Iterator[Document]:
    page = api.get(f"{path}&limit={limit}")
    yield page
    while page["has_more"]:
        page = api.get(f"{path}&limit={limit}&cursor={page['next_cursor']}")
        yield page
    assert page["next_cursor"] is None


def story(api: Api, failed: Document) -> list[tuple[str, str, str]]:
    """A payment from its first failure to its end; what of it stands in its timeline, in order."""
    decided = api.reserve(failed)
    held = decided["reservation"]
    api.post("/v1/payments/inv_1/events", event("payment_opted_out", "o1", reason="wait"))
    api.post("/v1/payments/inv_1/events", event("payment_opted_in", "o2") | {"happened_at": "2026-11-23T10:14:00Z"})
    api.clock.now = datetime.fromisoformat(held["fire_from"])
    made = {"attempt_id": "att_2", "attempted_at": api.clock.now.isoformat(), "outcome": "approved"}
    api.post(f"/v1/reservations/{held['reservation_id']}/settle", MERCHANT | {"attempt": made})
    paid = event("payment_paid", "p9") | {"happened_at": (api.clock.now + timedelta(seconds=9)).isoformat()}
    api.clock.now += timedelta(minutes=1)
    api.post("/v1/payments/inv_1/events", paid)
    return [
        ("attempt", "att_1", "declined"),
        ("advice", "o1", "stopped"),
        ("advice", "o2", "resumed"),
        ("decision", decided["decision_id"], "retry"),
        ("reservation", held["reservation_id"], "spent"),
        ("attempt", "att_2", "approved"),
        ("standing", "p9", "payment_paid"),
    ]


def test_a_timeline_tells_everything_that_happened_in_the_order_of_time(api: Api, failed: Document) -> None:
    expected = story(api, failed)
    answer = api.get(TIMELINE)
    assert [(one["entry"], one["id"], one["word"]) for one in answer["entries"]] == expected
    assert (answer["has_more"], answer["next_cursor"]) == (False, None)
    attempt, decision, reservation = (answer["entries"][place] for place in (0, 3, 4))
    assert attempt["amount"] == {"amount_minor": 2799, "currency": "EUR"}
    assert (attempt["code"], attempt["category"]) == ("51", "insufficient_funds")
    assert decision["other_id"] == reservation["id"]
    assert reservation["other_id"] == "att_2"
    assert answer["entries"][1]["reason"] == "wait"


@pytest.mark.parametrize("limit", [1, 2, 4])
def test_pages_of_a_timeline_are_the_timeline(api: Api, failed: Document, limit: int) -> None:
    expected = story(api, failed)
    found = list(pages(api, TIMELINE, limit))
    assert [(one["entry"], one["id"], one["word"]) for page in found for one in page["entries"]] == expected
    assert {len(page["entries"]) for page in found[:-1]} == {limit}


def test_what_nobody_told_of_is_unknown(api: Api) -> None:
    for path in (TIMELINE, "/v1/methods/pm_1/attempts?merchant_id=acme"):
        told = api.get(path, 404)
        assert told["type"].endswith("unknown-id")
        assert told["errors"][0]["value"] in {"inv_1", "pm_1"}
    assert api.get("/v1/payments?merchant_id=acme") == {"payments": [], "has_more": False, "next_cursor": None}


def test_payments_are_listed_in_the_order_of_their_ids_with_where_they_stand(api: Api) -> None:
    for number in range(7):
        api.post("/v1/attempts", [one | {"event_id": f"{number}{one['event_id']}", "attempt_id": f"{number}{i}"}
                                  for i, one in enumerate(past(number + 1, payment=f"inv_{number}"))])  # fmt: skip
    api.post("/v1/attempts", report("x", "x", START, payment="inv_3", outcome="approved"))
    api.post("/v1/payments/inv_1/events", event("payment_cancelled"))
    api.post("/v1/payments/inv_2/events", event("payment_opted_out", "o1"))
    found = [one for page in pages(api, "/v1/payments?merchant_id=acme", 3) for one in page["payments"]]
    assert [one["payment_id"] for one in found] == [f"inv_{number}" for number in range(7)]
    assert [one["attempts"] for one in found] == [1, 2, 3, 5, 5, 6, 7]
    assert [one["approved"] for one in found] == [number == 3 for number in range(7)]
    assert [one["standing"] for one in found] == [None, "payment_cancelled", *[None] * 5]
    assert [one["opted_out"] for one in found] == [number == 2 for number in range(7)]
    assert found[3]["last_attempt_at"] == "2026-11-23T10:15:00Z"


def test_what_is_held_is_listed_until_it_is_not(api: Api, failed: Document) -> None:
    held = {}
    for number in range(4):
        payment = failed["payment"] | {"payment_id": f"inv_{number}"}
        method = failed["methods"][0] | {"method_id": f"pm_{number}"}
        tried = failed["attempts"][0] | {"attempt_id": f"att_{number}", "method_id": f"pm_{number}"}
        made = api.reserve(failed | {"payment": payment, "methods": [method], "attempts": [tried]})["reservation"]
        held[f"inv_{number}"] = made
    api.post(f"/v1/reservations/{held.pop('inv_1')['reservation_id']}/release", MERCHANT)
    found = [one for page in pages(api, "/v1/reservations?merchant_id=acme", 2) for one in page["reservations"]]
    assert found == list(held.values())


def test_the_attempts_of_a_method_are_listed_newest_first(api: Api) -> None:
    same_instant = [report(f"s{i}", f"same_{i}", START - timedelta(hours=36)) for i in range(3)]
    api.post("/v1/attempts", past(5) + same_instant)
    path = "/v1/methods/pm_1/attempts?merchant_id=acme"
    found = [one for page in pages(api, path, 2) for one in page["attempts"]]
    assert len(found) == 8
    assert [(one["attempted_at"], one["attempt_id"]) for one in found] == sorted(
        ((one["attempted_at"], one["attempt_id"]) for one in found), reverse=True
    )


@pytest.mark.parametrize("limit", ["0", "-1", str(MOST + 1), "many", "1.5", "9" * 50, "²"])
def test_a_limit_out_of_bounds_is_refused(api: Api, limit: str) -> None:
    told = api.get(f"{TIMELINE}&limit={limit}", 422)
    assert [fault["field"] for fault in told["errors"]] == ["limit"]


@pytest.mark.parametrize("cursor", [
    "x", "", "é", "=" * 9, cursor_at(("inv_1",)), cursor_at((1, "attempt", 2)), cursor_at(("1", "attempt", "x")),
    cursor_at((True, "attempt", "x")), cursor_at((1 << 63, "attempt", "x")), cursor_at((1, "attempt", "x\0")),
    "bnVsbA", "e30",
])  # fmt: skip
def test_a_cursor_of_something_else_is_refused(cursor: str) -> None:
    with pytest.raises(RequestError, match="the next_cursor of the page before"):
        place_in(cursor, (int, str, str))


def test_a_cursor_that_looks_like_a_card_number_is_refused_as_one(api: Api) -> None:
    with pytest.raises(CardNumberError):
        place_in("4242424242424242", (int, str, str))
    with pytest.raises(CardNumberError):
        limit_in("4242424242424242")
    assert "4242" not in str(api.get(f"{TIMELINE}&cursor=4242424242424242", 422))

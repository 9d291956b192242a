"""The rules in force and the reading of a code, over HTTP; refusals are problem documents."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from serving.app import create_app
from serving.service import prior_service
from serving.settings import Settings

NOW = datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


class Client:
    """Asks the application without a socket."""

    def __init__(self) -> None:
        self._app = create_app(Settings(log_format="json"), service=prior_service(), clock=lambda: NOW)

    def get(self, path: str, params: dict[str, str] | None = None) -> httpx.Response:
        """The answer to one GET."""

        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://recoup") as asking:
                return await asking.get(path, params=params)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


def test_the_rulebook_in_force_today_and_on_a_day(client: Client) -> None:
    today = client.get("/v1/rulebook").json()
    assert today["at"] == "2026-11-23"
    assert today["version"] == prior_service().rulebook.version
    before = client.get("/v1/rulebook", params={"at": "2025-05-24", "network": "visa"}).json()
    after = client.get("/v1/rulebook", params={"at": "2025-05-25T00:00:00Z", "network": "visa"}).json()
    keys = [
        next(r["key"] for r in book["rules"] if r["rule_id"] == "visa-cat2-reattempt-cap") for book in (before, after)
    ]
    assert keys == [["method", "merchant", "amount"], ["method", "merchant", "amount", "initiator"]]


def test_the_eve_of_midnight_in_new_york_is_the_next_day_in_utc(client: Client) -> None:
    assert client.get("/v1/rulebook", params={"at": "2025-05-24T23:00:00-04:00"}).json()["at"] == "2025-05-25"


def test_advice_and_our_own_defaults_say_so(client: Client) -> None:
    rules = {r["rule_id"]: r for r in client.get("/v1/rulebook").json()["rules"]}
    assert rules["stripe-recommended-max"]["advises"]
    assert rules["recoup-card-30d"]["ours"]
    assert rules["visa-cat2-reattempt-cap"]["published_limit"] == 20


def test_prices_are_those_of_the_day(client: Client) -> None:
    def price(day: str) -> set[int]:
        rules = client.get("/v1/rulebook", params={"at": day, "network": "visa"}).json()["rules"]
        fees = next(r["fees"] for r in rules if r["rule_id"] == "visa-cat2-reattempt-cap")
        return {fee["amount_minor"] for fee in fees if "US" in fee["regions"]}

    assert (price("2026-04-24"), price("2026-04-25")) == ({15}, {25})


@pytest.mark.parametrize(
    ("query", "field"),
    [({"network": "vista"}, "network"), ({"at": "soon"}, "at"), ({"at": "2026-11-23T10:00:00"}, "at")],
)
def test_a_bad_question_is_a_problem_that_names_its_field(client: Client, query: dict[str, str], field: str) -> None:
    answer = client.get("/v1/rulebook", params=query)
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert [error["field"] for error in answer.json()["errors"]] == [field]


@pytest.mark.parametrize("country", ["false", "de", "UK"])
def test_what_is_no_country_is_a_problem_that_names_its_field(client: Client, country: str) -> None:
    answer = client.get("/v1/declines/visa/51", params={"country": country})
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == ["country"]


def test_a_code_of_a_processor_or_of_a_network(client: Client) -> None:
    found = client.get("/v1/declines/stripe/insufficient_funds").json()
    assert (found["category"], found["processor"], found["known"]) == ("insufficient_funds", "stripe", True)
    found = client.get("/v1/declines/visa/05", params={"at": "2026-10-24"}).json()
    assert (found["network"], found["network_code"], found["may_hide"]) == ("visa", "05", ["12", "15", "57"])
    found = client.get("/v1/declines/north/51", params={"network": "mastercard", "advice_code": "27"}).json()
    assert found["min_wait_hours"] == 96


def test_a_code_nobody_knows_is_unknown_and_no_error(client: Client) -> None:
    answer = client.get("/v1/declines/stripe/new_word")
    assert (answer.status_code, answer.json()["known"], answer.json()["category"]) == (200, False, "unknown")


@pytest.mark.parametrize("path", ["/v1/declines/visa/4242424242424242", "/v1/declines/4242424242424242/51"])
def test_a_card_number_is_refused_and_not_repeated(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 422
    assert "4242" not in answer.text

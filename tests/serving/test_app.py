"""The whole application over ASGI: decisions, refusals, health and the log."""

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI

from features.vocabulary import Network, Rail
from model.caps.rule import CapRule
from model.caps.rulebook import Rulebook
from model.prior import PriorScorer
from serving.answer_schemas import DecisionAnswer, Problem
from serving.app import create_app
from serving.examples import EXAMPLES, Example
from serving.registry import Answering
from serving.service import Service, prior_service
from serving.settings import Settings

Document = dict[str, Any]  # a JSON document that tests take apart
JSON = {"content-type": "application/json"}
CARD = "4242 4242 4242 4242"


class FailingRulebook(Rulebook):
    """Rules with a fault, to see what a failure lets out that no policy can answer for."""

    def about(self, rail: Rail, network: Network) -> tuple[CapRule, ...]:
        raise RuntimeError(f"secret {CARD} {rail} {network}")


@pytest.fixture(scope="module")
def service() -> Service:
    return prior_service()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db", log_format="json")


@pytest.fixture
def app(settings: Settings, service: Service, clock: Callable[[], datetime]) -> FastAPI:
    return create_app(settings, service=service, clock=clock)


def send(
    app: FastAPI,
    method: str,
    path: str,
    content: bytes | AsyncIterator[bytes] | None = None,
    headers: Mapping[str, str] = JSON,
) -> httpx.Response:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://recoup") as client:
            return await client.request(method, path, content=content, headers=headers)

    return asyncio.run(once())


def decide(app: FastAPI, body: bytes | AsyncIterator[bytes], headers: Mapping[str, str] = JSON) -> httpx.Response:
    return send(app, "POST", "/v1/decisions", body, headers)


def problem(response: httpx.Response, status: int) -> Problem:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    told = Problem.model_validate_json(response.content)
    assert told.status == status
    assert told.detail
    assert "\n" not in told.detail
    return told


def test_a_decision_says_what_to_do_why_and_with_what(app: FastAPI, body: bytes) -> None:
    response = decide(app, body)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    answer = DecisionAnswer.model_validate_json(response.content)
    assert answer.action.kind == "retry"
    assert answer.policy_source == "prior"
    assert answer.reasons
    assert answer.limits
    assert answer.action.window.start_local.utcoffset() is not None
    assert answer.valid_until > answer.as_of


def test_the_same_request_gives_the_same_bytes(app: FastAPI, body: bytes) -> None:
    assert decide(app, body).content == decide(app, body).content


def test_without_as_of_the_clock_of_the_service_decides(app: FastAPI, document: Document) -> None:
    del document["as_of"]
    assert orjson.loads(decide(app, orjson.dumps(document)).content)["as_of"] == "2026-11-23T10:15:00Z"


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_every_worked_example_is_answered(app: FastAPI, example: Example) -> None:
    response = decide(app, example.body)
    assert response.status_code == 200
    DecisionAnswer.model_validate_json(response.content)


def example_answer(app: FastAPI, name: str) -> DecisionAnswer:
    body = next(example.body for example in EXAMPLES if example.name == name)
    return DecisionAnswer.model_validate_json(decide(app, body).content)


def test_a_stolen_card_is_left_alone_and_the_second_card_is_tried(app: FastAPI) -> None:
    answer = example_answer(app, "stolen-card-second-on-file")
    assert answer.action.kind == "retry"
    assert answer.action.method_id == "pm_mastercard"
    assert {removed.method_id for removed in answer.removed} == {"pm_visa"}
    assert {removed.limit.frees_at for removed in answer.removed} == {None}


def test_advice_to_wait_four_days_is_obeyed(app: FastAPI) -> None:
    answer = example_answer(app, "mastercard-try-in-four-days")
    assert answer.action.kind == "retry"
    assert (answer.action.window.start - answer.as_of).days >= 3
    assert answer.action.window.start >= datetime(2026, 11, 28, 6, 0, tzinfo=UTC)


def test_an_unknown_code_is_answered_and_noted(app: FastAPI, document: Document) -> None:
    document["attempts"][0]["code"] = "QX-77"
    answer = DecisionAnswer.model_validate_json(decide(app, orjson.dumps(document)).content)
    assert "QX-77" in answer.notes[0]


def test_a_currency_without_rate_is_refused_and_named(app: FastAPI, document: Document) -> None:
    document["payment"]["currency"] = "KPW"
    assert "KPW" in problem(decide(app, orjson.dumps(document)), 422).detail


REFUSALS: list[tuple[str, Callable[[Document], object], str]] = [
    ("unknown currency", lambda d: d["payment"].update(currency="EURO"), "payment.currency"),
    ("naive time", lambda d: d["payment"].update(due_at="2026-11-23T09:00:00"), "payment.due_at"),
    ("negative amount", lambda d: d["payment"].update(amount_minor=-5), "payment.amount_minor"),
    ("unknown network", lambda d: d["methods"][0].update(network="vista"), "methods[0].network"),
    ("attempt in the future", lambda d: d["attempts"][0].update(attempted_at="2027-01-01T00:00:00Z"),
     "attempts[0].attempted_at"),
    ("unknown method", lambda d: d["attempts"][0].update(method_id="pm_9"), "attempts[0].method_id"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "field"), [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS])
def test_a_wrong_field_is_a_problem_that_names_it(
    app: FastAPI, document: Document, change: Callable[[Document], object], field: str
) -> None:
    change(document)
    told = problem(decide(app, orjson.dumps(document)), 422)
    assert [error.field for error in told.errors] == [field]
    assert told.type == "urn:recoup:problem:invalid-request"
    assert told.instance == "/v1/decisions"


def test_a_card_number_is_neither_answered_nor_logged(
    settings: Settings, service: Service, document: Document, capsys: pytest.CaptureFixture[str]
) -> None:
    document["attempts"][0]["code"] = CARD
    response = decide(create_app(settings, service=service), orjson.dumps(document))
    told = problem(response, 422)
    assert told.type == "urn:recoup:problem:card-number"
    assert [error.field for error in told.errors] == ["attempts[0].code"]
    assert "4242" not in response.text
    logged = capsys.readouterr().err
    assert '"request"' in logged
    assert "4242" not in logged


def test_a_card_number_in_path_query_or_request_id_comes_out_nowhere(
    settings: Settings, service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = create_app(settings, service=service)
    number = CARD.replace(" ", "")
    response = send(logged, "GET", f"/{number}?card={number}", headers={"x-request-id": number})
    problem(response, 404)
    assert number not in response.text
    assert response.headers["x-request-id"] != number
    assert number not in capsys.readouterr().err


@pytest.mark.parametrize("question", ["rulebook?network=", "rulebook?at=", "declines/visa/51?network=", "declines/x/"])
def test_a_card_number_in_a_question_is_not_repeated_in_the_fields_at_fault(app: FastAPI, question: str) -> None:
    response = send(app, "GET", f"/v1/{question}4242424242424242")
    assert problem(response, 422).errors
    assert "4242" not in response.text


@pytest.mark.parametrize("address", ["declines/x/", "declines/visa/51?subcode="])
def test_a_card_number_where_any_text_may_stand_is_refused_as_one(app: FastAPI, address: str) -> None:
    told = problem(send(app, "GET", f"/v1/{address}4242424242424242"), 422)
    assert told.type == "urn:recoup:problem:card-number"
    assert "4242" not in repr(told)


def test_malformed_json_is_refused_with_the_position(app: FastAPI) -> None:
    told = problem(decide(app, b'{"payment": '), 400)
    assert "line 1 column" in told.detail


def test_another_media_type_is_refused(app: FastAPI, body: bytes) -> None:
    assert "text/plain" in problem(decide(app, body, {"content-type": "text/plain"}), 415).detail
    assert "missing" in problem(decide(app, body, {}), 415).detail
    assert "gzip" in problem(decide(app, body, JSON | {"content-encoding": "gzip"}), 415).detail


def test_a_media_type_may_carry_its_charset(app: FastAPI, body: bytes) -> None:
    assert decide(app, body, {"content-type": "Application/JSON; charset=utf-8"}).status_code == 200


def test_a_body_of_ten_megabytes_is_refused_before_it_is_read(app: FastAPI) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 100_000
            yield b" " * 100_000

    problem(decide(app, chunks(), JSON | {"content-length": "10000000"}), 413)
    assert sent == 0


def test_a_long_body_in_chunks_is_refused_as_soon_as_it_is_too_long(app: FastAPI) -> None:
    sent = 0

    async def chunks() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 100_000
            yield b" " * 100_000

    problem(decide(app, chunks()), 413)
    assert sent <= 1_200_000


def test_the_size_limit_is_the_one_of_the_settings(settings: Settings, service: Service, body: bytes) -> None:
    small = create_app(replace(settings, max_body_bytes=100), service=service)
    assert "100 bytes" in problem(decide(small, body), 413).detail


def test_an_unknown_address_and_a_wrong_method_are_problems_too(app: FastAPI) -> None:
    assert "/v2/decisions" in problem(send(app, "GET", "/v2/decisions"), 404).detail
    problem(send(app, "POST", "/v1/decisions/"), 404)
    response = send(app, "GET", "/v1/decisions/batch/replay")
    assert "GET" in problem(response, 405).detail
    assert response.headers["allow"] == "POST"


def test_a_failure_inside_is_a_problem_without_internals(
    settings: Settings, service: Service, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = create_app(settings, service=replace(service, rulebook=FailingRulebook(service.rulebook.rules)))
    response = decide(broken, body, JSON | {"x-request-id": "req-7"})
    told = problem(response, 500)
    assert "req-7" in told.detail
    assert "RuntimeError" not in response.text
    assert "4242" not in response.text
    logged = capsys.readouterr().err
    assert "RuntimeError" in logged
    assert "4242" not in logged


def test_the_request_id_of_the_caller_comes_back(app: FastAPI, body: bytes) -> None:
    assert decide(app, body, JSON | {"x-request-id": "req-7"}).headers["x-request-id"] == "req-7"
    assert len(decide(app, body).headers["x-request-id"]) == 32
    assert decide(app, body, JSON | {"x-request-id": "a b"}).headers["x-request-id"] != "a b"


def test_one_line_is_logged_for_a_request_and_nothing_of_it(
    settings: Settings, service: Service, body: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = create_app(settings, service=service)
    response = decide(logged, body, JSON | {"x-request-id": "req-7"})
    lines = [orjson.loads(line) for line in io.StringIO(capsys.readouterr().err) if '"request"' in line]
    (line,) = lines
    assert line["request_id"] == "req-7"
    assert (line["method"], line["route"], line["status"]) == ("POST", "/v1/decisions", 200)
    assert line["decision_id"] == orjson.loads(response.content)["decision_id"]
    assert line["policy_source"] == "prior"
    assert line["milliseconds"] > 0
    assert not {"cus_1", "inv_1", "pm_1", "acme"} & set(orjson.dumps(line).decode().split('"'))


def test_the_process_says_that_it_lives_and_what_answers(app: FastAPI, service: Service) -> None:
    assert send(app, "GET", "/health").json() == {"status": "alive"}
    ready = send(app, "GET", "/ready").json()
    assert ready["status"] == "ready"
    assert ready["policy_source"] == "prior"
    assert ready["refused"] == "no model was asked for"
    assert ready["versions"]["rulebook"] == service.rulebook.version
    models = send(app, "GET", "/v1/models").json()
    assert models["registered_version"] is None


def test_the_pages_of_the_interface_are_there(app: FastAPI) -> None:
    assert "swagger" in send(app, "GET", "/docs").text
    assert send(app, "GET", "/openapi.json").json()["info"]["title"] == "Recoup"


def test_nobody_is_told_where_the_registry_is(settings: Settings, service: Service) -> None:
    missing = "no model yet: the registry sqlite:////srv/recoup/mlflow.db does not exist"
    app = create_app(settings, service=replace(service, answering=Answering(PriorScorer(), "nothing", refused=missing)))
    for address in ("/ready", "/v1/models"):
        assert send(app, "GET", address).json()["refused"] == "no model yet: the registry does not exist"

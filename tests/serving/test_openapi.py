"""The published description of the interface is the one the service gives, and its examples work."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from serving.app import create_app
from serving.openapi import as_text
from serving.requests import parse_request
from serving.service import prior_service
from serving.settings import Settings

PUBLISHED = Path(__file__).parents[2] / "docs" / "openapi.json"
Document = dict[str, Any]  # a JSON document that tests take apart
QUESTIONS = ("/v1/reservations/{reservation_id}/check", "/v1/decisions/{decision_id}/replay")
"""POSTs that only read."""


@pytest.fixture(scope="module")
def given() -> bytes:
    return as_text(create_app(Settings(), service=prior_service()).openapi())


@pytest.fixture(scope="module")
def document(given: bytes) -> Document:
    parsed: Document = orjson.loads(given)
    return parsed


def test_the_published_document_is_the_one_the_service_gives(given: bytes) -> None:
    assert PUBLISHED.read_bytes() == given, "run make openapi"


def test_every_example_is_a_request_that_the_service_reads(document: Document) -> None:
    body = document["paths"]["/v1/decisions"]["post"]["requestBody"]["content"]["application/json"]
    assert len(body["examples"]) == 5
    for example in body["examples"].values():
        parse_request(orjson.dumps(example["value"]))


def test_every_refusal_is_described_with_a_fitting_example(document: Document) -> None:
    responses = document["paths"]["/v1/decisions"]["post"]["responses"]
    assert set(responses) == {"200", "400", "401", "403", "409", "413", "415", "422", "429", "500", "503"}
    for status, response in responses.items():
        if status != "200":
            shared = document["components"]["responses"].get(response.get("$ref", "").rpartition("/")[2])
            example = (shared or response)["content"]["application/problem+json"]["example"]
            assert example["status"] == int(status)


def test_every_reference_leads_somewhere(document: Document) -> None:
    text = orjson.dumps(document).decode()
    schemas = document["components"]["schemas"]
    wanted = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert wanted <= set(schemas)


def test_every_field_of_a_request_says_what_it_means(document: Document) -> None:
    for name in ("DecisionRequest", "PaymentIn", "MethodIn", "IssuerIn", "AttemptIn"):
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            assert "description" in schema or "$ref" in schema, f"{name}.{field}"


def test_every_address_tells_what_its_key_and_its_pages_ask(document: Document) -> None:
    for path, operations in document["paths"].items():
        if not path.startswith("/v1/"):
            continue
        for method, operation in operations.items():
            parameters = {(one.get("name") or one["$ref"].rpartition("/")[2]): one for one in operation["parameters"]}
            assert operation["security"] == [{"key": []}], path
            assert {"401", "403", "429"} <= set(operation["responses"]), path
            under_keys = method == "post" and path not in {"/v1/decisions/batch", *QUESTIONS}
            assert ("IdempotencyKey" in parameters) is under_keys, path
            assert ("IdempotencyKeyWithoutEffect" in parameters) is (path in QUESTIONS), path
            assert ("409" in operation["responses"]) is under_keys, path
            if "cursor" in parameters:
                assert parameters["limit"]["schema"]["maximum"] == 200, path

"""Every link of the published description leads from a real answer to another one."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode

import orjson
import pytest

from api_builders import START, Api, Document, of_payment, past, report
from serving.openapi_links import LINKS, Address

PUBLISHED: Document = orjson.loads((Path(__file__).parents[3] / "docs" / "openapi.json").read_bytes())
PLACES = {
    one["operationId"]: (method, path)
    for path, operations in PUBLISHED["paths"].items()
    for method, one in operations.items()
}
SETTLED = {"attempt_id": "att_9", "attempted_at": START.isoformat(), "outcome": "approved"}
NEEDED = {"settle": {"attempt": SETTLED}}
"""What a link's body lacks, because no answer can know it."""


def asked_and_answered(api: Api, failed: Document, address: Address) -> tuple[Document, Document]:
    """A request to an address, as its parts, and what came back, where something is there to go on with."""
    for event in past(2):
        api.post("/v1/attempts", event)
    body = failed | {"reserve": True}
    decided = api.post("/v1/decisions", body)
    api.post("/v1/decisions", of_payment(body, "inv_2"))
    api.post("/v1/attempts", report("e9", "old_9", START - timedelta(hours=5), payment="inv_2"))
    if address == ("post", "/v1/decisions"):
        return {"body": body}, decided
    parts: Document = {
        "path": {
            "payment_id": "inv_1",
            "method_id": "pm_1",
            "reservation_id": decided["reservation"]["reservation_id"],
        },
        "query": {"merchant_id": "acme", "limit": "1"},
    }
    bodies: dict[str, Document] = {
        "/v1/attempts": past(1)[0],
        "/v1/payments/{payment_id}/events": {
            "merchant_id": "acme",
            "event_id": "p1",
            "kind": "consent_given",
            "method_id": "pm_1",
            "happened_at": START.isoformat(),
        },
        "/v1/reservations/{reservation_id}/settle": {"merchant_id": "acme", "attempt": SETTLED},
    }
    parts["body"] = bodies.get(address[1], {"merchant_id": "acme"}) if address[0] == "post" else None
    return parts, called(api, address, parts)


def called(api: Api, address: Address, parts: Document) -> Document:
    method, path = address
    filled = re.sub(r"\{(\w+)\}", lambda found: str(parts["path"][found[1]]), path)
    known = {one.get("name") for one in PUBLISHED["paths"][path][method].get("parameters", ())}
    query = {name: value for name, value in parts.get("query", {}).items() if name in known}
    response = api.send(method.upper(), f"{filled}?{urlencode(query)}", parts.get("body"))
    assert response.status_code == 200, (address, response.text)
    answer: Document = orjson.loads(response.content)
    return answer


def value_of(expression: str, asked: Document, answer: Document) -> object:
    """A runtime expression of OpenAPI, as far as the links use them."""
    source, _, pointer = expression.partition("#/")
    if not pointer:
        _, place, name = source.split(".")
        return asked[place][name]
    found: object = answer if source == "$response.body" else asked["body"]
    for part in pointer.split("/"):
        found = found[int(part)] if isinstance(found, list) else found[part]  # type: ignore[index]
    return found


@pytest.mark.parametrize(
    ("address", "name"),
    [(address, link.name) for address, links in LINKS.items() for link in links],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_a_link_leads_from_a_real_answer_to_another(api: Api, failed: Document, address: Address, name: str) -> None:
    asked, answer = asked_and_answered(api, failed, address)
    link = PUBLISHED["paths"][address[1]][address[0]]["responses"]["200"]["links"][name]
    target = PLACES[link["operationId"]]
    given = {key: value_of(text, asked, answer) for key, text in link["parameters"].items()}
    parts: Document = {"path": given, "query": {key: given[key] for key in given if f"{{{key}}}" not in target[1]}}
    if target[0] == "post":
        body = {key: value_of(text, asked, answer) for key, text in link["requestBody"].items()}
        parts["body"] = body | NEEDED.get(name, {})
    called(api, target, parts)

"""A card number that comes in at any door is refused there, and stands nowhere afterwards: answer, log or database."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api_builders import Api, Document
from features.card_number import holds_card_number

PUBLISHED: Document = orjson.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())
CARD = "4111 1111 1111 1111"
DIGITS = "4111111111111111"
ADDRESSES = [
    (method, path) for path, operations in PUBLISHED["paths"].items() for method in operations if "webhooks" not in path
]
QUIET = settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def bodies(method: str, path: str) -> list[Any]:
    """The worked examples of an address."""
    body = PUBLISHED["paths"][path][method].get("requestBody")
    if path.endswith("/batch"):
        return [[one] for one in bodies("post", "/v1/decisions")]
    examples = body["content"]["application/json"]["examples"] if body else {}
    return [example["value"] for example in examples.values()]


def with_a_card(tree: Any) -> Iterator[Any]:
    """The tree with a card number in place of each of its texts, and as the name of each of its fields, in turn."""
    parts = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in parts:
        if isinstance(value, str):
            changed = copy.copy(tree)
            changed[key] = CARD
            yield changed
        for inner in with_a_card(value):
            changed = copy.copy(tree)
            changed[key] = inner
            yield changed
    if isinstance(tree, dict):
        yield {**tree, CARD: 1}


def stands_nowhere(folder: Path, logged: str) -> None:
    assert DIGITS not in logged
    assert CARD not in logged
    for file in folder.rglob("*"):
        if file.is_file():
            assert DIGITS.encode() not in file.read_bytes()
            assert CARD.encode() not in file.read_bytes()


@pytest.mark.parametrize(("method", "path"), ADDRESSES, ids=lambda one: one)
def test_in_a_path_a_query_a_header_or_a_body_it_is_refused_and_stands_nowhere(
    api: Api, tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str, path: str
) -> None:
    operation = PUBLISHED["paths"][path][method]
    plain = path.replace("{reservation_id}", "rsv_1").replace("{payment_id}", "inv_1").replace("{method_id}", "pm_1")
    plain = plain.replace("{processor}", "stripe").replace("{code}", "51")
    given = next(iter(bodies(method, path)), None)
    names = [one["name"] for one in operation.get("parameters", []) if one.get("in") in {"path", "query"}]
    calls: list[tuple[str, Any, dict[str, str]]] = []
    for name in names:
        for card in (CARD, DIGITS):
            place = f"{{{name}}}"
            there = path.replace(place, quote(card)) if place in path else f"{plain}?{name}={quote(card)}"
            calls.append((there.replace("{", "").replace("}", ""), given, {}))
    calls += [(plain, body, {}) for example in bodies(method, path)[:2] for body in with_a_card(example)]
    if method == "post":
        calls.append((plain, given, {"idempotency-key": DIGITS}))
    for there, body, headers in calls:
        response = Api(api.app, api.clock, headers).send(method.upper(), there, body)
        status = response.json()[0]["status"] if isinstance(body, list) and response.status_code == 200 else None
        # What is of sandboxes is refused to whoever has no key of one, whatever else is wrong with it.
        refused = {422, 403} if path.startswith("/v1/sandbox") else {422}
        assert (status or response.status_code) in refused, (there, body, headers, response.text)
        assert not holds_card_number(response.text), response.text
    for header in ("x-request-id", "user-agent", "referer", "authorization", "cookie", "content-type", "accept", "x-y"):
        response = Api(api.app, api.clock, {header: CARD}).send(method.upper(), plain, given)
        assert response.status_code < 500
        assert not holds_card_number(f"{response.text}\n{response.headers}")
    stands_nowhere(tmp_path, capsys.readouterr().err)


@QUIET
@given(prefix=st.sampled_from(["4", "51", "34", "6011", "35"]), length=st.integers(13, 19), data=st.data())
def test_whatever_the_card_and_however_it_is_written_it_is_refused(
    api: Api, failed: Document, prefix: str, length: int, data: st.DataObject
) -> None:
    digits = prefix + data.draw(
        st.text("0123456789", min_size=length - 1 - len(prefix), max_size=length - 1 - len(prefix))
    )
    check = next(str(last) for last in range(10) if luhn(digits + str(last)))
    card = data.draw(st.sampled_from(["", " ", "-"])).join(digits + check)
    body = copy.deepcopy(failed)
    body["payment"]["customer_id"] = data.draw(st.sampled_from([card, f"card {card}", f"{card}/x"]))
    response = api.send("POST", "/v1/decisions", body)
    assert response.status_code == 422
    assert card not in response.text


def luhn(digits: str) -> bool:
    """The check as the standard words it: every second digit from the right doubled, its digits added."""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return sum(sum(map(int, str(d))) for d in doubled) % 10 == 0


@pytest.mark.parametrize("path", [f"/{DIGITS}", f"/v1/{quote(CARD)}/x", f"/v1/nothing/{DIGITS}", f"/x%0A{DIGITS}"])
def test_an_address_that_does_not_exist_repeats_no_card_number(
    api: Api, path: str, capsys: pytest.CaptureFixture[str]
) -> None:
    response = api.send("GET", path)
    assert response.status_code == 404
    assert not holds_card_number(response.text)
    assert DIGITS not in response.text
    assert DIGITS not in capsys.readouterr().err

"""Whatever one field of what is told to the ledger is changed to, the service answers or refuses; it never fails."""

import asyncio
import copy
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
import pytest
from fastapi import FastAPI
from hypothesis import given, settings
from hypothesis import strategies as st

from features.vocabulary import Credential, Initiator, Network, Outcome, Precision, Rail
from serving.app import create_app
from serving.ledger_access import open_ledger
from serving.ledger_examples import CHECKS, PAYMENT_EVENTS, RELEASES, REPORTS, SETTLINGS
from serving.ledger_schemas import PaymentEventKind, ReportKind
from serving.service import prior_service
from serving.settings import Settings

Document = dict[str, Any]  # a JSON document that tests take apart

ADDRESSES = {
    "/v1/attempts": REPORTS,
    "/v1/payments/inv_1/events": PAYMENT_EVENTS,
    "/v1/reservations/rsv_1/check": CHECKS,
    "/v1/reservations/rsv_1/settle": SETTLINGS,
    "/v1/reservations/rsv_1/release": RELEASES,
}
CALLS: list[tuple[str, Any]] = [
    (path, example["value"]) for path, examples in ADDRESSES.items() for example in examples.values()
]
FINE = (200, 404, 409, 422)

kinds = (Network, Rail, Credential, Initiator, Outcome, Precision, ReportKind, PaymentEventKind)
words = st.sampled_from([word.value for kind in kinds for word in kind])
texts = st.sampled_from(
    [
        "", " ", "\u0000", "ÿ", "\u202e", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-06-30T23:59:60Z",
        "2026-11-25T07:30:00.000001-12:00", "JPY", "XXX", "DE", "4242 4242 4242 4242", "R01", "x" * 200, "x" * 201,
    ]
)  # fmt: skip
values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False),
    words, texts, st.text(max_size=12), st.just([]), st.just({}),
)  # fmt: skip


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    folder, service = tmp_path_factory.mktemp("ledger"), prior_service()
    given_settings = Settings(home=folder, database=f"sqlite:///{folder}/l.db?synchronous=normal", log_format="json")
    with closing(open_ledger(given_settings, service.rulebook)) as ledger:
        clock = datetime(2026, 12, 1, tzinfo=UTC)
        yield create_app(given_settings, service=service, ledger=ledger, clock=lambda: clock)


def places(value: Any, at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every field of the document."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield (*at, key)
            yield from places(part, (*at, key))


@st.composite
def mutated(draw: st.DrawFn) -> tuple[str, Document]:
    """A worked example with up to three fields changed or removed."""
    path, body = copy.deepcopy(draw(st.sampled_from(CALLS)))
    for _ in range(draw(st.integers(1, 3))):
        *way, key = draw(st.sampled_from(sorted(places(body))))
        holder: Any = body
        for part in way:
            holder = holder[part]
        if draw(st.integers(0, 9)) == 0:
            del holder[key]
        else:
            holder[key] = draw(values)
        if not body:
            break
    return path, body


def post(app: FastAPI, path: str, body: object) -> httpx.Response:
    async def once() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://recoup") as client:
            return await client.post(path, content=orjson.dumps(body), headers={"content-type": "application/json"})

    return asyncio.run(once())


@pytest.mark.parametrize("example", [e for e in REPORTS if e != "settling"])
def test_every_worked_report_is_taken(app: FastAPI, example: str) -> None:
    assert post(app, "/v1/attempts", REPORTS[example]["value"]).status_code == 200


@pytest.mark.parametrize("example", PAYMENT_EVENTS)
def test_every_worked_event_is_taken(app: FastAPI, example: str) -> None:
    assert post(app, "/v1/payments/inv_2207/events", PAYMENT_EVENTS[example]["value"]).status_code == 200


@given(changed=mutated())
@settings(max_examples=200, deadline=None)
def test_a_changed_body_is_answered_or_refused(app: FastAPI, changed: tuple[str, Document]) -> None:
    response = post(app, *changed)
    assert response.status_code in FINE, response.text
    assert "Traceback" not in response.text
    if response.status_code == 422:
        assert orjson.loads(response.content)["errors"]

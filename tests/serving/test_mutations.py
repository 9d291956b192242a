"""Whatever one field of a request is changed to, the service answers or refuses; it never fails."""

import asyncio
import copy
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from features.vocabulary import Credential, Funding, Initiator, Network, Outcome, Precision, Rail
from serving.app import create_app
from serving.examples import EXAMPLES
from serving.service import prior_service
from serving.settings import Settings

Document = dict[str, Any]  # a JSON document that tests take apart
Path = tuple[str | int, ...]

APP = create_app(Settings(log_format="json"), service=prior_service(), clock=lambda: datetime(2026, 11, 26, tzinfo=UTC))
REQUESTS: list[Document] = [orjson.loads(example.body) for example in EXAMPLES]

words = st.sampled_from(
    [w.value for k in (Network, Rail, Funding, Credential, Initiator, Outcome, Precision) for w in k]
)
texts = st.sampled_from(
    [
        "", " ", "\u0000", "ÿ", "0001-01-01", "9999-12-31", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
        "2026-11-25T07:30:00.000001-12:00", "2026-06-30T23:59:60Z", "JPY", "KWD", "XXX", "ZZ", "SA", "DE",
        "Pacific/Kiritimati", "Africa/Casablanca", "4242 4242 4242 4242", "07", "R01", "24", "MS03", "x" * 200,
    ]
)  # fmt: skip
values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63), st.floats(allow_nan=False, allow_infinity=False),
    words, texts, st.text(max_size=12), st.just([]), st.just({}), st.lists(words, max_size=3),
)  # fmt: skip


def places(value: Any, at: Path = ()) -> Iterator[Path]:
    """Every place in the document that holds something."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inner:
        yield (*at, key)
        yield from places(part, (*at, key))


@st.composite
def mutated(draw: st.DrawFn) -> Document:
    """A worked example with up to three places changed, added or removed."""
    document = copy.deepcopy(draw(st.sampled_from(REQUESTS)))
    for _ in range(draw(st.integers(1, 3))):
        *path, key = draw(st.sampled_from(sorted(places(document), key=str)))
        holder: Any = document
        for part in path:
            holder = holder[part]
        if isinstance(holder, dict) and draw(st.integers(0, 9)) == 0:
            del holder[key]
        else:
            holder[key] = draw(values)
    return document


async def _post(body: bytes) -> httpx.Response:
    transport = httpx.ASGITransport(APP)
    async with httpx.AsyncClient(transport=transport, base_url="http://recoup") as client:
        return await client.post("/v1/decisions", content=body, headers={"content-type": "application/json"})


@given(mutated())
@settings(max_examples=150, deadline=None)
def test_a_changed_request_is_answered_or_refused(document: Document) -> None:
    response = asyncio.run(_post(orjson.dumps(document)))
    assert response.status_code in (200, 422), response.text
    if response.status_code == 422:
        assert "Traceback" not in response.text
        assert orjson.loads(response.content)["errors"]

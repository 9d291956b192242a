"""Whatever a sender who holds the secret delivers is kept and answered; whatever else comes is refused."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.card_number import holds_card_number
from features.sources.masking import without_card_numbers
from serving.webhooks import deliveries
from serving.webhooks.signatures import SOURCES
from webhook_builders import Hooks, Post, names, payload, send, signed

QUIET = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False),
    st.text(max_size=20),
    st.sampled_from(["", "\0", "\x1b[2J", "9" * 400, "4242 4242 4242 4242", "2026-13-45", "EUR", "NaN", "\ud7ff"]),
    st.just([]),
    st.just({}),
    st.just([[{}]]),
)
HOSTILE = (
    b"",
    b"{",
    b"null",
    b"[]",
    b"3",
    b'"x"',
    b"\xff\xfe{\x00}\x00",
    b"[" * 10_000 + b"]" * 10_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    *(b'{"a":' * deep + b"1" + b"}" * deep for deep in (100, 101, 253, 300, 1_024)),
    *(b'{"type":"attempt.reported","data":{"x":%b%b}}' % (b"[" * deep, b"]" * deep) for deep in (98, 99, 252, 300)),
    b"<a>" * 10_000 + b"</a>" * 10_000,
    b'<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><a>&z;</a>',
    b'{"type": "charge.failed"}',
    b'{"notificationItems": [1, null, {"NotificationRequestItem": []}]}',
    b'{"events": {"a": 1}}',
    b'{"events": [' + b"{}," * 5_000 + b"{}]}",
    json.dumps({str(i): i for i in range(20_000)}).encode(),
    b'{"type": "attempt.reported", "data": [1]}',
    b"\0" * 1_000,
)


def ends_well(hooks: Hooks, post: Post) -> str:
    """The answer is no failure of ours, and what was believed is kept: the state it is in."""
    (response,) = send(hooks.api.app, [post])
    assert response.status_code in {200, 401}, response.text
    assert "Traceback" not in response.text
    if response.status_code == 401 or post.source == "adyen":
        return str(response.status_code)
    kept = deliveries.found(hooks.ledger.store, response.json()["delivery_id"])
    # Bodies that differ in card numbers only are one delivery, so the first may have been kept unmarked.
    assert kept.marked or kept.body in {post.body, without_card_numbers(post.body).body}
    # Milliseconds and microseconds since 1970 are told apart.
    assert not holds_card_number(re.sub(r"(?<![0-9])1[0-9]{12}(?:[0-9]{3})?(?![0-9])", "", kept.body.decode("latin-1")))
    return str(response.json()["state"])


@pytest.mark.parametrize("source", SOURCES)
def test_hostile_bodies_with_a_good_signature_are_kept_with_the_reason(hooks: Hooks, source: str) -> None:
    for body in HOSTILE:
        post = signed(source, body)
        assert ends_well(hooks, post) in {"failed", "ignored", "200", "401"}
        assert ends_well(hooks, Post(source, body, {})) == "401" or source == "braintree"
    assert hooks.counts().get("stored", 0) == 0


@pytest.mark.parametrize("source", SOURCES)
def test_truncated_at_any_place_it_is_kept_with_the_reason(hooks: Hooks, source: str) -> None:
    body = payload(names(source)[0]).rstrip()
    for end in range(0, len(body), max(1, len(body) // 6)):
        assert ends_well(hooks, signed(source, body[:end])) in {"failed", "ignored", "200", "401"}


def changed(tree: object, path: list[int], value: object) -> object:
    """The tree with one place replaced; the path picks among what is there."""
    if not path or not isinstance(tree, dict | list) or not tree:
        return value
    first, rest = path[0], path[1:]
    if isinstance(tree, list):
        at = first % len(tree)
        return [changed(one, rest, value) if i == at else one for i, one in enumerate(tree)]
    key = sorted(tree)[first % len(tree)]
    return {**tree, key: changed(tree[key], rest, value)}


@pytest.mark.parametrize("source", [source for source in SOURCES if source not in {"braintree", "adyen"}])
@QUIET
@given(data=st.data())
def test_any_value_in_any_place_is_kept_and_never_a_failure_of_ours(
    hooks: Hooks, source: str, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from([name for name in names(source) if name.endswith(".json")]))
    path = data.draw(st.lists(st.integers(0, 40), min_size=1, max_size=6))
    body = json.dumps(changed(json.loads(payload(name)), path, data.draw(VALUES))).encode()
    ends_well(hooks, signed(source, body))


@QUIET
@given(
    st.sampled_from(SOURCES),
    st.binary(max_size=200),
    st.dictionaries(
        st.sampled_from(
            [
                "stripe-signature",
                "webhook-signature",
                "webhook-id",
                "webhook-timestamp",
                "cko-signature",
                "hmacsignature",
                "authorization",
                "recurly-signature",
            ]
        ),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    ),
)
def test_any_headers_and_any_body_are_refused_where_nobody_signed_them(
    hooks: Hooks, source: str, body: bytes, headers: dict[str, str]
) -> None:
    assert ends_well(hooks, Post(source, body, headers)) == "401"

"""Contexts survive being stored, and equal contexts are stored alike."""

import orjson
import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter

from context_builders import card, context, contexts, debit, failed
from features.context import Context
from features.context_json import context_from_json, context_to_json
from features.errors import InvalidValueError


@given(contexts())
@settings(max_examples=100, deadline=None)
def test_a_stored_context_comes_back_as_it_was(original: Context) -> None:
    stored = context_to_json(original)
    assert context_from_json(stored) == original
    assert context_to_json(context_from_json(stored)) == stored


@given(contexts())
@settings(max_examples=30, deadline=None)
def test_what_is_stored_is_what_pydantic_takes_for_the_json_of_a_context(original: Context) -> None:
    values = TypeAdapter(Context).dump_python(original, mode="json")
    assert context_to_json(original) == orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def test_keys_are_sorted_so_that_equal_contexts_have_equal_bytes() -> None:
    stored = context_to_json(context([card()], [failed(card())])).decode()
    assert stored.index('"as_of"') < stored.index('"attempts"') < stored.index('"methods"') < stored.index('"payment"')


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ((b'"card"', b'"paper"'), "methods.0.rail"),
        ((b'"EUR"', b'"EURO"'), "currency"),
        ((b"4900", b'"4900"'), "amount_minor"),
        ((b'"payment_id":"inv_1"', b'"payment":"inv_1"'), "payment_id"),
        ((b"{", b"["), "context"),
    ],
)
def test_what_is_no_context_is_refused_by_field(change: tuple[bytes, bytes], names: str) -> None:
    stored = context_to_json(context([card(), debit()], [failed(card())]))
    with pytest.raises(InvalidValueError, match=names):
        context_from_json(stored.replace(*change))

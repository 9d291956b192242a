"""What is sent and read back is the same; what is new is passed over; what is wrong is named."""

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.client.codec import decode, decode_either, encode
from serving.client.errors import UnexpectedAnswerError
from serving.client.shapes import (
    DecisionAnswer,
    DecisionRequest,
    HoldAction,
    MoneyOut,
    NoGoReason,
    ReasonCode,
    SettledAttempt,
    TimelineEntry,
)


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Anything of a type, as the types of shapes are made."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is UnionType:
        enums = [one for one in parts if isinstance(one, type) and issubclass(one, Enum)]
        return st.one_of([values_of(one) for one in parts if not (enums and one is str)])
    if origin is Literal:
        return st.sampled_from(parts)
    if origin is tuple:
        return st.lists(values_of(parts[0]), max_size=2).map(tuple)
    if origin is not None:
        return st.dictionaries(st.text(max_size=3), st.integers(), max_size=2)
    if hint is NoneType:
        return st.none()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if isinstance(hint, type) and is_dataclass(hint):
        return st.builds(hint, **{name: values_of(one) for name, one in get_type_hints(hint).items()})
    plain: dict[Any, st.SearchStrategy[Any]] = {
        str: st.text(max_size=5),
        int: st.integers(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        bool: st.booleans(),
        datetime: st.datetimes(timezones=st.just(UTC)),
        date: st.dates(),
    }
    return plain[hint]


def with_nulls(shape: Any, tree: Any) -> Any:
    """As the service answers: fields that are not known are null."""
    return {field.name: None for field in fields(shape)} | tree


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
def test_any_shape_comes_back_as_it_was_sent(data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from([MoneyOut, NoGoReason, SettledAttempt, DecisionRequest, TimelineEntry]))
    value = data.draw(values_of(shape))
    tree = json.loads(json.dumps(encode(value)))
    if not isinstance(value, DecisionRequest):
        tree = with_nulls(shape, tree)
    assert decode(shape, tree) == value


def test_fields_that_are_new_are_passed_over_and_words_that_are_new_are_kept() -> None:
    told = {"code": "a_new_reason", "sentence": "…", "rule_id": None, "since": 3}
    assert decode(NoGoReason, told).code == "a_new_reason"
    assert decode(NoGoReason, told | {"code": "paid"}).code is ReasonCode.PAID


def test_what_is_missing_or_of_another_kind_is_named_with_its_place() -> None:
    with pytest.raises(UnexpectedAnswerError, match="currency"):
        decode(MoneyOut, {"amount_minor": 1})
    with pytest.raises(UnexpectedAnswerError, match="amount_minor: '1' came; expected int"):
        decode(MoneyOut, {"amount_minor": "1", "currency": "EUR"})
    with pytest.raises(UnexpectedAnswerError, match="amount_minor: True"):
        decode(MoneyOut, {"amount_minor": True, "currency": "EUR"})
    with pytest.raises(UnexpectedAnswerError, match="the answer"):
        decode(MoneyOut, [1])


def test_an_instant_without_a_time_zone_is_refused_before_it_is_sent() -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        encode(datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(TypeError, match="a set has no form in JSON"):
        encode({1})


def test_actions_are_told_apart_by_their_kind() -> None:
    hint = get_type_hints(DecisionAnswer)["action"]
    assert HoldAction in get_args(hint)
    hold = {"kind": "hold", "reason": "on_hold", "propensity": 1.0}
    assert isinstance(decode_either(HoldAction, MoneyOut, hold), HoldAction)
    assert isinstance(decode_either(HoldAction, MoneyOut, {"amount_minor": 1, "currency": "EUR"}), MoneyOut)

"""Retries as columns are the retries they were made of, in their order, each made once."""

from datetime import UTC, datetime, timedelta
from random import Random

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.action import Retry, Slot
from features.proposed import Proposed

NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
ROUTES = (("card_1", "north"), ("card_1", "south"), ("card_2", "north"))


def retry(route: int, hour: int) -> Retry:
    at = NOW + timedelta(hours=hour)
    return Retry(Slot(at, at + timedelta(hours=1)), *ROUTES[route])


hours = st.lists(st.integers(0, 40), max_size=6, unique=True).map(sorted)


@given(st.tuples(hours, hours, hours))
def test_routes_are_joined_in_order_of_time_and_then_in_their_own(each: tuple[list[int], ...]) -> None:
    plain = [retry(r, hour) for r, theirs in enumerate(each) for hour in theirs]
    expected = sorted(plain, key=lambda one: (one.slot.start, ROUTES.index((one.method_id, one.processor))))
    columns = []
    for route, theirs in zip(ROUTES, each, strict=True):
        slots = [retry(0, hour).slot for hour in theirs]
        start = np.array([slot.start_micros for slot in slots], dtype=np.int64)
        columns.append((route, start, np.array([slot.end_micros for slot in slots], dtype=np.int64)))
    assert list(Proposed.in_order(columns)) == expected
    assert Proposed.in_order(columns) == Proposed.of(expected)


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 40)), max_size=12), st.integers(0, 1_000))
def test_columns_are_those_of_the_retries_also_of_some_of_some(drawn: list[tuple[int, int]], seed: int) -> None:
    plain = tuple(retry(*one) for one in drawn)
    some = sorted(Random(seed).sample(range(len(plain)), len(plain) // 2))
    chosen = Proposed.of(plain).take(np.array(some, dtype=np.int64))
    assert list(chosen) == [plain[i] for i in some]
    assert list(chosen[::2]) == [plain[i] for i in some][::2]
    assert chosen.start.tolist() == [one.slot.start_micros for one in chosen]
    assert chosen.end.tolist() == [one.slot.end_micros for one in chosen]
    assert [chosen.routes[r] for r in chosen.route] == [(one.method_id, one.processor) for one in chosen]
    names, of_route = chosen.methods
    assert [names[m] for m in of_route[chosen.route]] == [one.method_id for one in chosen]


def test_a_retry_is_made_once_for_all_who_look() -> None:
    start = np.array([retry(0, hour).slot.start_micros for hour in (1, 2)], dtype=np.int64)
    every = Proposed.in_order([(ROUTES[0], start, start + 1)])
    assert every.take(np.array([1]))[0] is every[1]
    assert every.take(np.array([1])).take(np.array([0]))[0] is every[1]


def test_retries_that_are_there_stay_the_objects_they_are() -> None:
    plain = (retry(0, 1), retry(1, 2))
    assert all(ours is theirs for ours, theirs in zip(Proposed.of(plain), plain, strict=True))
    columns = Proposed.of(plain)
    assert Proposed.of(columns) is columns
    assert hash(Proposed.of(plain)) == hash(Proposed.of(list(plain)))
    assert repr(plain[0]) in repr(Proposed.of(plain))

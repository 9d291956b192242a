"""Routes and days of retries, against the calendar of each retry's issuer asked one by one."""

from datetime import date

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import card, context, contexts, debit, failed
from features.action import Retry
from features.context import Context
from model.candidates import candidates, horizon_of
from model.issuer_clock import issuer_clock
from model.placed import first_of_each, placed
from model.wording import local_date


def day_of(failure: Context, retry: Retry) -> date:
    return local_date(retry.slot.start, issuer_clock(failure, failure.method(retry.method_id)).zone)


@given(contexts())
@settings(max_examples=30, deadline=None)
def test_every_retry_lies_on_its_route_and_on_the_day_of_its_issuer(failure: Context) -> None:
    retries = candidates(failure, horizon_of(failure))
    where = placed(failure, retries)
    assert [where.routes[i] for i in where.route] == [(r.method_id, r.processor) for r in retries]
    assert list(where.routes) == list(dict.fromkeys((r.method_id, r.processor) for r in retries))
    assert [date(1970, 1, 1).toordinal() + day for day in where.day.tolist()] == [
        day_of(failure, retry).toordinal() for retry in retries
    ]


def test_what_lies_on_the_same_route_and_day_is_of_a_kind_whatever_else_there_is() -> None:
    cards = [card("a", processors=("north", "south")), card("b", time_zone="Asia/Tokyo"), debit()]
    failure = context(cards, [failed(cards[0])], days=6)
    retries = candidates(failure, horizon_of(failure))
    some = [retry for retry in retries if retry.method_id != "a"]
    among = (("b", "north"), ("a", "south"))
    for few in (retries, some):
        kinds = placed(failure, few).kinds(among)
        expected = [
            (among.index((r.method_id, r.processor)), day_of(failure, r))
            if (r.method_id, r.processor) in among
            else None
            for r in few
        ]
        same = np.equal.outer(kinds, kinds)
        assert same.tolist() == [[one == other for other in expected] for one in expected]
        assert ((kinds == -1) == np.array([one is None for one in expected])).all()


@given(contexts())
@settings(max_examples=30, deadline=None)
def test_the_groups_are_the_routes_and_days_in_order(failure: Context) -> None:
    retries = candidates(failure, horizon_of(failure))
    where = placed(failure, retries)
    group, count = where.groups
    each = list(zip(where.route.tolist(), where.day.tolist(), strict=True))
    rank = {kind: i for i, kind in enumerate(sorted(set(each)))}
    numbers = {number: i for i, number in enumerate(sorted(set(group.tolist())))}
    assert [numbers[number] for number in group.tolist()] == [rank[kind] for kind in each]
    assert all(0 <= number < count for number in numbers)


def test_others_come_after_these_on_the_routes_of_these() -> None:
    cards = [card("a", processors=("north", "south")), card("b", time_zone="Asia/Tokyo")]
    failure = context(cards, [failed(cards[0])], days=6)
    retries = candidates(failure, horizon_of(failure))
    whole = placed(failure, retries)
    first = whole.route.tolist().index(len(whole.routes) - 1) + 1
    both = placed(failure, retries[:first]).with_others(placed(failure, retries[first:]))
    assert both.routes == whole.routes
    assert both.route.tolist() == whole.route.tolist()
    assert both.day.tolist() == whole.day.tolist()


def test_no_retries_lie_nowhere() -> None:
    failure = context([card()], [failed(card())])
    where = placed(failure, [])
    assert where.routes == ()
    assert where.groups[1] == 0
    assert where.kinds([("card_1", "north")]).tolist() == []


@given(st.lists(st.integers(0, 5)))
def test_the_first_of_each_kind_is_where_it_is_met_first(kinds: list[int]) -> None:
    found = first_of_each(np.array(kinds, dtype=np.int64)).tolist()
    assert found == [i for i, kind in enumerate(kinds) if kind not in kinds[:i]]

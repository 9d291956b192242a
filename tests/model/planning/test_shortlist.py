"""The shortlist is the one that its description gives, looked up retry by retry, also among equals."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import timedelta
from random import Random

import numpy as np
import pytest

from context_builders import card, context, failed
from features.action import Retry
from features.context import Context
from features.vocabulary import Network
from model.candidates import candidates, horizon_of
from model.placed import placed
from model.planning.shortlist import AT_MOST, METHODS, ROUTES_APART, shortlist

HOURS = (1, 3, 6, 9, 12, 18, 24, 30, 36, 42, 48)


def stretches(failure: Context, retries: Sequence[Retry]) -> list[int]:
    found = []
    for retry, day in zip(retries, placed(failure, retries).day.tolist(), strict=True):
        near = bisect_right(HOURS, (retry.slot.start - failure.as_of) / timedelta(hours=1))
        found.append(near if near < len(HOURS) else len(HOURS) + day)
    return found


def first_uses(values: Sequence[object]) -> list[int]:
    order = list(dict.fromkeys(values))
    return [order.index(value) for value in values]


def best_of(places: Sequence[int], group: Sequence[object], net: Sequence[float]) -> list[int]:
    """Of each group the place with the highest value, the first of equals."""
    best: dict[object, int] = {}
    for i in places:
        if group[i] not in best or net[i] > net[best[group[i]]]:
            best[group[i]] = i
    return list(best.values())


def expected(
    failure: Context, retries: Sequence[Retry], p: Sequence[float], net: Sequence[float]
) -> tuple[list[int], list[int]]:
    """(what is kept, the stand-in of each)."""
    method = first_uses([retry.method_id for retry in retries])
    route = first_uses([(retry.method_id, retry.processor) for retry in retries])
    stretch = stretches(failure, retries)
    worth = {m: max(net[i] for i in range(len(net)) if method[i] == m) for m in set(method)}
    leading = sorted(worth, key=lambda m: (-worth[m], m))[:METHODS]
    among = [i for i in range(len(retries)) if method[i] in leading]
    best = sorted(best_of(among, list(zip(stretch, route, strict=True)), net), key=lambda i: (stretch[i], route[i]))
    of_method = list(zip(method, stretch, strict=True))
    if len(best) > ROUTES_APART:
        kept: list[int] = []
        for i in sorted(best, key=lambda i: (-net[i], -p[i])):
            if all(p[i] > p[k] for k in kept if of_method[k] == of_method[i]):
                kept.append(i)
        best = [i for i in best if i in kept]
    if len(best) > AT_MOST:
        best = best_of(best, of_method, net)
    best.sort()
    by_method = {of_method[i]: place for place, i in enumerate(best)}
    by_route = {(route[i], stretch[i]): place for place, i in enumerate(best)}
    own = zip(route, stretch, of_method, strict=True)
    return best, [by_route.get((r, s), by_method.get(both, -1)) for r, s, both in own]


@pytest.mark.parametrize(
    ("methods", "processors", "days", "steps"), [(1, 2, 9, 4), (4, 2, 20, 6), (3, 3, 60, 9), (3, 3, 60, 900)]
)
def test_the_best_of_each_stretch_and_their_stand_ins(methods: int, processors: int, days: int, steps: int) -> None:
    random = Random(methods + days)
    names = ("north", "south", "west")[:processors]
    cards = [card(f"card_{m}", random.choice(list(Network)[:3]), processors=names) for m in range(methods)]
    failure = context(cards, [failed(cards[0])], days=days)
    retries = candidates(failure, horizon_of(failure))
    # Few different values, so that many are equal.
    p = np.array([random.randint(1, steps) / (steps + 1) for _ in retries])
    net = np.array([float(random.randint(-2, steps)) for _ in retries])
    listed = shortlist(failure, retries, p, net)
    kept, stand_in = expected(failure, retries, p.tolist(), net.tolist())
    assert listed.kept.tolist() == kept
    assert listed.stand_in.tolist() == stand_in
    assert listed.start.tolist() == [retries[i].slot.start_micros for i in kept]
    assert listed.end.tolist() == [retries[i].slot.end_micros for i in kept]
    assert listed.method.tolist() == first_uses([retries[i].method_id for i in kept])
    assert listed.route.tolist() == first_uses([(retries[i].method_id, retries[i].processor) for i in kept])


def test_nothing_is_listed_of_nothing() -> None:
    method = card()
    assert len(shortlist(context([method], [failed(method)]), (), np.empty(0), np.empty(0))) == 0

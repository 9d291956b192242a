"""Which of the allowed retries a plan need look at: the best of each route and stretch, few methods, few routes.

The hours of one day differ in their chance but hardly in what they leave, so that of each route the best of the day
stands for the day; in the next two days, where hours matter, for a stretch of hours. Where that is still many, a route
that is worse than another of its method at the same time, in chance and in value, is left out, then every route but
the best; and more than three methods are cut to the best three. What is left out keeps a stand-in, by whose
future it is valued.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import MICROS_PER_HOUR, to_micros
from features.time_zones import local_day, local_micros
from model.issuer_clock import issuer_clock

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

METHODS = 3
ROUTES_APART = 120
"""Up to so many moves every route of a method is looked at by itself."""
AT_MOST = 240
"""Beyond so many only the best route of each method and stretch is."""

_STRETCHES = np.array([1, 3, 6, 9, 12, 18, 24, 30, 36, 42, 48], dtype=np.int64) * MICROS_PER_HOUR
_NONE = -1


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The retries to plan with.

    Args:
        kept: Their positions among all, rising, shape (n,).
        stand_in: For every retry the position within `kept` of the one that stands for it, -1 for none.
        start, end: When each kept slot begins and ends, microseconds, shape (n,).
        method: Method of each kept retry, from 0 in the order of first use, shape (n,).
        route: The same for method and processor together.
    """

    kept: Int64s
    stand_in: Int64s
    start: Int64s
    end: Int64s
    method: Int64s
    route: Int64s

    def __len__(self) -> int:
        return int(self.kept.size)


def shortlist(context: Context, retries: Sequence[Retry], p: Floats, net: Floats) -> Shortlist:
    """The retries worth planning with.

    Args:
        retries: In order of time.
        p: Chance of each now, shape (n,).
        net: What each is worth by itself now, shape (n,).
    """
    start = np.array([retry.slot.start_micros for retry in retries], dtype=np.int64)
    method = _numbered([retry.method_id for retry in retries])
    route = _numbered([(retry.method_id, retry.processor) for retry in retries])
    stretch = _stretches(context, retries, start)
    best = _best_of(np.stack([route, stretch], axis=1), net)
    best = best[np.isin(method[best], _leading(method, net))]
    if best.size > ROUTES_APART:
        best = best[_undominated(method[best], stretch[best], p[best], net[best])]
    if best.size > AT_MOST:
        best = best[_best_of(np.stack([method[best], stretch[best]], axis=1), net[best])]
    kept = np.sort(best)
    end = np.array([retries[i].slot.end_micros for i in kept.tolist()], dtype=np.int64)
    stand_in = _stand_ins(kept, method, route, stretch)
    numbers = (_numbered(values[kept].tolist()) for values in (method, route))
    return Shortlist(kept, stand_in, start[kept], end, *numbers)


def _numbered(values: Sequence[object]) -> Int64s:
    """Each value's number in the order of first appearance."""
    place: dict[object, int] = {}
    return np.array([place.setdefault(value, len(place)) for value in values], dtype=np.int64)


def _stretches(context: Context, retries: Sequence[Retry], start: Int64s) -> Int64s:
    """The stretch of time each retry lies in: hours ahead within two days, from then on the issuer's day."""
    day = np.empty(len(retries), dtype=np.int64)
    method_ids = np.array([retry.method_id for retry in retries], dtype=np.str_)
    for method_id in np.unique(method_ids):
        theirs = method_ids == method_id
        zone = issuer_clock(context, context.method(str(method_id))).zone
        day[theirs] = local_day(local_micros(zone, start[theirs]))
    near = np.searchsorted(_STRETCHES, start - to_micros(context.as_of), side="right")
    return np.where(near < _STRETCHES.size, near, day + _STRETCHES.size)


def _best_of(groups: Int64s, net: Floats) -> Int64s:
    """Position of the highest value in each group (row of `groups`), the first of equals."""
    order = np.lexsort((np.arange(net.size), -net, *groups.T))
    fresh = np.append(True, (groups[order][1:] != groups[order][:-1]).any(axis=1))[: net.size]
    best: Int64s = order[fresh].astype(np.int64)
    return best


def _leading(method: Int64s, net: Floats) -> list[int]:
    """The methods whose best retry is worth most."""
    best = [(-float(net[method == m].max()), m) for m in np.unique(method).tolist()]
    return [m for _, m in sorted(best)[:METHODS]]


def _undominated(method: Int64s, stretch: Int64s, p: Floats, net: Floats) -> Int64s:
    """Positions of those for which no other of the method and stretch has both a better chance and a better value."""
    kept: list[int] = []
    best_p: dict[tuple[int, int], float] = {}
    for i in np.lexsort((np.arange(net.size), -p, -net)).tolist():
        group = (int(method[i]), int(stretch[i]))
        if p[i] > best_p.get(group, -1.0):
            best_p[group] = float(p[i])
            kept.append(i)
    return np.array(sorted(kept), dtype=np.int64)


def _stand_ins(kept: Int64s, method: Int64s, route: Int64s, stretch: Int64s) -> Int64s:
    """The kept retry of the same stretch and route, else of the same stretch and method."""
    by_route = {(int(route[i]), int(stretch[i])): place for place, i in enumerate(kept.tolist())}
    by_method = {(int(method[i]), int(stretch[i])): place for place, i in enumerate(kept.tolist())}
    keys = zip(route.tolist(), method.tolist(), stretch.tolist(), strict=True)
    found = [by_route.get((r, s), by_method.get((m, s), _NONE)) for r, m, s in keys]
    return np.array(found, dtype=np.int64)

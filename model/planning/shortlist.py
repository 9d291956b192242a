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
from features.proposed import Proposed
from model.issuer_clock import issuer_day

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

METHODS = 3
ROUTES_APART = 120
"""Up to so many moves every route of a method is looked at by itself."""
AT_MOST = 240
"""Beyond so many only the best route of each method and stretch is."""

_STRETCHES = np.array([1, 3, 6, 9, 12, 18, 24, 30, 36, 42, 48], dtype=np.int64) * MICROS_PER_HOUR


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
    from model.planning.choosing import best_of_each, in_order_of_use, leading, stand_ins

    proposed = Proposed.of(retries)
    if not len(proposed):
        none = np.empty(0, dtype=np.int64)
        return Shortlist(none, none, none, none, none, none)
    _, of_route = proposed.methods
    route = in_order_of_use(proposed.route, len(proposed.routes))
    method = in_order_of_use(of_route[proposed.route], len(proposed.routes))
    stretch, stretches = _stretches(context, proposed)
    routes = len(proposed.routes)
    best = best_of_each(stretch * routes + route, stretches * routes, net, leading(method, net, METHODS)[method])
    if best.size > ROUTES_APART:
        best = _outstanding(best, stretch[best] * routes + method[best], p, net)
    if best.size > AT_MOST:
        chosen = best_of_each(
            stretch[best] * routes + method[best], stretches * routes, net[best], np.ones(best.size, dtype=np.bool_)
        )
        best = best[chosen]
    kept = np.sort(best)
    numbers = (in_order_of_use(values[kept], routes) for values in (method, route))
    stand_in = stand_ins(kept, method, route, stretch, stretches)
    return Shortlist(kept, stand_in, proposed.start[kept], proposed.end[kept], *numbers)


def _outstanding(best: Int64s, group: Int64s, p: Floats, net: Floats) -> Int64s:
    """Those of the best for which no other of the method and stretch has both a better chance and a better value."""
    from model.planning.choosing import undominated

    order = np.argsort(group, kind="stable")
    kept = undominated(group[order], p[best[order]], net[best[order]])
    found: Int64s = best[np.sort(order[kept])]
    return found


def _stretches(context: Context, proposed: Proposed) -> tuple[Int64s, int]:
    """(the stretch of time each retry lies in: hours ahead within two days, from then on the issuer's day; how many).

    Numbered from 0 in order of time.
    """
    day = issuer_day(context, proposed)
    near = np.searchsorted(_STRETCHES, proposed.start - to_micros(context.as_of), side="right")
    stretch = np.where(near < _STRETCHES.size, near, day - day.min() + _STRETCHES.size)
    return stretch, int(stretch.max()) + 1

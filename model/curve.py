"""The chance of every route over the horizon, as data to draw: the best slot of each day, allowed or forbidden."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import from_micros
from features.proposed import Proposed
from model.decision import Curve
from model.placed import DAYS, Placed, first_of_each, placed
from model.scorer import Scores

ROUTES = 4
POINTS = 32

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


def forbidden_points(context: Context, proposed: Sequence[Retry], allowed: Placed) -> Proposed:
    """The first slot of each day on which nothing of a route is allowed; only of routes allowed on some day."""
    every = Proposed.of(proposed)
    if len(every) == len(allowed.route):
        return every.take(np.empty(0, dtype=np.int64))
    shown = allowed.routes[:ROUTES]
    kinds = placed(context, every).kinds(shown)
    left = np.flatnonzero((kinds >= 0) & ~np.isin(kinds, allowed.kinds(shown)))
    return every.take(left[first_of_each(kinds[left])])


def curves(
    context: Context,
    allowed: Sequence[Retry],
    where: Placed,
    scores: Scores,
    forbidden: Sequence[Retry],
    denied: Scores,
) -> tuple[Curve, ...]:
    """One curve a route, at most four routes and 32 points each, evenly thinned.

    Args:
        where: Where the allowed retries lie.
        scores: Of the allowed retries.
        forbidden: One retry for each day without an allowed one, as `forbidden_points` gave them.
        denied: Their scores.
    """
    shown = where.routes[:ROUTES]
    start = np.concatenate([Proposed.of(retries).start for retries in (allowed, forbidden)])
    kinds = np.concatenate([where.kinds(shown), placed(context, forbidden).kinds(shown)])
    chance, low, high = (
        np.concatenate(pair)
        for pair in ((scores.probability, denied.probability), (scores.low, denied.low), (scores.high, denied.high))
    )
    best = best_of_each(kinds, chance)
    of_route = kinds[best] // DAYS
    drawn = []
    for place, route in enumerate(shown):
        points = best[of_route == place]
        kept = points[_thinned(len(points))]
        drawn.append(
            Curve(
                *route,
                start=tuple(map(from_micros, start[kept].tolist())),
                probability=_rounded(chance[kept]),
                low=_rounded(low[kept]),
                high=_rounded(high[kept]),
                allowed=tuple((kept < len(allowed)).tolist()),
            )
        )
    return tuple(drawn)


def best_of_each(kinds: Int64s, chance: Floats) -> Int64s:
    """Where each kind has its best chance, the first of equal ones; in order of the kinds.

    >>> best_of_each(np.array([4, 2, 4, 4]), np.array([0.1, 0.3, 0.2, 0.2])).tolist()
    [1, 2]
    """
    order = np.lexsort((-chance, kinds))
    ordered = kinds[order]
    return order[np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])[: ordered.size])]


@lru_cache(maxsize=512)
def _thinned(count: int) -> Int64s:
    """Which of so many points are drawn."""
    kept = np.unique(np.round(np.linspace(0, count - 1, min(POINTS, count))).astype(np.int64))
    kept.flags.writeable = False  # it is the same for all
    return kept


def _rounded(chances: Floats) -> tuple[float, ...]:
    return tuple([round(chance, 4) for chance in chances.tolist()])

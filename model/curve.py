"""The chance of every route over the horizon, as data to draw: the best slot of each day, allowed or forbidden."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import from_micros
from features.proposed import Proposed
from model.decision import Curve
from model.placed import Placed, first_of_each, placed
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
    start, chance, low, high = Proposed.of(allowed).start, scores.probability, scores.low, scores.high
    if len(forbidden):
        where = where.with_others(placed(context, forbidden))
        start = np.concatenate([start, Proposed.of(forbidden).start])
        chance, low, high = (
            np.concatenate(pair) for pair in ((chance, denied.probability), (low, denied.low), (high, denied.high))
        )
    drawn, ends = _drawn(where, chance)
    starts, may = tuple(map(_instant, start[drawn].tolist())), tuple((drawn < len(allowed)).tolist())
    middle, lower, upper = _rounded(chance[drawn]), _rounded(low[drawn]), _rounded(high[drawn])
    parts = [slice(begin, end) for begin, end in pairwise(ends)]
    return tuple(
        [
            Curve(*route, starts[part], middle[part], lower[part], upper[part], may[part])
            for route, part in zip(where.routes, parts, strict=False)
        ]
    )


def _drawn(where: Placed, chance: Floats) -> tuple[Int64s, list[int]]:
    """(the retries drawn, route by route in order of the days, where each route begins among them, and the end)."""
    best = _best_of_each_day(where, chance)
    edges = np.searchsorted(where.route[best], np.arange(min(len(where.routes), ROUTES) + 1)).tolist()
    kept = [best[begin:end][_thinned(end - begin)] for begin, end in pairwise(edges)]
    return np.concatenate([best[:0], *kept]), [*accumulate(map(len, kept), initial=0)]


def _best_of_each_day(where: Placed, chance: Floats) -> Int64s:
    """The best slot of each route and day, the first of equal ones; route by route, in order of the days."""
    from model.planning.choosing import best_of_each  # loads the compiler, which only deciding needs

    groups, count = where.groups
    return best_of_each(groups, count, chance, where.route < ROUTES)


_instant = lru_cache(maxsize=16_384)(from_micros)  # slots begin at the same instants in all decisions of an hour


@lru_cache(maxsize=512)
def _thinned(count: int) -> Int64s:
    """Which of so many points are drawn."""
    kept = np.unique(np.round(np.linspace(0, count - 1, min(POINTS, count))).astype(np.int64))
    kept.flags.writeable = False  # it is the same for all
    return kept


def _rounded(chances: Floats) -> tuple[float, ...]:
    return tuple([round(chance, 4) for chance in chances.tolist()])

"""The chance of every route over the horizon, as data to draw: the best slot of each day, allowed or forbidden."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.action import Retry
from features.context import Context
from features.proposed import Proposed
from model.decision import Curve
from model.issuer_clock import issuer_day, issuer_days
from model.scorer import Scores

ROUTES = 4
POINTS = 32

Route = tuple[str, str]


def forbidden_points(context: Context, proposed: Sequence[Retry], allowed: Sequence[Retry]) -> Proposed:
    """The first slot of each day on which nothing of a route is allowed; only of routes allowed on some day."""
    every, free = Proposed.of(proposed), Proposed.of(allowed)
    if not len(free):
        return every.take(np.empty(0, dtype=np.int64))
    number = {route: place for place, route in enumerate(every.routes)}
    route = np.array([number.get(name, -1) for name in free.routes], dtype=np.int64)[free.route]
    day, free_day = issuer_day(context, every), issuer_day(context, free)
    first = int(min(day.min(), free_day.min()))
    shape = (len(every.routes), int(max(day.max(), free_day.max())) - first + 1)
    open_ = np.zeros(shape, dtype=np.bool_)  # by route and day, what is wanted of no day of the routes left out
    open_[list(set(range(shape[0])) - set(list(dict.fromkeys(route.tolist()))[:ROUTES]))] = True
    open_[route, free_day - first] = True
    barred = np.flatnonzero(~open_[every.route, day - first])
    _, firsts = np.unique(every.route[barred] * shape[1] + day[barred], return_index=True)
    return every.take(barred[np.sort(firsts)])


def curves(
    context: Context, allowed: Sequence[Retry], scores: Scores, forbidden: Sequence[Retry], denied: Scores
) -> tuple[Curve, ...]:
    """One curve a route, at most four routes and 32 points each, evenly thinned.

    Args:
        scores: Of the allowed retries.
        forbidden: One retry for each day without an allowed one, as `forbidden_points` gave them.
        denied: Their scores.
    """
    routes = _routes(allowed)
    best: dict[Route, dict[int, Point]] = {route: {} for route in routes}
    for i, (retry, day) in enumerate(zip(forbidden, issuer_days(context, forbidden), strict=True)):
        best[_route(retry)][day] = Point(retry, denied, i, allowed=False)
    for i, (retry, day) in enumerate(zip(allowed, issuer_days(context, allowed), strict=True)):
        points = best.get(_route(retry))
        if points is not None and (day not in points or scores.probability[i] > points[day].probability):
            points[day] = Point(retry, scores, i, allowed=True)
    return tuple(_curve(route, [best[route][day] for day in sorted(best[route])]) for route in routes)


@dataclass(frozen=True, slots=True)
class Point:
    """One retry with where its score stands."""

    retry: Retry
    scores: Scores
    index: int
    allowed: bool

    @property
    def probability(self) -> float:
        """P(approved)."""
        return float(self.scores.probability[self.index])


def _curve(route: Route, points: Sequence[Point]) -> Curve:
    kept = np.unique(np.round(np.linspace(0, len(points) - 1, min(POINTS, len(points)))).astype(np.int64))
    chosen = [points[k] for k in kept.tolist()]
    scores = [point.scores[point.index] for point in chosen]
    return Curve(
        *route,
        start=tuple(point.retry.slot.start for point in chosen),
        probability=tuple(round(score.probability, 4) for score in scores),
        low=tuple(round(score.low, 4) for score in scores),
        high=tuple(round(score.high, 4) for score in scores),
        allowed=tuple(point.allowed for point in chosen),
    )


def _routes(retries: Sequence[Retry]) -> tuple[Route, ...]:
    return tuple(dict.fromkeys(map(_route, retries)))[:ROUTES]


def _route(retry: Retry) -> Route:
    return retry.method_id, retry.processor

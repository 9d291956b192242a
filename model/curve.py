"""The chance of every route over the horizon, as data to draw: the best slot of each day, allowed or forbidden."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from features.action import Retry
from features.context import Context
from model.decision import Curve
from model.issuer_clock import issuer_clock
from model.scorer import Scores
from model.wording import local_date

ROUTES = 4
POINTS = 32

Route = tuple[str, str]


def forbidden_points(context: Context, proposed: Sequence[Retry], allowed: Sequence[Retry]) -> tuple[Retry, ...]:
    """The first slot of each day on which nothing of a route is allowed; only of routes allowed on some day."""
    routes = _routes(allowed)
    days = {(_route(retry), _day(context, retry)) for retry in allowed}
    found: dict[tuple[Route, int], Retry] = {}
    for retry in proposed:
        key = (_route(retry), _day(context, retry))
        if key[0] in routes and key not in days:
            found.setdefault(key, retry)
    return tuple(found.values())


def curves(
    context: Context, allowed: Sequence[Retry], scores: Scores, forbidden: Sequence[Retry], denied: Scores
) -> tuple[Curve, ...]:
    """One curve a route, at most four routes and 32 points each, evenly thinned.

    Args:
        scores: Of the allowed retries.
        forbidden: One retry for each day without an allowed one, as `forbidden_points` gave them.
        denied: Their scores.
    """
    return tuple(_curve(context, route, allowed, scores, forbidden, denied) for route in _routes(allowed))


def _curve(
    context: Context, route: Route, allowed: Sequence[Retry], scores: Scores, forbidden: Sequence[Retry], denied: Scores
) -> Curve:
    best: dict[int, tuple[datetime, float, float, float, bool]] = {}
    for i, retry in enumerate(forbidden):
        if _route(retry) == route:
            best[_day(context, retry)] = (retry.slot.start, *_rounded(denied, i), False)
    for i, retry in enumerate(allowed):
        if _route(retry) == route:
            day, point = _day(context, retry), (retry.slot.start, *_rounded(scores, i), True)
            if day not in best or point[1] > best[day][1]:
                best[day] = point
    points = [best[day] for day in sorted(best)]
    kept = np.unique(np.round(np.linspace(0, len(points) - 1, min(POINTS, len(points)))).astype(np.int64))
    start, probability, low, high, may = zip(*(points[k] for k in kept.tolist()), strict=True)
    return Curve(*route, start, probability, low, high, may)


def _rounded(scores: Scores, index: int) -> tuple[float, float, float]:
    score = scores[index]
    return round(score.probability, 4), round(score.low, 4), round(score.high, 4)


def _routes(retries: Sequence[Retry]) -> tuple[Route, ...]:
    return tuple(dict.fromkeys(_route(retry) for retry in retries))[:ROUTES]


def _route(retry: Retry) -> Route:
    return retry.method_id, retry.processor


def _day(context: Context, retry: Retry) -> int:
    return local_date(retry.slot.start, issuer_clock(context, context.method(retry.method_id)).zone).toordinal()

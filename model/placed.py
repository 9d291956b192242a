"""Where retries lie: the route of each and the day of its issuer, worked out once for all that tells a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.proposed import Proposed, Route
from model.issuer_clock import issuer_day

Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Placed:
    """Routes and days of some retries.

    Args:
        routes: Every route, in the order in which they are met.
        route: Of each retry, its place among the routes, shape (n,).
        day: On which the slot starts on the issuer's clock, as days since 1970, shape (n,).
    """

    routes: tuple[Route, ...]
    route: Int64s
    day: Int64s

    def kinds(self, among: Sequence[Route]) -> Int64s:
        """A number for each route and day, the same for whatever lies there, rising with the days, shape (n,).

        Args:
            among: The routes that matter; a retry on another one has -1.
        """
        place = {route: i for i, route in enumerate(among)}
        known = np.array([place.get(route, -1) for route in self.routes], dtype=np.int64)
        route = known[self.route]
        return np.where(route < 0, -1, route * DAYS + self.day)


DAYS = 1 << 32
"""More than there are days; `kind // DAYS` is the route's place."""


def placed(context: Context, retries: Sequence[Retry]) -> Placed:
    """Where the retries lie."""
    proposed = Proposed.of(retries)
    used, first, route = np.unique(proposed.route, return_index=True, return_inverse=True)
    met = np.argsort(first)
    place = np.empty(used.size, dtype=np.int64)
    place[met] = np.arange(used.size)
    routes = tuple(proposed.routes[number] for number in used[met].tolist())
    return Placed(routes, place[route], issuer_day(context, proposed))


def first_of_each(kinds: Int64s) -> Int64s:
    """Where every kind is met first, rising.

    >>> first_of_each(np.array([7, 3, 7, 3, 9])).tolist()
    [0, 1, 4]
    """
    _, first = np.unique(kinds, return_index=True)
    return np.sort(first)

"""Where retries lie: the route of each and the day of its issuer, worked out once for all that tells a decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.proposed import Proposed, Route
from model.issuer_clock import issuer_day

Int64s = NDArray[np.int64]


@dataclass(frozen=True)
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

    @cached_property
    def groups(self) -> tuple[Int64s, int]:
        """(a number from 0 for each route and day, route by route and rising with the days; above all of them).

        Small numbers to count with, good among these retries only; `kinds` are good among any.
        """
        if not self.day.size:
            return self.day, 0
        first = self.day.min()
        days = int(self.day.max() - first) + 1
        return self.route * days + (self.day - first), len(self.routes) * days

    def with_others(self, others: "Placed") -> "Placed":
        """These and after them others, all of which lie on routes of these."""
        place = {route: i for i, route in enumerate(self.routes)}
        known = np.array([place[route] for route in others.routes], dtype=np.int64)
        return Placed(
            self.routes, np.concatenate([self.route, known[others.route]]), np.concatenate([self.day, others.day])
        )


NOWHERE = -1
DAYS = 1 << 32
"""More than there are days; `kind // DAYS` is the route's place."""


def placed(context: Context, retries: Sequence[Retry]) -> Placed:
    """Where the retries lie."""
    from model.planning.choosing import in_order_of_use  # loads the compiler, which only deciding needs

    proposed = Proposed.of(retries)
    route = in_order_of_use(proposed.route, len(proposed.routes))
    number = np.full(len(proposed.routes), NOWHERE, dtype=np.int64)
    number[route] = proposed.route
    routes = tuple([proposed.routes[i] for i in number.tolist() if i != NOWHERE])
    return Placed(routes, route, issuer_day(context, proposed))


def first_of_each(kinds: Int64s) -> Int64s:
    """Where every kind is met first, rising.

    >>> first_of_each(np.array([7, 3, 7, 3, 9])).tolist()
    [0, 1, 4]
    """
    _, first = np.unique(kinds, return_index=True)
    return np.sort(first)

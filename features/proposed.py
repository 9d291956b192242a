"""Retries of one payment that know themselves as columns, so that whoever needs numbers asks no retry one by one."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from features.action import Retry, Slot

Int64s = NDArray[np.int64]

Route = tuple[str, str]
"""Method and processor."""


class Proposed(tuple[Retry, ...]):
    """Retries, and the same as columns; every array has shape (n,).

    Attributes:
        start, end: When each slot begins and ends, microseconds.
        route: Place of each retry's route in `routes`.
        routes: The routes, each once; some may have no retry.
    """

    start: Int64s
    end: Int64s
    route: Int64s
    routes: tuple[Route, ...]

    @classmethod
    def of(cls, retries: Iterable[Retry]) -> "Proposed":
        """The retries as columns; those that are already stay as they are."""
        if isinstance(retries, Proposed):
            return retries
        found = tuple(retries)
        place: dict[Route, int] = {}
        route = [place.setdefault((retry.method_id, retry.processor), len(place)) for retry in found]
        start, end = ([getattr(retry.slot, name) for retry in found] for name in ("start_micros", "end_micros"))
        arrays = (np.array(values, dtype=np.int64) for values in (start, end, route))
        return cls._made(found, *arrays, tuple(place))

    @classmethod
    def in_order(cls, routes: Sequence[tuple[Route, Sequence[Slot], Int64s, Int64s]]) -> "Proposed":
        """The retries of some routes in order of time; at one instant in the order of the routes.

        Args:
            routes: Each with its slots, in order of time, and with their starts and ends, microseconds.
        """
        names = tuple(route for route, *_ in routes)
        if not names:
            return cls.of(())
        slots = [slot for _, theirs, *_ in routes for slot in theirs]
        start, end = (np.concatenate([entry[column] for entry in routes]) for column in (2, 3))
        route = np.repeat(np.arange(len(names), dtype=np.int64), [len(theirs) for _, theirs, *_ in routes])
        order = np.argsort(start, kind="stable")
        route = route[order]
        numbers = route.tolist()
        methods, processors = [method for method, _ in names], [processor for _, processor in names]
        columns = ([slots[i] for i in order.tolist()], [methods[r] for r in numbers], [processors[r] for r in numbers])
        return cls._made(map(Retry, *columns), start[order], end[order], route, names)

    def take(self, places: Int64s) -> "Proposed":
        """Those at some places."""
        chosen = map(self.__getitem__, places.tolist())
        return self._made(chosen, self.start[places], self.end[places], self.route[places], self.routes)

    @property
    def methods(self) -> tuple[tuple[str, ...], Int64s]:
        """(the methods of the routes, each once; place of each route's method among them, shape (routes,))."""
        place: dict[str, int] = {}
        of_route = [place.setdefault(method_id, len(place)) for method_id, _ in self.routes]
        return tuple(place), np.array(of_route, dtype=np.int64)

    @classmethod
    def _made(
        cls, retries: Iterable[Retry], start: Int64s, end: Int64s, route: Int64s, routes: tuple[Route, ...]
    ) -> "Proposed":
        made = cls(retries)
        made.start, made.end, made.route, made.routes = start, end, route, routes
        return made

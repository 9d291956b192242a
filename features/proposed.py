"""Retries of one payment as columns, so that whoever needs numbers asks no retry one by one."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from features.action import Retry, Slot
from features.instants import from_micros

Int64s = NDArray[np.int64]

Route = tuple[str, str]
"""Method and processor."""

_REMEMBERED = 16_384  # slots, made once for all decisions of the same days


class Proposed(Sequence[Retry]):
    """Retries that are numbers until one is looked at, and then made once; every array has shape (n,).

    Args:
        start, end: When each slot begins and ends, microseconds.
        route: Place of each retry's route in `routes`.
        routes: The routes, each once; some may have no retry.
        made: The retries where they are there already.
        chosen: Those of which these are some, and the places of these among them.
    """

    __slots__ = ("_chosen", "_made", "_whole", "end", "route", "routes", "start")

    def __init__(
        self,
        start: Int64s,
        end: Int64s,
        route: Int64s,
        routes: tuple[Route, ...],
        *,
        made: Iterable[Retry] | None = None,
        chosen: "tuple[Proposed, Int64s] | None" = None,
    ) -> None:
        self.start, self.end, self.route, self.routes, self._chosen = start, end, route, routes, chosen
        self._made: list[Retry | None] = [] if chosen else [None] * start.size if made is None else [*made]
        self._whole: list[Retry] | None = None

    @classmethod
    def of(cls, retries: Iterable[Retry]) -> "Proposed":
        """The retries as columns; those that are already stay as they are."""
        if isinstance(retries, Proposed):
            return retries
        found = tuple(retries)
        place: dict[Route, int] = {}
        route = [place.setdefault((retry.method_id, retry.processor), len(place)) for retry in found]
        start = np.array([retry.slot.start_micros for retry in found], dtype=np.int64)
        end = np.array([retry.slot.end_micros for retry in found], dtype=np.int64)
        return cls(start, end, np.array(route, dtype=np.int64), tuple(place), made=found)

    @classmethod
    def in_order(cls, routes: Sequence[tuple[Route, Int64s, Int64s]]) -> "Proposed":
        """The retries of some routes in order of time; at one instant in the order of the routes.

        Args:
            routes: Each with when its slots begin and end, microseconds, in order of time.
        """
        if not routes:
            return cls.of(())
        start, end = (np.concatenate([entry[column] for entry in routes]) for column in (1, 2))
        route = np.repeat(np.arange(len(routes), dtype=np.int64), [begins.size for _, begins, _ in routes])
        order = np.argsort(start, kind="stable")
        return cls(start[order], end[order], route[order], tuple(name for name, _, _ in routes))

    def take(self, places: Int64s) -> "Proposed":
        """Those at some places."""
        source, among = (self, places) if self._chosen is None else (self._chosen[0], self._chosen[1][places])
        columns = (self.start[places], self.end[places], self.route[places])
        return Proposed(*columns, self.routes, chosen=(source, among))

    @property
    def methods(self) -> tuple[tuple[str, ...], Int64s]:
        """(the methods of the routes, each once; place of each route's method among them, shape (routes,))."""
        place: dict[str, int] = {}
        of_route = [place.setdefault(method_id, len(place)) for method_id, _ in self.routes]
        return tuple(place), np.array(of_route, dtype=np.int64)

    def __len__(self) -> int:
        return self.start.size

    @overload
    def __getitem__(self, index: int) -> Retry: ...
    @overload
    def __getitem__(self, index: slice) -> "Proposed": ...
    def __getitem__(self, index: int | slice) -> "Retry | Proposed":
        if isinstance(index, slice):
            return self.take(np.arange(len(self), dtype=np.int64)[index])
        if self._chosen is not None and self._whole is None:
            return self._chosen[0][int(self._chosen[1][index])]
        made = self._made[index]
        if made is None:
            slot = slot_between(int(self.start[index]), int(self.end[index]))
            made = self._made[index] = Retry(slot, *self.routes[self.route[index]])
        return made

    def __iter__(self) -> Iterator[Retry]:
        if self._whole is None:
            self._whole = self._every()
            self._made = [*self._whole]
        return iter(self._whole)

    def _every(self) -> list[Retry]:
        if self._chosen is None:
            slots = map(slot_between, self.start.tolist(), self.end.tolist())
            routes = [self.routes[number] for number in self.route.tolist()]
            rows = zip(self._made, slots, routes, strict=True)
            return [Retry(slot, *route) if made is None else made for made, slot, route in rows]
        source, places = self._chosen
        there = source._made
        return [there[i] or source[i] for i in places.tolist()]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(Retry.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Proposed({', '.join(map(repr, self))})"


@lru_cache(maxsize=_REMEMBERED)
def slot_between(start: int, end: int) -> Slot:
    """One slot for all routes and decisions that propose it; the edges are microseconds."""
    return Slot(from_micros(start), from_micros(end))

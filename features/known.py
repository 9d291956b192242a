"""What was known: for each question, the events of its group whose outcome was known by then.

Every fact about the past is taken through this one door, so that nothing later than a decision can reach it.
"""

import numpy as np
from numpy.typing import NDArray

from features.instants import MICROS_PER_DAY

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NEVER = np.iinfo(np.int64).max
"""The instant at which the outcome of something that has not happened becomes known."""

DAY = MICROS_PER_DAY

EXACT = float(2**20)
"""Sums are of whole multiples of 1 / EXACT: exact in a float up to 2^33, so that they do not depend on their order."""


class Known:
    """Events grouped (by payment, customer or method), cut at each question's instant.

    Args:
        group: Group of each event, shape (n,), in small numbers; -1 for events that nobody asks about.
        known_at: When each event's outcome became known, microseconds, shape (n,).
        asked_group: Group of each question, shape (q,); -1 for a group without events.
        asked_at: Instant of each question, shape (q,). Events with `known_at <= asked_at` count.

    Events of a group are ordered by `known_at`, ties by their position; `order` holds the positions of the events of
    all groups that are asked for, group by group.
    """

    __slots__ = ("order", "start", "stop")

    def __init__(self, group: Int64s, known_at: Int64s, asked_group: Int64s, asked_at: Int64s) -> None:
        wanted = np.zeros(max(int(group.max(initial=-1)), int(asked_group.max(initial=-1))) + 2, dtype=np.bool_)
        wanted[asked_group] = True
        wanted[-1] = False  # -1 is no group
        events = np.flatnonzero(wanted[group] & (known_at < NEVER))
        times, rank = np.unique(known_at[events], return_inverse=True)
        width = np.int64(times.size + 1)
        key = group[events] * width + rank + 1
        order = np.argsort(key, kind="stable")
        ordered = key[order]
        self.order: Int64s = events[order]
        asked_rank = np.searchsorted(times, asked_at, side="right")
        # A negative group lies before every event, so that it has none.
        self.start: Int64s = np.searchsorted(ordered, asked_group * width, side="left").astype(np.int64)
        self.stop: Int64s = np.searchsorted(ordered, asked_group * width + asked_rank, side="right").astype(np.int64)

    @property
    def count(self) -> Int64s:
        """How many events were known, shape (q,)."""
        return self.stop - self.start

    def total(self, values: NDArray[np.generic]) -> Floats:
        """Sum of the events' values, each to the nearest millionth (1 / EXACT), shape (q,).

        The rounding makes sums exact, and so the same whether other groups' events stand before (in a history) or not
        (in a context).
        """
        whole = values.dtype.kind in "bui"
        taken = values[self.order]
        running = np.zeros(taken.size + 1)
        np.cumsum(taken if whole else np.rint(taken.astype(np.float64) * EXACT), dtype=np.float64, out=running[1:])
        difference: Floats = running[self.stop] - running[self.start]
        return difference if whole else difference / EXACT

    def last(self, where: Flags | None = None) -> Int64s:
        """Position of the latest known event (for which `where` holds), -1 where there is none, shape (q,)."""
        if not self.order.size:
            return np.full(self.stop.shape, -1, dtype=np.int64)
        places = np.arange(self.order.size, dtype=np.int64)
        if where is not None:
            places = np.maximum.accumulate(np.where(where[self.order], places, -1))
        place = np.where(self.stop > 0, places[np.maximum(self.stop - 1, 0)], -1)
        return np.where(place >= self.start, self.order[np.maximum(place, 0)], -1)

    def first(self, where: Flags | None = None) -> Int64s:
        """Position of the earliest known event (for which `where` holds), -1 where there is none, shape (q,)."""
        size = self.order.size
        if not size:
            return np.full(self.stop.shape, -1, dtype=np.int64)
        places = np.arange(size, dtype=np.int64)
        if where is not None:
            places = np.minimum.accumulate(np.where(where[self.order], places, size)[::-1])[::-1]
        place = np.where(self.start < size, places[np.minimum(self.start, size - 1)], size)
        return np.where(place < self.stop, self.order[np.minimum(place, size - 1)], -1)

    def latest(self, where: Flags, most: int) -> Int64s:
        """Positions of the latest known events for which `where` holds, newest first; -1 where there are no more.

        Returns:
            Shape (k, q), where k is how many the question with the most has, at most `most`.
        """
        chosen = np.flatnonzero(where[self.order])
        start, stop = (np.searchsorted(chosen, places, side="left") for places in (self.start, self.stop))
        held = min(most, int(np.max(stop - start, initial=0)))
        if not held:
            return np.zeros((0, self.stop.size), dtype=np.int64)
        place = stop - 1 - np.arange(held, dtype=np.int64)[:, None]
        return np.where(place >= start, self.order[chosen[np.maximum(place, 0)]], -1)

    def run(self, labels: NDArray[np.generic]) -> Int64s:
        """How many of the latest known events in a row carry the same label as the latest one, shape (q,)."""
        if not self.order.size:
            return np.zeros(self.stop.shape, dtype=np.int64)
        ordered = labels[self.order]
        places = np.arange(ordered.size, dtype=np.int64)
        changed = np.concatenate([[True], ordered[1:] != ordered[:-1]])
        began = np.maximum.accumulate(np.where(changed, places, 0))
        since = np.maximum(began[np.maximum(self.stop - 1, 0)], self.start)
        return np.where(self.stop > self.start, self.stop - since, 0)


def distinct(codes: Int64s) -> Int64s:
    """The distinct codes that are not negative, rising; faster than sorting, for codes that are small numbers."""
    return np.flatnonzero(np.bincount(codes[codes >= 0])).astype(np.int64)


def pick(values: NDArray[np.generic], positions: Int64s, missing: float = np.nan) -> Floats:
    """`values[positions]` as floats, `missing` where the position is -1."""
    if not values.size:
        return np.full(positions.shape, missing)
    return np.where(positions >= 0, values[np.maximum(positions, 0)].astype(np.float64), missing)

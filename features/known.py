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

_STEPS = 2.0**24


class Known:
    """Events grouped (by payment, customer or method), cut at each question's instant.

    Args:
        group: Group of each event, shape (n,), non-negative.
        known_at: When each event's outcome became known, microseconds, shape (n,).
        asked_group: Group of each question, shape (q,); -1 for a group without events.
        asked_at: Instant of each question, shape (q,). Events with `known_at <= asked_at` count.

    Events of a group are ordered by `known_at`, ties by their position.
    """

    __slots__ = ("order", "start", "stop")

    def __init__(self, group: Int64s, known_at: Int64s, asked_group: Int64s, asked_at: Int64s) -> None:
        times, rank = np.unique(known_at, return_inverse=True)
        width = np.int64(times.size + 1)
        key = group * width + rank + 1
        self.order: Int64s = np.argsort(key, kind="stable")
        ordered = key[self.order]
        asked_rank = np.searchsorted(times, asked_at, side="right")
        # A negative group lies before every event, so that it has none.
        self.start: Int64s = np.searchsorted(ordered, asked_group * width, side="left").astype(np.int64)
        self.stop: Int64s = np.searchsorted(ordered, asked_group * width + asked_rank, side="right").astype(np.int64)

    @property
    def count(self) -> Int64s:
        """How many events were known, shape (q,)."""
        return self.stop - self.start

    def total(self, values: NDArray[np.generic]) -> Floats:
        """Sum of the events' values, shape (q,); values that are not whole count to the nearest 2^-24.

        So no sum is rounded (as long as all values together stay below 2^29), and it is the same whatever other groups
        are asked about at once.
        """
        ordered = values[self.order]
        if np.issubdtype(ordered.dtype, np.floating):
            ordered = np.round(np.multiply(ordered, _STEPS)) / _STEPS
        running = np.concatenate([[0.0], np.cumsum(ordered, dtype=np.float64)])
        difference: Floats = running[self.stop] - running[self.start]
        return difference

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


def pick(values: NDArray[np.generic], positions: Int64s, missing: float = np.nan) -> Floats:
    """`values[positions]` as floats, `missing` where the position is -1."""
    if not values.size:
        return np.full(positions.shape, missing)
    return np.where(positions >= 0, values[np.maximum(positions, 0)].astype(np.float64), missing)

"""The rates of all families looked up together: the same figures as `rates.lookup_all`, for few rows in less time.

A decision asks about some hundred rows at a time, for which two dozen look-ups of a dozen array operations each cost
more by their number than by their length. Here the entries of all families stand in one array, and only what needs
the parent's rate is worked out family by family.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from features.instants import MICROS_PER_HOUR
from features.rates import FAMILIES, Counts

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

_BUCKETS = sorted({family.bucket_hours for family in FAMILIES})


class RatesAtOnce:
    """Counts of all families, ready to be asked.

    Args:
        counts: By family name.
    """

    def __init__(self, counts: Mapping[str, Counts]) -> None:
        each = [counts[family.name] for family in FAMILIES]
        sizes = [one.key.size for one in each]
        # A family's places lie between its own offset and the next one's; what a key that is not among its own asks
        # for may lie beyond them, and then finds nothing that is the family's.
        spans = [int(one.place.max(initial=0)) + one.width + 1 for one in each]
        offset = np.cumsum([0, *spans[:-1]], dtype=np.int64)
        self._stop = _column(np.cumsum(sizes))
        self._start = self._stop - _column(sizes)
        self._offset = offset[:, None]
        self._width, self._first = _column([one.width for one in each]), _column([one.first for one in each])
        self._place = np.concatenate([one.place + shift for one, shift in zip(each, offset, strict=True)])
        self._key, self._bucket = (np.concatenate([getattr(one, name) for one in each]) for name in ("key", "bucket"))
        self._attempts, self._events = (
            np.concatenate([getattr(one, name) for one in each]) for name in ("attempts", "events")
        )
        self._fading = np.array([f.bucket_hours / f.half_life_hours for f in FAMILIES])[:, None]
        self._strength = np.array([float(f.strength) for f in FAMILIES])[:, None]
        self._empty = [not size for size in sizes]

    def __call__(self, keys: Mapping[str, Int64s], asked_at: Int64s) -> dict[str, Floats]:
        """The rate of every family as known at each instant, by family name, each of shape (q,).

        Args:
            keys: By family name, each of shape (q,).
            asked_at: Microseconds, shape (q,).
        """
        key = np.stack([keys[family.name] for family in FAMILIES])
        by_length = {hours: asked_at // (hours * MICROS_PER_HOUR) for hours in _BUCKETS}
        now = np.stack([by_length[family.bucket_hours] for family in FAMILIES])
        events, attempts = self._faded(key, now)
        attempts += self._strength
        rates: dict[str, Floats] = {}
        for i, family in enumerate(FAMILIES):
            parent = np.full(asked_at.shape, family.base) if family.parent is None else rates[family.parent]
            known = parent if self._empty[i] else (events[i] + family.strength * parent) / attempts[i]
            rates[family.name] = known
        return rates

    def _faded(self, key: Int64s, now: Int64s) -> tuple[Floats, Floats]:
        """(events, attempts) of each key as they weigh now, zero where there is none, shape (families, q) both."""
        if not self._place.size:
            return np.zeros(key.shape), np.zeros(key.shape)
        asked = key * self._width
        asked += np.minimum(np.maximum(now - self._first, 0), self._width - 1)
        asked += self._offset
        place = np.searchsorted(self._place, asked, side="left") - 1
        found = np.maximum(place, 0)
        known = (place >= self._start) & (place < self._stop) & (self._key[found] == key)
        age = np.maximum(now - 1 - self._bucket[found], 0) * self._fading
        weight = np.where(known, np.exp2(-age), 0.0)
        return self._events[found] * weight, self._attempts[found] * weight


def _column(values: object) -> Int64s:
    return np.asarray(values, dtype=np.int64)[:, None]

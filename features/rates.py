"""Approval rates as they were known at an instant: decayed, past only, shrunk level by level towards their parents.

A family counts attempts under a key (an issuer, a processor on a network …) in buckets of time. At an instant only
buckets that had ended count, each halved in weight every half-life, so a rate never holds an outcome of its own
bucket or of a later one. With approvals `a` and attempts `n` after decay, the rate is

    (a + strength * parent) / (n + strength)

which is the posterior mean of a Beta prior centred on the parent's rate with `strength` pseudo-attempts.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.instants import MICROS_PER_HOUR

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Family:
    """What is counted, for how long it is remembered, and what it is shrunk towards.

    Args:
        name: Of the rate; also the column's stem.
        keys: Which key parts tell counters apart; see `features.encoders.key_of`.
        retries_only: Whether first attempts are left out.
        bucket_hours: Length of a bucket; outcomes count from the bucket after theirs.
        half_life_hours: After this long an outcome weighs half.
        strength: Pseudo-attempts given to the parent's rate.
        parent: Family to shrink towards; None shrinks towards one half.
    """

    name: str
    keys: tuple[str, ...]
    retries_only: bool
    bucket_hours: int
    half_life_hours: float
    strength: float
    parent: str | None


FAMILIES: tuple[Family, ...] = (
    Family("all", (), False, 24, 24 * 60, 20, None),
    Family("network", ("country", "network"), False, 24, 24 * 60, 50, "all"),
    Family("issuer", ("issuer",), False, 24, 24 * 30, 50, "network"),
    Family("issuer_recent", ("issuer",), False, 1, 12, 20, "issuer"),
    Family("processor", ("processor", "country", "network"), False, 24, 24 * 30, 50, "network"),
    Family("processor_recent", ("processor",), False, 1, 6, 20, "all"),
    Family("retry", (), True, 24, 24 * 60, 20, None),
    Family("retry_category", ("category",), True, 24, 24 * 60, 50, "retry"),
    Family("retry_issuer", ("issuer",), True, 24, 24 * 60, 50, "retry"),
    Family("retry_issuer_slot", ("issuer", "slot"), True, 24, 24 * 90, 50, "retry_issuer"),
    Family("retry_processor", ("processor", "category"), True, 24, 24 * 30, 50, "retry_category"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """Decayed counts of one family, one entry a key and bucket that had outcomes, ordered by key, then bucket.

    Args:
        key: Shape (m,).
        bucket: Shape (m,); since 1970 in units of the family's bucket.
        attempts: Decayed attempts of the key up to and including the bucket, weighed at the bucket's end.
        approvals: The approved ones among them.
    """

    key: Int64s
    bucket: Int64s
    attempts: Floats
    approvals: Floats

    def at_end(self) -> "Counts":
        """Only the latest entry of each key: all that a decision after the end of the history needs."""
        last = np.append(self.key[1:] != self.key[:-1], True)[: self.key.size]
        return Counts(self.key[last], self.bucket[last], self.attempts[last], self.approvals[last])


def count(family: Family, key: Int64s, known_at: Int64s, approved: NDArray[np.bool_]) -> Counts:
    """Count outcomes under their keys.

    Args:
        key: Key of each outcome, shape (n,); negative keys (a part is unknown) are not counted.
        known_at: When each became known, microseconds.
        approved: Whether each was an approval.
    """
    bucket = known_at // (family.bucket_hours * MICROS_PER_HOUR)
    kept = key >= 0
    order = np.lexsort((key[kept], bucket[kept]))
    keys, buckets, hits = key[kept][order], bucket[kept][order], approved[kept][order]
    fresh = np.flatnonzero(np.append(True, (keys[1:] != keys[:-1]) | (buckets[1:] != buckets[:-1]))[: keys.size])
    entry_key, entry_bucket = keys[fresh], buckets[fresh]
    attempts = np.diff(np.append(fresh, keys.size)).astype(np.float64)
    approvals = np.add.reduceat(hits.astype(np.float64), fresh) if fresh.size else np.zeros(0)
    _decay(family, entry_key, entry_bucket, attempts, approvals)
    by_key = np.lexsort((entry_bucket, entry_key))
    return Counts(entry_key[by_key], entry_bucket[by_key], attempts[by_key], approvals[by_key])


def lookup(family: Family, counts: Counts, key: Int64s, asked_at: Int64s, parent: Floats) -> Floats:
    """The rate of each key as known at each instant, shape (q,).

    Args:
        key: Shape (q,); unknown keys get the parent's rate.
        asked_at: Microseconds, shape (q,).
        parent: The parent's rate for each question, shape (q,).
    """
    now = asked_at // (family.bucket_hours * MICROS_PER_HOUR)
    if not counts.key.size:
        return parent.copy()
    low, high = int(counts.bucket.min()), int(counts.bucket.max())
    width = high - low + 2
    entries = counts.key * width + (counts.bucket - low)
    # The latest entry of the same key in a bucket before the present one.
    place = np.searchsorted(entries, key * width + np.clip(now - low, 0, width - 1), side="left") - 1
    found = np.maximum(place, 0)
    known = (place >= 0) & (key >= 0) & (counts.key[found] == key)
    age = np.maximum(now - 1 - counts.bucket[found], 0) * (family.bucket_hours / family.half_life_hours)
    weight = np.where(known, np.exp2(-age), 0.0)
    attempts, approvals = counts.attempts[found] * weight, counts.approvals[found] * weight
    rate: Floats = (approvals + family.strength * parent) / (attempts + family.strength)
    return rate


def lookup_all(counts: Mapping[str, Counts], keys: Mapping[str, Int64s], asked_at: Int64s) -> dict[str, Floats]:
    """The rates of all families as known at each instant, by family name; parents come before children."""
    rates: dict[str, Floats] = {}
    for family in FAMILIES:
        parent = np.full(asked_at.shape, 0.5) if family.parent is None else rates[family.parent]
        rates[family.name] = lookup(family, counts[family.name], keys[family.name], asked_at, parent)
    return rates


def _decay(family: Family, key: Int64s, bucket: Int64s, attempts: Floats, approvals: Floats) -> None:
    """Turn each entry's own counts into decayed running counts of its key, in place; entries are ordered by bucket."""
    if not key.size:
        return
    size = int(key.max()) + 1
    running = np.zeros((2, size))
    latest = np.zeros(size, dtype=np.int64)
    starts = np.flatnonzero(np.append(True, bucket[1:] != bucket[:-1]))
    for start, stop in zip(starts, np.append(starts[1:], bucket.size), strict=True):
        touched = key[start:stop]
        faded = np.exp2(-(bucket[start] - latest[touched]) * (family.bucket_hours / family.half_life_hours))
        attempts[start:stop] += running[0, touched] * faded
        approvals[start:stop] += running[1, touched] * faded
        running[0, touched], running[1, touched] = attempts[start:stop], approvals[start:stop]
        latest[touched] = bucket[start]

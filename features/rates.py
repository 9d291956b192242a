"""Approval rates as they were known at an instant: decayed, past only, shrunk level by level towards their parents.

A family counts attempts under a key (an issuer, a processor on a network …) in buckets of time. At an instant only
buckets that had ended count, each halved in weight every half-life, so a rate never holds an outcome of its own
bucket or of a later one. With approvals `a` and attempts `n` after decay, the rate is

    (a + strength * parent) / (n + strength)

which is the posterior mean of a Beta prior centred on the parent's rate with `strength` pseudo-attempts. A family
that counts technical failures answers with their share instead. Each family also says how many hours before the end
of what is known its key was last counted so: the silence of an issuer or a processor.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.instants import MICROS_PER_HOUR

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

Event = Literal["approved", "technical"]


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
        parent: Family to shrink towards; None shrinks towards `base`.
        event: What the rate is the share of: approvals, or failures of the issuer's or processor's systems.
        base: Where the rate starts when there is no parent.
    """

    name: str
    keys: tuple[str, ...]
    retries_only: bool
    bucket_hours: int
    half_life_hours: float
    strength: float
    parent: str | None
    event: Event = "approved"
    base: float = 0.5


_DAY, _MONTH, _QUARTER, _YEAR = 24, 24 * 30, 24 * 90, 24 * 365

FAMILIES: tuple[Family, ...] = (
    # Every attempt: how readily issuers and processors approve, by the day and by the hour.
    Family("all", (), False, _DAY, 2 * _MONTH, 20, None),
    Family("network", ("country", "network"), False, _DAY, 2 * _MONTH, 50, "all"),
    Family("issuer", ("issuer",), False, _DAY, _MONTH, 50, "network"),
    Family("bin", ("bin",), False, _DAY, _QUARTER, 50, "issuer"),
    Family("issuer_recent", ("issuer",), False, 1, 12, 20, "issuer"),
    Family("issuer_slot", ("issuer", "slot"), False, _DAY, _QUARTER, 50, "issuer"),
    Family("processor", ("processor", "country", "network"), False, _DAY, _MONTH, 50, "network"),
    Family("processor_recent", ("processor",), False, 1, 6, 20, "all"),
    Family("route_issuer", ("processor", "issuer"), False, _DAY, _QUARTER, 50, "issuer"),
    # Failures of systems, which pass: an outage shows in their share of the last hours.
    Family("technical", (), False, _DAY, 2 * _MONTH, 50, None, "technical", 0.01),
    Family("issuer_technical", ("issuer",), False, 1, 6, 20, "technical", "technical"),
    Family("processor_technical", ("processor",), False, 1, 6, 20, "technical", "technical"),
    # Retries only: they meet accounts that have just refused.
    Family("retry", (), True, _DAY, 2 * _MONTH, 20, None),
    Family("retry_market", ("country",), True, _DAY, 2 * _MONTH, 50, "retry"),
    Family("retry_issuer", ("issuer",), True, _DAY, 2 * _MONTH, 50, "retry_market"),
    Family("retry_bin", ("bin",), True, _DAY, _QUARTER, 50, "retry_issuer"),
    Family("retry_issuer_slot", ("issuer", "slot"), True, _DAY, _QUARTER, 50, "retry_issuer"),
    Family("retry_category", ("category",), True, _DAY, 2 * _MONTH, 50, "retry"),
    Family("retry_category_market", ("category", "country"), True, _DAY, _QUARTER, 50, "retry_category"),
    Family("retry_category_issuer", ("category", "issuer"), True, _DAY, _QUARTER, 50, "retry_category_market"),
    Family("retry_processor", ("processor", "category"), True, _DAY, _MONTH, 50, "retry_category"),
    # Pay cycles as the market shows them: nobody has to know its paydays beforehand. A year holds twelve of each day.
    Family("retry_third", ("country", "month_third"), True, _DAY, _YEAR, 50, "retry_market"),
    Family("retry_month_day", ("country", "month_day"), True, _DAY, _YEAR, 50, "retry_third"),
    Family("retry_payday", ("country", "since_payday"), True, _DAY, _YEAR, 50, "retry_market"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Counts:
    """Decayed counts of one family, one entry a key and bucket that had outcomes, ordered by key, then bucket.

    Args:
        key: Shape (m,).
        bucket: Shape (m,); since 1970 in units of the family's bucket.
        attempts: Decayed attempts of the key up to and including the bucket, weighed at the bucket's end.
        events: Those among them that are the family's event (approvals, for most).
        latest: Bucket of the key's latest event up to and including this one, -1 for none yet.
        first: The earliest bucket of all.
        width: Buckets from the earliest to one after the latest.
        place: One rising number for key and bucket, shape (m,).
    """

    key: Int64s
    bucket: Int64s
    attempts: Floats
    events: Floats
    latest: Int64s
    first: int = field(init=False)
    width: int = field(init=False)
    place: Int64s = field(init=False)
    _newest: list[tuple[Int64s, Int64s]] = field(init=False, repr=False, compare=False, default_factory=list)

    def __post_init__(self) -> None:
        first = int(self.bucket.min()) if self.key.size else 0
        width = int(self.bucket.max(initial=first)) - first + 2
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "width", width)
        object.__setattr__(self, "place", self.key * width + (self.bucket - first))

    def newest(self) -> tuple[Int64s, Int64s]:
        """(buckets of all entries, rising; the latest event of any key up to each), worked out once."""
        if not self._newest:
            order = np.argsort(self.bucket, kind="stable")
            self._newest.append((self.bucket[order], np.maximum.accumulate(self.latest[order])))
        return self._newest[0]

    def at_end(self) -> "Counts":
        """Only the latest entry of each key: all that a decision after the end of the history needs."""
        last = np.append(self.key[1:] != self.key[:-1], True)[: self.key.size]
        return self._take(last)

    def before(self, bucket: int) -> "Counts":
        """Only the entries of earlier buckets: all that was known when that bucket began."""
        return self._take(self.bucket < bucket)

    def _take(self, kept: NDArray[np.bool_]) -> "Counts":
        return Counts(self.key[kept], self.bucket[kept], self.attempts[kept], self.events[kept], self.latest[kept])


def count(family: Family, key: Int64s, known_at: Int64s, event: NDArray[np.bool_]) -> Counts:
    """Count outcomes under their keys.

    Args:
        key: Key of each outcome, shape (n,); negative keys (a part is unknown) are not counted.
        known_at: When each became known, microseconds.
        event: Whether each was what the family counts (an approval, for most).
    """
    kept = key >= 0
    bucket = _bucket(family, known_at[kept])
    if not bucket.size:
        return no_counts()
    low = int(bucket.min())
    width = int(bucket.max()) - low + 1
    # One number for key, bucket and event: sorting it sorts by key, then bucket, and costs no second array.
    outcomes = np.sort((key[kept] * width + bucket - low) * 2 + event[kept])
    fresh = np.flatnonzero(np.append(True, outcomes[1:] // 2 != outcomes[:-1] // 2))
    entry_key, entry_bucket = np.divmod(outcomes[fresh] // 2, width)
    entry_bucket += low
    attempts = np.diff(np.append(fresh, outcomes.size)).astype(np.float64)
    events = np.add.reduceat((outcomes % 2).astype(np.float64), fresh)
    latest = _running_latest(entry_key, np.where(events > 0, entry_bucket, -1))
    _decay(family, entry_key, entry_bucket, attempts, events)
    return Counts(entry_key, entry_bucket, attempts, events, latest)


def no_counts() -> Counts:
    """Of no outcome."""
    none = np.zeros(0, dtype=np.int64)
    return Counts(none, none, np.zeros(0), np.zeros(0), none)


def lookup(family: Family, counts: Counts, key: Int64s, asked_at: Int64s, parent: Floats) -> Floats:
    """The rate of each key as known at each instant, shape (q,).

    Args:
        key: Shape (q,); unknown keys get the parent's rate.
        asked_at: Microseconds, shape (q,).
        parent: The parent's rate for each question, shape (q,).
    """
    now = _bucket(family, asked_at)
    found, known = _entries(counts, key, now)
    if not counts.key.size:
        return parent.copy()
    age = np.maximum(now - 1 - counts.bucket[found], 0) * (family.bucket_hours / family.half_life_hours)
    weight = np.where(known, np.exp2(-age), 0.0)
    rate: Floats = (counts.events[found] * weight + family.strength * parent) / (
        counts.attempts[found] * weight + family.strength
    )
    return rate


def silence(family: Family, counts: Counts, key: Int64s, asked_at: Int64s) -> Floats:
    """Hours from each key's latest event to the latest event of any key, as known at each instant, shape (q,).

    It is counted to the end of what is known rather than to the instant, so that counts learnt a week ago do not
    look like an outage of a week. NaN where the key has no event yet.
    """
    if not counts.key.size:
        return np.full(key.shape, np.nan)
    now = _bucket(family, asked_at)
    found, known = _entries(counts, key, now)
    own = counts.latest[found]
    buckets, newest = counts.newest()
    place = np.searchsorted(buckets, now, side="left") - 1
    hours = (newest[np.maximum(place, 0)] - own) * np.float64(family.bucket_hours)
    return np.where(known & (own >= 0), hours, np.nan)


def lookup_all(counts: Mapping[str, Counts], keys: Mapping[str, Int64s], asked_at: Int64s) -> dict[str, Floats]:
    """The rates of all families as known at each instant, by family name; parents come before children."""
    rates: dict[str, Floats] = {}
    for family in FAMILIES:
        parent = np.full(asked_at.shape, family.base) if family.parent is None else rates[family.parent]
        rates[family.name] = lookup(family, counts[family.name], keys[family.name], asked_at, parent)
    return rates


def bucket_of(family: Family, instant: int) -> int:
    """The bucket of the family in which an instant (microseconds) lies."""
    return instant // (family.bucket_hours * MICROS_PER_HOUR)


def end_of(family: Family, counts: Counts) -> int:
    """When the last bucket that holds outcomes ended, microseconds; 0 where there is none."""
    return (int(counts.bucket.max()) + 1) * family.bucket_hours * MICROS_PER_HOUR if counts.bucket.size else 0


def _bucket(family: Family, micros: Int64s) -> Int64s:
    return micros // (family.bucket_hours * MICROS_PER_HOUR)


def _entries(counts: Counts, key: Int64s, now: Int64s) -> tuple[Int64s, NDArray[np.bool_]]:
    """Place of the latest entry of each key in a bucket before the present one, and whether there is one."""
    if not counts.key.size:
        return np.zeros(key.shape, dtype=np.int64), np.zeros(key.shape, dtype=np.bool_)
    asked = key * counts.width + np.minimum(np.maximum(now - counts.first, 0), counts.width - 1)
    place = np.searchsorted(counts.place, asked, side="left") - 1
    found = np.maximum(place, 0)
    return found, (place >= 0) & (counts.key[found] == key)


def _running_latest(key: Int64s, occurred: Int64s) -> Int64s:
    """Largest `occurred` of the same key up to each entry; entries are ordered by key, then bucket."""
    if not key.size:
        return occurred
    fresh = np.append(True, key[1:] != key[:-1])
    shift = np.cumsum(fresh) * (int(occurred.max()) + 2)
    latest: Int64s = np.maximum.accumulate(occurred + shift) - shift
    return latest


def _decay(family: Family, key: Int64s, bucket: Int64s, *counts: Floats) -> None:
    """Turn each entry's own counts into decayed running counts of its key, in place; ordered by key, then bucket.

    After pass k an entry holds the sum over its key's last 2^k entries, so that doubling reaches the first of them in
    a few passes over whole arrays (Hillis and Steele 1986, Communications of the ACM 29(12)).
    """
    step = 1
    while step < key.size:
        place = np.flatnonzero(key[step:] == key[:-step])
        if not place.size:
            return
        gap = bucket[place + step] - bucket[place]
        faded = np.exp2(-gap * (family.bucket_hours / family.half_life_hours))
        for values in counts:
            values[place + step] += values[place] * faded
        step *= 2

"""Past approval counts of all families in one row of arrays, so that a loop can look a rate up (`features.rates`)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.encoders import SLOTS, Encoders
from features.instants import MICROS_PER_HOUR
from features.rates import FAMILIES, Family
from features.table import CATEGORIES
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

PARTS = (
    "country", "network", "issuer", "bin", "processor", "category", "month_day", "month_third", "since_payday", "slot",
)  # fmt: skip
"""What keys are made of, in the order in which a loop holds them; the last four change with the slot, and no key has
two of them."""
BY_SLOT = 6
"""Parts from this one on change with the slot."""
_OPTIONAL = frozenset({"country", "network", "processor"})  # "not known" is a word like others
_NO_PARENT = _NO_PART = -1
_DAYS = 31

_NAMES = [family.name for family in FAMILIES]

LIFTS: Mapping[str, tuple[str, str]] = {
    "issuer_lift": ("issuer", "all"),
    "bin_lift": ("bin", "issuer"),
    "issuer_recent_lift": ("issuer_recent", "issuer"),
    "issuer_slot_lift": ("issuer_slot", "issuer"),
    "issuer_retry_lift": ("retry_issuer", "retry_market"),
    "bin_retry_lift": ("retry_bin", "retry_issuer"),
    "issuer_slot_retry_lift": ("retry_issuer_slot", "retry_issuer"),
    "category_retry_lift": ("retry_category_market", "retry_market"),
    "category_issuer_retry_lift": ("retry_category_issuer", "retry_category_market"),
    "processor_lift": ("processor", "network"),
    "processor_recent_lift": ("processor_recent", "all"),
    "processor_retry_lift": ("retry_processor", "retry_category"),
    "route_issuer_lift": ("route_issuer", "issuer"),
    "month_day_lift": ("retry_month_day", "retry_market"),
    "payday_lift": ("retry_payday", "retry_market"),
}
"""Columns that say by how much one family's rate lies above another's."""
SHARES: Mapping[str, str] = {
    "issuer_technical_share": "issuer_technical",
    "processor_technical_share": "processor_technical",
}
"""Columns that are a family's rate."""
SILENCES: Mapping[str, str] = {"issuer_silence": "issuer_recent", "processor_silence": "processor_recent"}
"""Columns that say for how long a family's key has been silent."""


class Counted(NamedTuple):
    """Counts of all families; `features.few.kernels` names the rows of the arrays.

    Args:
        family: Where each family's entries begin and end; first, width and length in microseconds of its buckets, as
            in `Counts` and `Family`; place of its parent, -1 for none; the part of its key that changes with the slot,
            -1 for none; where its keys begin in `last`, and how many there are. Shape (9, families).
        real: Buckets to half-lives, hours of a bucket, strength and base, as in `Family`. Shape (4, families).
        parts: Parts of each family's key, -1 where there are no more, shape (families, 3).
        part: Codes of each part are below it, and whether a key without the part is unknown, shape (2, parts).
        entry: Place, key, bucket and latest, as in `Counts`, of one family after another; then buckets and latest event
            of any key, by entry in the order of the former. Shape (6, entries).
        weight: Attempts and events, as in `Counts`, shape (2, entries).
        last: The latest entry of every key of every family, -1 for none.
        known_until: Where what is known ends, microseconds.
    """

    family: Int64s
    real: Floats
    parts: Int64s
    part: Int64s
    entry: Int64s
    weight: Floats
    last: Int64s
    known_until: int


def family_of(name: str) -> int:
    """The place of a family."""
    return _NAMES.index(name)


def counted(encoders: Encoders) -> Counted:
    """The counts of the encoders."""
    each = [encoders.counts[name] for name in _NAMES]
    sizes = [one.key.size for one in each]
    ends = np.cumsum(sizes, dtype=np.int64)
    begins = ends - np.array(sizes, dtype=np.int64)
    last = [_last(one.key, begin) for one, begin in zip(each, begins.tolist(), strict=True)]
    keys = np.array([some.size for some in last], dtype=np.int64)
    family = [
        begins,
        ends,
        [one.first for one in each],
        [one.width for one in each],
        [f.bucket_hours * MICROS_PER_HOUR for f in FAMILIES],
        [_NO_PARENT if f.parent is None else family_of(f.parent) for f in FAMILIES],
        [_slot_part(f) for f in FAMILIES],
        np.cumsum(keys) - keys,
        keys,
    ]
    real = [(f.bucket_hours / f.half_life_hours, f.bucket_hours, f.strength, f.base) for f in FAMILIES]
    newest = [one.newest() for one in each]
    entry = [
        *(np.concatenate([getattr(one, name) for one in each]) for name in ("place", "key", "bucket", "latest")),
        *(np.concatenate(some) for some in zip(*newest, strict=True)),
    ]
    return Counted(
        family=np.array(family, dtype=np.int64),
        real=np.ascontiguousarray(np.array(real, dtype=np.float64).T),
        parts=np.array(
            [[PARTS.index(p) for p in f.keys] + [_NO_PART] * (3 - len(f.keys)) for f in FAMILIES], dtype=np.int64
        ),
        part=np.array([[_size(encoders, p) for p in PARTS], [p not in _OPTIONAL for p in PARTS]], dtype=np.int64),
        entry=np.array(entry, dtype=np.int64),
        weight=np.array([np.concatenate([getattr(c, name) for c in each]) for name in ("attempts", "events")]),
        last=np.concatenate(last),
        known_until=encoders.known_until,
    )


def _slot_part(family: Family) -> int:
    """The one part of a family's key that changes with the slot, -1 for none."""
    found = [PARTS.index(part) for part in family.keys if PARTS.index(part) >= BY_SLOT]
    return found[0] if found else _NO_PART


def _last(key: Int64s, begin: int) -> Int64s:
    """The entry of every key up to the highest that is the latest of that key; -1 for none.

    Args:
        key: Rising, shape (entries,).
        begin: Where the entries begin.
    """
    last = np.full(int(key.max(initial=-1)) + 1, -1, dtype=np.int64)
    last[key] = np.arange(begin, begin + key.size)  # of several entries of a key the last one stays
    return last


def _size(encoders: Encoders, part: str) -> int:
    match part:
        case "network":
            return len(Network)
        case "category":
            return len(CATEGORIES)
        case "month_day" | "since_payday":
            return _DAYS
        case "month_third":
            return 3
        case "slot":
            return SLOTS
        case _:
            return len(getattr(encoders, part).words)

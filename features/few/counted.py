"""Past approval counts of all families in one row of arrays, so that a loop can look a rate up (`features.rates`)."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.encoders import SLOTS, Encoders
from features.instants import MICROS_PER_HOUR
from features.rates import FAMILIES, Counts
from features.table import CATEGORIES
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

PARTS = (
    "country", "network", "issuer", "bin", "processor", "category", "month_day", "month_third", "since_payday", "slot",
)  # fmt: skip
"""What keys are made of, in the order in which a loop holds them; the last four change with the slot."""
BY_SLOT = 6
"""Parts from this one on change with the slot."""
_OPTIONAL = frozenset({"country", "network", "processor"})  # "not known" is a word like others
_NO_PARENT = -1
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
    """Counts of all families.

    Args:
        begins, ends: Where each family's entries lie, shape (families,).
        first, width, bucket_micros: As in `Counts` and `Family`, shape (families,).
        fading: Buckets to half-lives, shape (families,).
        hours: Length of a bucket, shape (families,).
        strength, base: As in `Family`, shape (families,).
        parent: Place of the parent, -1 for none, shape (families,).
        by_slot: Whether its key changes with the slot, shape (families,).
        parts: Parts of its key, -1 where there are no more, shape (families, 3).
        sizes: Codes of a part are below it, shape (parts,).
        required: Whether a key without the part is unknown, shape (parts,).
        place, key, bucket, attempts, events, latest: As in `Counts`, of one family after another, shape (entries,).
        known_until: Where what is known ends, microseconds.
        newest: Latest event of any key, by entry in the order of `risen`, which holds their buckets, shape (entries,).
    """

    begins: Int64s
    ends: Int64s
    first: Int64s
    width: Int64s
    bucket_micros: Int64s
    fading: Floats
    hours: Floats
    strength: Floats
    base: Floats
    parent: Int64s
    by_slot: Flags
    parts: Int64s
    sizes: Int64s
    required: Flags
    place: Int64s
    key: Int64s
    bucket: Int64s
    attempts: Floats
    events: Floats
    latest: Int64s
    known_until: int
    risen: Int64s
    newest: Int64s


def family_of(name: str) -> int:
    """The place of a family."""
    return _NAMES.index(name)


def counted(encoders: Encoders) -> Counted:
    """The counts of the encoders."""
    each = [encoders.counts[name] for name in _NAMES]
    sizes = [one.key.size for one in each]
    ends = np.cumsum(sizes, dtype=np.int64)
    return Counted(
        begins=ends - np.array(sizes, dtype=np.int64),
        ends=ends,
        first=np.array([one.first for one in each], dtype=np.int64),
        width=np.array([one.width for one in each], dtype=np.int64),
        bucket_micros=np.array([f.bucket_hours * MICROS_PER_HOUR for f in FAMILIES], dtype=np.int64),
        fading=np.array([f.bucket_hours / f.half_life_hours for f in FAMILIES]),
        hours=np.array([float(f.bucket_hours) for f in FAMILIES]),
        strength=np.array([float(f.strength) for f in FAMILIES]),
        base=np.array([f.base for f in FAMILIES]),
        parent=np.array([_NO_PARENT if f.parent is None else family_of(f.parent) for f in FAMILIES], dtype=np.int64),
        by_slot=np.array([any(PARTS.index(part) >= BY_SLOT for part in f.keys) for f in FAMILIES]),
        parts=np.array([[PARTS.index(p) for p in f.keys] + [-1] * (3 - len(f.keys)) for f in FAMILIES], dtype=np.int64),
        sizes=np.array([_size(encoders, part) for part in PARTS], dtype=np.int64),
        required=np.array([part not in _OPTIONAL for part in PARTS]),
        place=_joined(each, "place"),
        key=_joined(each, "key"),
        bucket=_joined(each, "bucket"),
        attempts=np.concatenate([one.attempts for one in each]),
        events=np.concatenate([one.events for one in each]),
        latest=_joined(each, "latest"),
        known_until=encoders.known_until,
        risen=np.concatenate([one.newest()[0] for one in each]).astype(np.int64),
        newest=np.concatenate([one.newest()[1] for one in each]).astype(np.int64),
    )


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


def _joined(each: list[Counts], name: str) -> Int64s:
    return np.concatenate([getattr(one, name) for one in each]).astype(np.int64)

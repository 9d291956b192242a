"""What columns need beyond a row itself: vocabularies and past approval rates, learnt once and kept as JSON."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.rates import FAMILIES, Counts, count, lookup_all
from features.rows import Rows, rows_of_all
from features.table import CATEGORIES, AttemptTable, Coded
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

SLOTS = 4
"""Quarters of the issuer's local day: 0–6, 6–12, 12–18, 18–24."""

_LEARNT = ("country", "currency", "issuer", "processor")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Words in a fixed order; what is not among them has code -1."""

    words: tuple[str, ...]
    place: Mapping[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "place", {word: i for i, word in enumerate(self.words)})

    def codes(self, column: Coded, index: Int64s) -> Int64s:
        """Code of the column's word at each index."""
        translated = np.array([self.place.get(word, -1) for word in column.texts()] + [-1], dtype=np.int64)
        return translated[column.codes[index]]


@dataclass(frozen=True, slots=True)
class Encoders:
    """Vocabularies and decayed approval counts.

    Learnt from a whole history it answers past-only for every instant in it; `at_end` keeps just what decisions
    after the history need.
    """

    country: Vocabulary
    currency: Vocabulary
    issuer: Vocabulary
    processor: Vocabulary
    counts: Mapping[str, Counts]

    def rates(self, rows: Rows) -> dict[str, Floats]:
        """The approval rate of every family as known at each row's decision, by family name."""
        keys = {family.name: self.key(rows, family.keys) for family in FAMILIES}
        return lookup_all(self.counts, keys, rows.decided_at)

    def key(self, rows: Rows, parts: tuple[str, ...]) -> Int64s:
        """One integer for the combination of parts, -1 where a part that must be known is not."""
        key = np.zeros(len(rows), dtype=np.int64)
        known = np.ones(len(rows), dtype=np.bool_)
        for part in parts:
            codes, size, required = self._part(rows, part)
            key = key * (size + 1) + codes + 1
            known &= (codes >= 0) | (not required)
        return np.where(known, key, -1)

    def at_end(self) -> "Encoders":
        """Only the latest counts of each key."""
        latest = {name: counts.at_end() for name, counts in self.counts.items()}
        return Encoders(self.country, self.currency, self.issuer, self.processor, latest)

    def to_json(self) -> str:
        """Canonical JSON of the latest counts and the vocabularies."""
        document = {
            "vocabularies": {name: list(getattr(self, name).words) for name in _LEARNT},
            "counts": {name: _counts_to_json(counts) for name, counts in sorted(self.at_end().counts.items())},
        }
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"

    def _part(self, rows: Rows, part: str) -> tuple[Int64s, int, bool]:
        table, index = rows.table, rows.index
        match part:
            case "country":
                return self.country.codes(table.country, index), len(self.country.words), False
            case "processor":
                return self.processor.codes(table.processor, index), len(self.processor.words), False
            case "network":
                return table.network.codes[index], len(Network), False
            case "issuer":
                return self.issuer.codes(table.issuer, index), len(self.issuer.words), True
            case "category":
                return rows.last_category, len(CATEGORIES), True
            case _:
                slot = np.where(np.isnan(rows.hour), -1, np.nan_to_num(rows.hour) // (24 // SLOTS))
                return slot.astype(np.int64), SLOTS, True


def learn(table: AttemptTable, words: Encoders | None = None) -> Encoders:
    """Learn past-only approval counts from every attempt whose outcome is known.

    Args:
        words: Take the vocabularies of these encoders; by default they are learnt as well.
    """
    empty = words or Encoders(
        country=_vocabulary(table.country),
        currency=_vocabulary(table.currency),
        issuer=_vocabulary(table.issuer),
        processor=_vocabulary(table.processor),
        counts={},
    )
    rows = rows_of_all(table)
    settled = table.approved | table.failed
    counts = {}
    for family in FAMILIES:
        counted = settled & table.is_retry if family.retries_only else settled
        key = empty.key(rows, family.keys)[counted]
        counts[family.name] = count(family, key, table.known_at[counted], table.approved[counted])
    return Encoders(empty.country, empty.currency, empty.issuer, empty.processor, counts)


def from_json(text: str) -> Encoders:
    """Read what `to_json` wrote.

    Raises:
        InputError: Not encoders of this version.
    """
    try:
        document = json.loads(text)
        vocabularies = {name: Vocabulary(tuple(document["vocabularies"][name])) for name in _LEARNT}
        counts = {family.name: _counts_from_json(document["counts"][family.name]) for family in FAMILIES}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"encoders.json cannot be read: {error!r}; train the model again with this version") from None
    return Encoders(**vocabularies, counts=counts)


def _vocabulary(column: Coded) -> Vocabulary:
    return Vocabulary(tuple(sorted(column.texts())))


def _counts_to_json(counts: Counts) -> dict[str, list[int] | list[float]]:
    return {
        "key": counts.key.tolist(),
        "bucket": counts.bucket.tolist(),
        "attempts": [round(value, 9) for value in counts.attempts.tolist()],
        "approvals": [round(value, 9) for value in counts.approvals.tolist()],
    }


def _counts_from_json(document: Mapping[str, list[float]]) -> Counts:
    return Counts(
        key=np.array(document["key"], dtype=np.int64),
        bucket=np.array(document["bucket"], dtype=np.int64),
        attempts=np.array(document["attempts"], dtype=np.float64),
        approvals=np.array(document["approvals"], dtype=np.float64),
    )

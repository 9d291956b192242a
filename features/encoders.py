"""What columns need beyond a row itself: vocabularies and past approval rates, learnt once and kept as JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.rates import FAMILIES, Counts, Event, Family, bucket_of, count, end_of, lookup_all, no_counts, silence
from features.rows import Rows, rows_of_all
from features.table import CATEGORIES, AttemptTable, Coded
from features.vocabulary import TECHNICAL, Network

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

SLOTS = 4
"""Quarters of the issuer's local day: 0–6, 6–12, 12–18, 18–24."""

_DAYS = 31  # of a month at most; market paydays are never further apart that it would matter

_LEARNT = ("bin", "country", "currency", "issuer", "processor")


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
class Part:
    """One part of a key.

    Args:
        codes: Of each row, -1 for not known, shape (q,).
        size: Codes are below it.
        required: Whether a key without it is unknown; otherwise "not known" is a word like others.
    """

    codes: Int64s
    size: int
    required: bool


@dataclass(frozen=True, slots=True)
class Encoders:
    """Vocabularies and decayed approval counts.

    Learnt from a whole history it answers past-only for every instant in it; `at_end` keeps just what decisions
    after the history need. Read from JSON it is a snapshot: at an instant before its end it answers as at its end.

    Args:
        counts: By family name.
        known_until: Microseconds; where a snapshot ends, 0 for what was learnt from a whole history.
    """

    bin: Vocabulary
    country: Vocabulary
    currency: Vocabulary
    issuer: Vocabulary
    processor: Vocabulary
    counts: Mapping[str, Counts]
    known_until: int = 0

    def rates(self, rows: Rows) -> dict[str, Floats]:
        """The approval rate of every family as known at each row's decision, by family name."""
        parts = self.parts(rows)
        keys = {family.keys: _combined(parts, family, len(rows)) for family in FAMILIES}
        by_name = {family.name: keys[family.keys] for family in FAMILIES}
        return lookup_all(self.counts, by_name, self._asked_at(rows))

    def silence(self, rows: Rows, name: str) -> Floats:
        """Hours for which the row's key of that family had been silent when what is known ended."""
        family = next(family for family in FAMILIES if family.name == name)
        key = _combined(self.parts(rows, (family,)), family, len(rows))
        return silence(family, self.counts[name], key, self._asked_at(rows))

    def parts(self, rows: Rows, families: Sequence[Family] = FAMILIES) -> dict[str, Part]:
        """Every part of the families' keys."""
        return {name: self._part(rows, name) for name in sorted({name for family in families for name in family.keys})}

    def at_end(self) -> "Encoders":
        """Only the latest counts of each key."""
        latest = {name: counts.at_end() for name, counts in self.counts.items()}
        return replace(self, counts=latest)

    def at(self, instant: int) -> "Encoders":
        """Only the counts of each key that decisions at an instant (microseconds) need."""
        then = {family.name: self.counts[family.name].before(bucket_of(family, instant)) for family in FAMILIES}
        return replace(self, counts=then).at_end()

    def to_json(self, then: int | None = None) -> str:
        """Canonical JSON of the latest counts and the vocabularies.

        Args:
            then: Keep besides the counts as they stood at that instant (microseconds), for replaying from it on.
        """
        document = {
            "vocabularies": {name: list(getattr(self, name).words) for name in _LEARNT},
            "counts": _all_to_json(self.at_end().counts),
        }
        if then is not None:
            document["counts_then"] = _all_to_json(self.at(then).counts)
        return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")) + "\n"

    def _asked_at(self, rows: Rows) -> Int64s:
        asked_at: Int64s = np.maximum(rows.decided_at, self.known_until)
        return asked_at

    def _part(self, rows: Rows, part: str) -> Part:
        table, index = rows.table, rows.index
        match part:
            case "country" | "processor" | "issuer" | "bin":
                words: Vocabulary = getattr(self, part)
                column: Coded = getattr(table, part)
                return Part(words.codes(column, index), len(words.words), required=part in {"issuer", "bin"})
            case "network":
                return Part(table.network.codes[index], len(Network), required=False)
            case "category":
                return Part(rows.last_category, len(CATEGORIES), required=True)
            case "month_day":
                return Part(rows.month_day - 1, _DAYS, required=True)
            case "month_third":
                return Part(np.minimum((rows.month_day - 1) // 10, 2), 3, required=True)
            case "since_payday":
                return Part(np.minimum(rows.days_from_payday, _DAYS - 1), _DAYS, required=True)
            case _:
                slot = np.where(np.isnan(rows.hour), -1, np.nan_to_num(rows.hour) // (24 // SLOTS))
                return Part(slot.astype(np.int64), SLOTS, required=True)


def learn(table: AttemptTable, words: Encoders | None = None) -> Encoders:
    """Learn past-only approval counts from every attempt whose outcome is known.

    Args:
        words: Take the vocabularies of these encoders; by default they are learnt as well.
    """
    empty = words or Encoders(
        bin=_vocabulary(table.bin),
        country=_vocabulary(table.country),
        currency=_vocabulary(table.currency),
        issuer=_vocabulary(table.issuer),
        processor=_vocabulary(table.processor),
        counts={},
    )
    rows = rows_of_all(table)
    settled = table.approved | table.failed
    technical = np.isin(table.category, [CATEGORIES.index(category) for category in TECHNICAL])
    events: dict[Event, NDArray[np.bool_]] = {"approved": table.approved, "technical": technical}
    parts = empty.parts(rows)
    counts = {}
    for family in FAMILIES:
        counted = settled & table.is_retry if family.retries_only else settled
        key = _combined(parts, family, len(rows))[counted]
        counts[family.name] = count(family, key, table.known_at[counted], events[family.event][counted])
    return replace(empty, counts=counts, known_until=0)


def nothing_learnt() -> Encoders:
    """Of no history at all: every word is unknown, and every rate where it starts."""
    none = Vocabulary(())
    return Encoders(none, none, none, none, none, {family.name: no_counts() for family in FAMILIES})


def from_json(text: str, *, then: bool = False) -> Encoders:
    """Read what `to_json` wrote.

    Args:
        then: Take the counts as they stood at the instant kept besides, where one was.

    Raises:
        InputError: Not encoders of this version.
    """
    try:
        document = json.loads(text)
        vocabularies = {name: Vocabulary(tuple(document["vocabularies"][name])) for name in _LEARNT}
        chosen = document.get("counts_then", document["counts"]) if then else document["counts"]
        counts = {family.name: _counts_from_json(chosen[family.name]) for family in FAMILIES}
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"encoders.json cannot be read: {error!r}; train the model again with this version") from None
    known_until = max(end_of(family, counts[family.name]) for family in FAMILIES)
    return Encoders(**vocabularies, counts=counts, known_until=known_until)


def _combined(parts: Mapping[str, Part], family: Family, rows: int) -> Int64s:
    """One integer for the combination of the family's parts, -1 where a part that must be known is not, shape (q,)."""
    key = np.zeros(rows, dtype=np.int64)
    known = np.ones(rows, dtype=np.bool_)
    for part in (parts[name] for name in family.keys):
        key = key * (part.size + 1) + part.codes + 1
        if part.required:
            known &= part.codes >= 0
    return np.where(known, key, -1)


def _vocabulary(column: Coded) -> Vocabulary:
    return Vocabulary(tuple(sorted(column.texts())))


def _all_to_json(counts: Mapping[str, Counts]) -> dict[str, dict[str, list[int] | list[float]]]:
    return {name: _counts_to_json(counts[name]) for name in sorted(counts)}


def _counts_to_json(counts: Counts) -> dict[str, list[int] | list[float]]:
    return {
        "key": counts.key.tolist(),
        "bucket": counts.bucket.tolist(),
        "attempts": [round(value, 9) for value in counts.attempts.tolist()],
        "events": [round(value, 9) for value in counts.events.tolist()],
        "latest": counts.latest.tolist(),
    }


def _counts_from_json(document: Mapping[str, list[float]]) -> Counts:
    return Counts(
        key=np.array(document["key"], dtype=np.int64),
        bucket=np.array(document["bucket"], dtype=np.int64),
        attempts=np.array(document["attempts"], dtype=np.float64),
        events=np.array(document["events"], dtype=np.float64),
        latest=np.array(document["latest"], dtype=np.int64),
    )

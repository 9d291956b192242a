"""A table of codes, looked up exactly, loosely, by range or by title."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from features.declines.entry import CodeEntry, Confidence
from features.declines.spelling import loose, tidy, words
from features.vocabulary import Retryability

_RANGE = re.compile(r"^(\d+)-(\d+)$")
ANY_CODE = "*"

# From the strictest: where one code stands twice with several meanings, the strictest is taken.
STRICTEST_FIRST = (
    Retryability.NEVER,
    Retryability.AFTER_FIX,
    Retryability.WITH_AUTHENTICATION,
    Retryability.UNKNOWN,
    Retryability.LATER,
    Retryability.SOON,
)

Key = tuple[str, str | None]


@dataclass(frozen=True)
class CodeTable:
    """The codes of one network, processor or rail.

    Args:
        as_of: The day of the reference it was made from; None for a merchant's own.
        implied_code: A code that is left out when its subcode comes alone (Autogiro's `result`).
    """

    name: str
    title: str
    as_of: date | None
    confidence: Confidence
    entries: tuple[CodeEntry, ...]
    implied_code: str | None = None
    _exact: Mapping[Key, tuple[CodeEntry, ...]] = field(init=False, repr=False, compare=False)
    _loose: Mapping[Key, tuple[CodeEntry, ...]] = field(init=False, repr=False, compare=False)
    _titles: Mapping[str, tuple[CodeEntry, ...]] = field(init=False, repr=False, compare=False)
    _ranges: tuple[tuple[int, int, CodeEntry], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_exact", _grouped((tidy(e.code), _tidy(e.subcode), e) for e in self.entries))
        object.__setattr__(self, "_loose", _unambiguous(self.entries))
        object.__setattr__(self, "_titles", _by_title(self.entries))
        spans = ((m, e) for e in self.entries if (m := _RANGE.match(e.code)))
        object.__setattr__(self, "_ranges", tuple((int(m[1]), int(m[2]), e) for m, e in spans))

    def exact(self, code: str, subcode: str | None = None, on: date | None = None) -> CodeEntry | None:
        """The entry written exactly so (case and outer spaces apart), by subcode first, then without, then by range."""
        for key in _keys(tidy(code), _tidy(subcode)):
            if found := _strictest(self._exact.get(key, ()), on):
                return found
        return next((e for low, high, e in self._ranges if code.isdecimal() and low <= int(code) <= high), None)

    def loosely(self, code: str, subcode: str | None = None, on: date | None = None) -> CodeEntry | None:
        """The entry that differs only in punctuation and leading zeros, where no other one does."""
        if not loose(code):
            return None
        for key in _keys(loose(code), loose(subcode) if subcode else None):
            if found := _strictest(self._loose.get(key, ()), on):
                return found
        if self.implied_code is not None and subcode is None:
            return _strictest(self._loose.get((loose(self.implied_code), loose(code)), ()), on)
        return None

    def titled(self, text: str, on: date | None = None) -> CodeEntry | None:
        """The entry whose title is the text, where all entries of that title agree on the category."""
        found = self._titles.get(words(text), ())
        return _strictest(found, on) if len({e.category for e in found}) == 1 else None

    @property
    def change_days(self) -> frozenset[date]:
        """Days (UTC) on which some code begins to mean, or has just ceased to mean, something."""
        return frozenset(
            day for e in self.entries for day in (e.effective_from, _next_day(e.effective_to)) if day is not None
        )


def _keys(code: str, subcode: str | None) -> Iterable[Key]:
    return ((code, subcode), (code, None)) if subcode else ((code, None),)


def _tidy(subcode: str | None) -> str | None:
    return tidy(subcode) if subcode else None


def _grouped(rows: Iterable[tuple[str, str | None, CodeEntry]]) -> dict[Key, tuple[CodeEntry, ...]]:
    groups: dict[Key, tuple[CodeEntry, ...]] = defaultdict(tuple)
    for code, subcode, entry in rows:
        groups[code, subcode] += (entry,)
    return dict(groups)


def _unambiguous(entries: tuple[CodeEntry, ...]) -> dict[Key, tuple[CodeEntry, ...]]:
    groups = _grouped(
        (loose(e.code), loose(e.subcode) if e.subcode else None, e) for e in entries if e.code != ANY_CODE
    )
    joined = _grouped((loose(e.code + e.subcode), None, e) for e in entries if e.subcode and e.code != ANY_CODE)
    merged = joined | groups
    return {key: found for key, found in merged.items() if len({(e.code, e.subcode) for e in found}) == 1}


def _by_title(entries: tuple[CodeEntry, ...]) -> dict[str, tuple[CodeEntry, ...]]:
    groups = _grouped((words(e.title), None, e) for e in entries if e.code != ANY_CODE)
    return {title: found for (title, _), found in groups.items()}


def _strictest(found: tuple[CodeEntry, ...], on: date | None) -> CodeEntry | None:
    valid = [e for e in found if e.means_this_on(on)]
    return min(valid, key=lambda e: STRICTEST_FIRST.index(e.retryability)) if valid else None


def _next_day(day: date | None) -> date | None:
    return None if day is None else date.fromordinal(day.toordinal() + 1)

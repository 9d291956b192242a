"""The nearest right word for a wrong one, and lists short enough to read."""

from collections.abc import Iterable
from difflib import get_close_matches

_SHOWN = 12


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like this one without regard to case, or None when none is near.

    >>> nearest("curency", ["currency", "rail"]), nearest("zzz", ["currency"])
    ('currency', None)
    """
    by_lower = {each.lower(): each for each in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence that suggests the nearest word, or nothing."""
    found = nearest(word, known)
    return f"; did you mean {found!r}?" if found else ""


def listed(words: Iterable[str]) -> str:
    """The words as a list for people, cut after a dozen."""
    every = list(words)
    shown = ", ".join(every[:_SHOWN])
    return shown if len(every) <= _SHOWN else f"{shown} and {len(every) - _SHOWN} more"

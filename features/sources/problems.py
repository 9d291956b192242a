"""Reads settings from a TOML document and gathers everything that is wrong with them, each by its place."""

from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Dictionary
from typing import TypeVar

from features.errors import InputError, shorten
from features.sources.suggestion import did_you_mean, listed

Choice = TypeVar("Choice")


class Problems:
    """Everything wrong with one file, in the order it was found."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, sentence: str) -> None:
        """Note one problem; the sentence starts with its place."""
        self.found.append(sentence)

    def about(self, place: str) -> bool:
        """Whether anything was found at the place or below it."""
        return any(sentence.startswith((f"{place}:", f"{place}.")) for sentence in self.found)

    def raise_if_any(self, name: str) -> None:
        """Raise one `InputError` that lists them all."""
        if len(self.found) == 1:
            raise InputError(f"{name}: {self.found[0]}")
        if self.found:
            raise InputError(f"{name} has {len(self.found)} problems: " + "; ".join(self.found))


class Settings:
    """One TOML table with its place in the document; wrong values become problems and read as absent."""

    __slots__ = ("_problems", "place", "values")

    def __init__(self, place: str, values: Dictionary[str, object], problems: Problems) -> None:
        self.place = place
        self.values = values
        self._problems = problems

    def items(self) -> Iterator[tuple[str, object]]:
        """The keys and values as they were written."""
        return iter(self.values.items())

    def problem(self, key: str, value: object, expected: str) -> None:
        """Note that the key holds a value it may not hold."""
        self._problems.add(f"{self._path(key)}: {shorten(value)} is not accepted; expected {expected}")

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Note every key that is not one of the known ones, with the nearest right one."""
        words = list(known)
        for key in self.values:
            if key not in words:
                self._problems.add(
                    f"{self._path(key)}: is not known here; expected one of {listed(words)}{did_you_mean(key, words)}"
                )

    def table(self, key: str) -> "Settings":
        """The table under the key; empty when absent."""
        return self.optional_table(key) or Settings(self._path(key), {}, self._problems)

    def optional_table(self, key: str) -> "Settings | None":
        """The table under the key, or None when absent."""
        value = self.values.get(key)
        if value is None:
            return None
        if not isinstance(value, dict):
            self.problem(key, value, "a table")
            return None
        return Settings(self._path(key), value, self._problems)

    def text(self, key: str, *, may_be_empty: bool = False) -> str | None:
        """The text under the key, or None."""
        value = self.values.get(key)
        if value is None or (isinstance(value, str) and (value or may_be_empty)):
            return value
        self.problem(key, value, "a text in quotes")
        return None

    def whole(self, key: str) -> int | None:
        """The whole number under the key, or None."""
        value = self.values.get(key)
        if value is None or type(value) is int:
            return value
        self.problem(key, value, "a whole number")
        return None

    def flag(self, key: str) -> bool:
        """Whether the key is true; absent is false."""
        value = self.values.get(key, False)
        if isinstance(value, bool):
            return value
        self.problem(key, value, "true or false")
        return False

    def texts(self, key: str) -> list[str]:
        """The list of texts under the key; empty when absent."""
        value = self.values.get(key, [])
        if isinstance(value, list):
            texts = [item for item in value if isinstance(item, str)]
            if len(texts) == len(value):
                return texts
        self.problem(key, value, "a list of texts in quotes")
        return []

    def choice(self, key: str, choices: Dictionary[str, Choice]) -> Choice | None:
        """The choice that the text under the key names, or None."""
        word = self.text(key)
        if word is None or word in choices:
            return None if word is None else choices[word]
        self.problem(key, word, f"one of {listed(choices)}{did_you_mean(word, choices)}")
        return None

    def _path(self, key: str) -> str:
        return f"{self.place}.{key}" if self.place else key

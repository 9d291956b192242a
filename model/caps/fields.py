"""Typed access to the fields of a rule file; every fault is noted by place and field, none stops the reading."""

from datetime import date
from enum import StrEnum
from typing import TypeVar

from features.card_number import mask_card_numbers
from features.errors import InvalidValueError, shorten
from features.money import Money, from_major

Word = TypeVar("Word", bound=StrEnum)


class Fields:
    """Typed access to one table; what is wrong is noted under the field's name and read as a placeholder."""

    def __init__(
        self, where: str, table: dict[str, object], faults: list[str] | None = None, noun: str = "rule"
    ) -> None:
        self._where = where
        self._noun = noun
        self._table = table
        self._read: set[str] = set()
        self.faults: list[str] = [] if faults is None else faults

    def finish(self) -> list[str]:
        """All faults, unknown fields included."""
        self.faults.extend(self.unread())
        return self.faults

    def unread(self) -> list[str]:
        """Fields that mean nothing, each as a fault."""
        extra = sorted(self._table.keys() - self._read)
        return [f"{self._where}, {name}: is not a field of a {self._noun}" for name in extra]

    def has(self, name: str) -> bool:
        """Whether the field is stated."""
        return name in self._table

    def below(self, name: str) -> "Fields":
        """The fields of a table within this one."""
        value = self._take(name)
        if value is not None and not isinstance(value, dict):
            self.fault(name, "a table such as { kind = … }")
        return Fields(f"{self._where}, {name}", value if isinstance(value, dict) else {})

    def tables(self, name: str) -> list["Fields"]:
        """The fields of each table of a list."""
        value = self._take(name)
        if value is None:
            return []
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.fault(name, "a list of tables")
            return []
        return [Fields(f"{self._where}, {name} {i}", item, self.faults) for i, item in enumerate(value, 1)]

    def text(self, name: str, *, needed: bool = False) -> str:
        """Text; empty where it is not stated."""
        value = self._take(name)
        if isinstance(value, str) and (value or not needed):
            return value
        if needed or value is not None:
            self.fault(name, "text that is not empty")
        return ""

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts that, where stated, is not empty."""
        value = self._take(name)
        items = value if isinstance(value, list) else []
        if value is not None and not (items and all(isinstance(item, str) and item for item in items)):
            self.fault(name, "a list of texts that is not empty")
            return ()
        return tuple(str(item) for item in items)

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        """One of the known texts; a fault where it is not stated."""
        value = self._take(name)
        if value not in known:
            self.fault(name, "one of " + ", ".join(known))
        return str(value)

    def word(self, name: str, words: type[Word], default: Word) -> Word:
        """One word of a closed list."""
        value = self._take(name)
        if value is None:
            return default
        return self._as_word(name, value, words) or default

    def words(self, name: str, words: type[Word]) -> tuple[Word, ...]:
        """Words of a closed list."""
        read = (self._as_word(name, text, words) for text in self.texts(name))
        return tuple(word for word in read if word is not None)

    def whole(self, name: str) -> int | None:
        """A whole number from 0, or None."""
        value = self._take(name)
        if value is None or (type(value) is int and value >= 0):
            return value if type(value) is int else None
        self.fault(name, "a whole number from 0")
        return None

    def flag(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._take(name)
        if value is not None and not isinstance(value, bool):
            self.fault(name, "true or false")
        return value if isinstance(value, bool) else default

    def day(self, name: str) -> date | None:
        """A date, or None."""
        value = self._take(name)
        if value is None or type(value) is date:
            return value if type(value) is date else None
        self.fault(name, "a date such as 2025-05-25")
        return None

    def money(self, name: str) -> Money:
        """Money written as `0.10 USD`."""
        amount, _, currency = self.text(name, needed=True).partition(" ")
        try:
            return from_major(amount, currency)
        except InvalidValueError:
            self.fault(name, 'money such as "0.10 USD"')
            return Money(0, "USD")

    def fault(self, name: str, expected: str) -> None:
        """Note that the field is not what it should be."""
        value = self._table.get(name)
        stated = "is missing" if value is None else f"{mask_card_numbers(shorten(value))} is not accepted"
        said = f"{self._where}, {name}: {stated}"
        if not any(fault.startswith(f"{said}; ") for fault in self.faults):  # one sentence a field is enough
            self.faults.append(f"{said}; expected {expected}")

    def _as_word(self, name: str, value: object, words: type[Word]) -> Word | None:
        if isinstance(value, str) and value in set(words):
            return words(value)
        self.fault(name, "one of " + ", ".join(words))
        return None

    def _take(self, name: str) -> object:
        self._read.add(name)
        return self._table.get(name)

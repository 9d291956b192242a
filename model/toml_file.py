"""Reads a TOML file of figures whole: values are checked one by one, every fault is reported by its key at once."""

import hashlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from typing import TypeGuard

import orjson

from features.card_number import mask_card_numbers
from features.errors import InputError, InvalidValueError, shorten
from features.money import Money, from_major, minor_digits

Table = Mapping[str, object]
Path = tuple[str, ...]

_ZERO = Money(0, "EUR")


def parsed(text: str, source: str) -> Table:
    """The TOML document as nested tables.

    Raises:
        InputError: Not TOML.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{source}: not valid TOML: {error}") from None


def overlaid(base: Table, over: Table, depth: int = 3) -> Table:
    """The base tables with what `over` states in place of them, table by table down to `depth` levels."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        if depth > 1 and isinstance(below, dict) and isinstance(value, dict):
            result[key] = overlaid(below, value, depth - 1)
        else:
            result[key] = value
    return result


def is_currency(code: str) -> bool:
    """Whether ISO 4217 has the code."""
    try:
        minor_digits(code)
    except InvalidValueError:
        return False
    return True


class Checked:
    """Typed access to the values of a file by their path; faults are gathered and raised together by `finish`.

    A faulty value reads as a harmless placeholder until then, so that all faults are found in one pass.
    """

    def __init__(self, tables: Table, source: str) -> None:
        self._tables = tables
        self._source = source
        self._faults: list[str] = []

    def finish(self) -> None:
        """Raise `InputError` naming every fault, if there was any."""
        if self._faults:
            raise InputError(f"{self._source}: " + "; ".join(self._faults))

    def digest(self) -> str:
        """Short hash of all values."""
        text = orjson.dumps(self._tables, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(text).hexdigest()[:12]

    def keys(self, path: Path) -> list[str]:
        """The names in a table, sorted; a fault if it is no table."""
        table = self._value(path)
        if isinstance(table, dict):
            return sorted(table)
        self.fault(path, table, "a table")
        return []

    def is_table(self, path: Path) -> bool:
        """Whether the key holds a table."""
        return isinstance(self._value(path), dict)

    def only_keys(self, path: Path, known: set[str]) -> None:
        """A fault for every name in the table that means nothing."""
        table = self._value(path)
        for name in sorted(set(table) - known) if isinstance(table, dict) else []:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(known))}"
            self._faults.append(f"{'.'.join((*path, name))} is not a key of this file; {hint}")

    def number(self, path: Path, low: float, high: float) -> float:
        """A number in [low, high]."""
        value = self._value(path)
        if _is_number(value) and low <= value <= high:
            return float(value)
        self.fault(path, value, f"a number between {low:g} and {high:g}")
        return low

    def whole(self, path: Path, low: int, high: int) -> int:
        """A whole number in [low, high]."""
        value = self._value(path)
        if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
            return value
        self.fault(path, value, f"a whole number between {low} and {high}")
        return low

    def money(self, path: Path) -> Money:
        """Money written as `0.10 EUR`; never negative."""
        value = self._value(path)
        try:
            number, currency = value.split() if isinstance(value, str) else ("", "")
            money = from_major(number, currency)
        except (ValueError, InvalidValueError):
            money = None
        if money is not None and money.amount_minor >= 0:
            return money
        self.fault(path, value, 'money such as "0.10 EUR"')
        return _ZERO

    def currency(self, path: Path) -> str:
        """An ISO 4217 code."""
        value = self._value(path)
        if isinstance(value, str) and is_currency(value):
            return value
        self.fault(path, value, "an ISO 4217 code in capitals, for example EUR")
        return _ZERO.currency

    def day(self, path: Path) -> date:
        """A date."""
        value = self._value(path)
        if type(value) is date:
            return value
        self.fault(path, value, "a date such as 2026-11-23")
        return date.min

    def word(self, path: Path, known: Sequence[str]) -> str:
        """One of the known words."""
        value = self._value(path)
        if isinstance(value, str) and value in known:
            return value
        self.fault(path, value, f"one of {', '.join(known)}")
        return ""

    def numbers(self, path: Path) -> tuple[float, ...]:
        """A list of finite numbers."""
        value = self._value(path)
        if isinstance(value, list) and all(_is_number(item) for item in value):
            return tuple(float(item) for item in value)
        self.fault(path, value, "a list of numbers")
        return ()

    def fault(self, path: Path, value: object, expected: str) -> None:
        """Note that the value at the path is not what it should be."""
        stated = "is missing" if value is None else f"{mask_card_numbers(shorten(value))} is not accepted"
        self._faults.append(f"{'.'.join(path)}: {stated}; expected {expected}")

    def _value(self, path: Path) -> object:
        value: object = self._tables
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

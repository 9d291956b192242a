"""Reads one cell of an export as one field of the history: a value of the field's kind, or why not."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from features.card_number import is_bin
from features.countries import country_of
from features.errors import InvalidValueError
from features.history import Field
from features.money import from_major, minor_digits
from features.sources.refusal import Refusal, not_accepted
from features.sources.suggestion import did_you_mean, listed
from features.sources.times import TimeFormat, date_reader, instant_reader
from features.time_zones import is_zone

Value = str | int | float | bool | date
Reader = Callable[[str], Value | Refusal]

_LARGEST = 2**63 - 1
_WHOLE = re.compile(r"[+-]?[0-9]+")
_PLAIN_DECIMAL = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)")
_TRUE = frozenset({"true", "t", "yes", "y", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "0"})

MONEY_FIELDS = frozenset({"amount_minor", "attempt_fee_minor"})


class Unit(StrEnum):
    """The unit an export writes money in."""

    MINOR = "minor"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class MoneyFormat:
    """How the amounts of one column are written: `1.234,50` is major with decimal `,` and thousands `.`."""

    unit: Unit = Unit.MINOR
    decimal: str = "."
    thousands: str = ""

    def __str__(self) -> str:
        """For people: `major units, decimal ','`."""
        separators = "".join(
            f", {name} {mark!r}" for name, mark in (("decimal", self.decimal), ("thousands", self.thousands)) if mark
        )
        return f"{self.unit} units{separators if self.unit is Unit.MAJOR or self.thousands else ''}"


MINOR_UNITS = MoneyFormat()


def cell_reader(field: Field, time: TimeFormat) -> Reader:
    """The function that reads a trimmed, non-empty cell as that field; money is read by `money_reader`."""
    special: dict[str, Reader] = {
        "currency": _currency,
        "issuer_bin": _bin,
        "issuer_country": _country,
        "issuer_time_zone": _zone,
        "propensity": _propensity,
    }
    if field.name in special:
        return special[field.name]
    match field.kind:
        case "word":
            return _word_reader(field)
        case "instant":
            return instant_reader(time)
        case "date":
            return date_reader(time.format, last_of_month=field.name == "expires_on")
        case "flag":
            return _flag
        case "whole":
            return _whole
        case "number":
            return _number
        case "text":
            return _text


def money_reader(field: str, how: MoneyFormat) -> Callable[[str, str], int | Refusal]:
    """A function from a cell and its row's currency to minor units; amounts are above zero, fees not below."""
    least = 1 if field == "amount_minor" else 0

    def read(text: str, currency: str) -> int | Refusal:
        plain = _plain(text, how)
        minor = plain if isinstance(plain, Refusal) else _minor_units(plain, currency, how.unit)
        if isinstance(minor, Refusal) or least <= minor <= _LARGEST:
            return minor
        return not_accepted("an amount above zero" if least and minor < least else f"{least} to {_LARGEST}")

    return read


def _plain(text: str, how: MoneyFormat) -> str | Refusal:
    bare = text.replace(how.thousands, "") if how.thousands else text
    if how.decimal == ".":
        return bare
    if "." in bare:
        return not_accepted(f"an amount with {how.decimal!r} before its decimals")
    return bare.replace(how.decimal, ".")


def _minor_units(plain: str, currency: str, unit: Unit) -> int | Refusal:
    if unit is Unit.MINOR:
        if _WHOLE.fullmatch(plain):
            return int(plain[:40])
        return not_accepted('a whole number of minor units (unit = "major" reads amounts such as 12.50)')
    digits = minor_digits(currency)
    wanted = f"an amount in {currency} with at most {digits} decimals, such as {1234.5:.{digits}f}"
    if not _PLAIN_DECIMAL.fullmatch(plain) or len(plain) > 40:
        return not_accepted(wanted)
    try:
        return from_major(plain, currency).amount_minor
    except InvalidValueError:
        return not_accepted(wanted)


def _text(text: str) -> str:
    return text


def _word_reader(field: Field) -> Reader:
    words = [] if field.words is None else [str(word) for word in field.words]
    known = frozenset(words)

    def read(text: str) -> str | Refusal:
        word = text.lower().replace(" ", "_").replace("-", "_")
        return word if word in known else not_accepted(f"one of {listed(words)}{did_you_mean(word, words)}")

    return read


def _currency(text: str) -> str | Refusal:
    code = text.upper()
    try:
        minor_digits(code)
    except InvalidValueError as error:
        return not_accepted(error.expected)
    return code


def _country(text: str) -> str | Refusal:
    return country_of(text) or not_accepted("an ISO 3166-1 country of two letters, such as DE")


def _bin(text: str) -> str | Refusal:
    return text if is_bin(text) else not_accepted("the first six to eight digits of the card, such as 41111111")


def _zone(text: str) -> str | Refusal:
    return text if is_zone(text) else not_accepted("an IANA time zone, such as Europe/Berlin")


def _flag(text: str) -> bool | Refusal:
    word = text.lower()
    return word in _TRUE if word in _TRUE or word in _FALSE else not_accepted("true or false, yes or no, 1 or 0")


def _whole(text: str) -> int | Refusal:
    fits = _WHOLE.fullmatch(text) and len(text) <= 20 and abs(int(text)) <= _LARGEST
    return int(text) if fits else not_accepted("a whole number")


def _number(text: str) -> float | Refusal:
    try:
        return float(text)
    except ValueError:
        return not_accepted("a number")


def _propensity(text: str) -> float | Refusal:
    value = _number(text)
    if isinstance(value, Refusal) or not 0.0 < value <= 1.0:
        return not_accepted("a probability above 0 and at most 1")
    return value

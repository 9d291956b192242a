"""How an export's columns become the fields of the attempt history: the values a mapping file states."""

import re
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Literal

from features.history import BY_NAME, FIELDS
from features.sources.cells import MINOR_UNITS, MONEY_FIELDS, MoneyFormat
from features.sources.times import ISO_TIMES, TimeFormat

FileFormat = Literal["csv", "jsonl", "parquet"]

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")

# Without these an attempt cannot be placed at all; the rest of the required fields can be derived.
DERIVED_FROM_LINE = ("attempt_id",)
DERIVED_FROM_PAYMENT = ("payment_id", "customer_id", "method_id")


@dataclass(frozen=True, slots=True)
class Column:
    """The cell of one column."""

    name: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The export's columns that are read."""
        return (self.name,)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Constant:
    """The same text for every row."""

    text: str

    @property
    def columns(self) -> tuple[str, ...]:
        """Constants read no column."""
        return ()

    def __str__(self) -> str:
        return f"constant {self.text!r}"


@dataclass(frozen=True, slots=True)
class Template:
    """Text with columns in braces, such as `{country}-{card}`; empty when any of its columns is."""

    text: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The export's columns that are read, in order, with repeats."""
        return tuple(_PLACEHOLDER.findall(self.text))

    @property
    def percent_format(self) -> str:
        """The same template for the `%` operator, to be filled with a tuple of cells."""
        return _PLACEHOLDER.sub("%s", self.text.replace("%", "%%"))

    def __str__(self) -> str:
        return f"template {self.text!r}"


Source = Column | Constant | Template


@dataclass(frozen=True, slots=True)
class ValueTable:
    """Replaces an export's words by ours.

    Args:
        values: Their word (trimmed, exact; "" is the empty cell) to ours.
        otherwise: Ours for every word not listed; None quarantines the row unless `keep_unlisted`.
        keep_unlisted: Words not listed stand as they are.
    """

    values: Dictionary[str, str]
    otherwise: str | None = None
    keep_unlisted: bool = False


@dataclass(frozen=True, slots=True)
class FieldRule:
    """Where one field of the history comes from and how it is written there.

    Args:
        default: Used where the cell is empty; None leaves an optional field empty, quarantines a required one.
    """

    field: str
    source: Source
    table: ValueTable | None = None
    default: str | None = None
    money: MoneyFormat = MINOR_UNITS
    time: TimeFormat = ISO_TIMES

    def __str__(self) -> str:
        """The rule as a person reads it, after the columns it reads."""
        if isinstance(self.source, Constant):
            return str(self.source)
        parts = [] if isinstance(self.source, Column) else [str(self.source)]
        if self.table is not None:
            parts.append(f"value table of {len(self.table.values)}")
        if self.field in MONEY_FIELDS:
            parts.append(str(self.money))
        elif BY_NAME[self.field].kind in {"instant", "date"}:
            parts.append(str(self.time))
        if self.default is not None:
            parts.append(f"default {self.default!r}")
        return "; ".join(parts) or "as it stands"


@dataclass(frozen=True, slots=True)
class FileShape:
    """How the export's files are written; None means by the file's ending.

    Args:
        delimiter: One character; None is a tab for `.tsv` and a comma otherwise.
        quote: One character; empty where nothing is quoted.
        encoding: A Python codec name; a byte order mark is dropped.
        empty: Words that mean an empty cell, besides the empty text.
    """

    format: FileFormat | None = None
    delimiter: str | None = None
    quote: str = '"'
    encoding: str = "utf-8"
    empty: frozenset[str] = frozenset()


PLAIN_FILE = FileShape()


@dataclass(frozen=True, slots=True)
class PaymentGrouping:
    """Attempts with the same keys within `gap_seconds` of the previous one are one payment.

    Args:
        by: The export's columns that make the key; a row where one is empty is quarantined.
        gap_seconds: Inclusive: an attempt exactly so long after the previous one still belongs to it.
    """

    by: tuple[str, ...]
    gap_seconds: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """Everything needed to read one kind of export."""

    rules: Dictionary[str, FieldRule]
    shape: FileShape = PLAIN_FILE
    grouping: PaymentGrouping | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column of the export that is used, once each, in order of first use."""
        used = [column for rule in self.rules.values() for column in rule.source.columns]
        return tuple(dict.fromkeys([*used, *(self.grouping.by if self.grouping else ())]))


def identity_mapping(columns: tuple[str, ...]) -> Mapping:
    """The mapping of a file that is already in the history format: every field it has, by its own name."""
    return Mapping({f.name: FieldRule(f.name, Column(f.name)) for f in FIELDS if f.name in columns})

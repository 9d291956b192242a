"""Reads one field for many rows at once: source, value table, default, then the field's kind."""

from collections.abc import Callable, Sequence
from collections.abc import Mapping as Dictionary
from dataclasses import dataclass
from typing import Generic, TypeVar

from features.history import BY_NAME, Field
from features.sources.cells import MONEY_FIELDS, Value, cell_reader, money_reader
from features.sources.mapping import Column, Constant, FieldRule, Source
from features.sources.refusal import Reason, Refusal, not_accepted
from features.sources.suggestion import did_you_mean, listed

Answer = Value | Refusal | None

_MOST_REMEMBERED = 50_000

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class RawRows:
    """Some rows of one file as text, column by column; the empty text is an empty cell.

    Args:
        file: The file's name, without its folder.
        lines: Where each row starts in its file, counted from 1.
        columns: Every column of the export; all as long as `lines`.
    """

    file: str
    lines: Sequence[int]
    columns: Dictionary[str, Sequence[str]]


class Remembered(dict[Key, Answer], Generic[Key]):
    """Answers of a pure function, kept while they are few; exports repeat most of their cells."""

    def __init__(self, answer: Callable[[Key], Answer]) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, key: Key) -> Answer:
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        found = self[key] = self._answer(key)
        return found


class FieldReader:
    """Reads one field by its rule. The answers are values, None (optional and empty), or refusals."""

    __slots__ = ("_amounts", "_cells", "field", "rule")

    def __init__(self, rule: FieldRule, empty: frozenset[str]) -> None:
        self.rule = rule
        self.field = BY_NAME[rule.field]
        self._cells: Remembered[str] = Remembered(_whole_cell(self.field, rule, empty))
        self._amounts: Remembered[tuple[str, str]] = Remembered(_amount(self.field, rule))

    def answers(self, rows: RawRows, currencies: Sequence[Answer]) -> list[Answer]:
        """One answer a row; `currencies` are read before any money."""
        answers = [self._cells[cell] for cell in source_cells(self.rule.source, rows)]
        if self.field.name not in MONEY_FIELDS:
            return answers
        # Without a readable currency there is no amount; the row is refused for its currency.
        return [
            (self._amounts[text, currency] if isinstance(currency, str) else None) if isinstance(text, str) else text
            for text, currency in zip(answers, currencies, strict=True)
        ]


def source_cells(source: Source, rows: RawRows) -> Sequence[str]:
    """The cells that a source makes of the rows, one a row."""
    if isinstance(source, Constant):
        return [source.text] * len(rows.lines)
    if isinstance(source, Column):
        return rows.columns[source.name]
    parts = [map(str.strip, rows.columns[name]) for name in source.columns]
    pattern = source.percent_format
    return [pattern % cells if all(cells) else "" for cells in zip(*parts, strict=True)]


def _whole_cell(field: Field, rule: FieldRule, empty: frozenset[str]) -> Callable[[str], Answer]:
    # Money waits for its currency: here its text only passes the value table and the default.
    read: Callable[[str], Value | Refusal] = str if field.name in MONEY_FIELDS else cell_reader(field, rule.time)
    missing = Refusal(Reason.MISSING, f"{field.meaning}, such as {field.example}") if field.required else None

    def answer(raw: str) -> Answer:
        cell = raw.strip()
        replaced = _replace("" if cell in empty else cell, rule)
        if isinstance(replaced, Refusal):
            return replaced
        return read(replaced) if replaced else missing

    return answer


def _replace(cell: str, rule: FieldRule) -> str | Refusal:
    table = rule.table
    if table is not None and cell in table.values:
        cell = table.values[cell].strip()
    elif table is not None and cell and not table.keep_unlisted:
        if table.otherwise is None:
            words = [word for word in table.values if word]
            return Refusal(Reason.NOT_LISTED, f"one of {listed(words)}{did_you_mean(cell, words)}")
        cell = table.otherwise
    return cell or (rule.default or "").strip()


def _amount(field: Field, rule: FieldRule) -> Callable[[tuple[str, str]], Answer]:
    read = money_reader(field.name, rule.money)

    def answer(key: tuple[str, str]) -> Answer:
        text, currency = key
        return read(text, currency) if text else not_accepted("an amount")

    return answer

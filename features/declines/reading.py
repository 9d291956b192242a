"""Reads a table of codes from its TOML file, every field checked."""

import tomllib
from datetime import date
from functools import cache
from importlib.resources import files

from features.declines.entry import CodeEntry, Confidence, Hidden, Outranks
from features.declines.table import CodeTable
from features.errors import InputError
from features.vocabulary import DeclineCategory, Retryability


@cache
def load_table(name: str) -> CodeTable:
    """The shipped table of that name, read once.

    Raises:
        InputError: There is no such table, or it cannot be read.
    """
    path = files("features.declines") / "codes" / f"{name}.toml"
    if not path.is_file():
        raise InputError(f"codes/{name}.toml: no such table of decline codes")
    return parse_table(name, path.read_text(encoding="utf-8"))


def parse_table(name: str, text: str) -> CodeTable:
    """A table from its TOML text.

    Raises:
        InputError: The text is not TOML or a row lacks or misstates a field; the message names the row.
    """
    try:
        raw = tomllib.loads(text)
        confidence: Confidence = raw["confidence"]
        source: str = raw["source"]
        rows: list[dict[str, object]] = raw["codes"]
        entries = tuple(entry_of(name, row, source, confidence) for row in rows)
        return CodeTable(name, raw["title"], raw["as_of"], confidence, entries, raw.get("implied_code"))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"codes/{name}.toml: not TOML ({error})") from None
    except KeyError as error:
        raise InputError(f"codes/{name}.toml: {error.args[0]} is missing") from None


def entry_of(table: str, row: dict[str, object], source: str, confidence: Confidence) -> CodeEntry:
    """One code from its row.

    Raises:
        InputError: A field is missing or misstated; the message names the table, the code and the field.
    """
    read = _Row(table, row)
    entry = CodeEntry(
        table=table,
        code=read.needed_text("code"),
        title=read.needed_text("title"),
        category=DeclineCategory(read.word("category", DeclineCategory)),
        retryability=Retryability(read.word("retryability", Retryability)),
        source=read.text("source") or source,
        confidence=confidence,
        subcode=read.text("subcode"),
        advice=read.text("advice"),
        min_wait_hours=read.whole("min_wait_hours"),
        outranks=read.outranks(),
        insufficient_funds_in=read.countries("insufficient_funds_in"),
        effective_from=read.day("effective_from"),
        effective_to=read.day("effective_to"),
        may_hide=read.hidden("may_hide"),
        note=read.text("note"),
    )
    read.refuse_unread()
    return entry


class _Row:
    """Reads one row of a table field by field, each checked."""

    def __init__(self, table: str, row: dict[str, object]) -> None:
        self._table = table
        self._where = f"codes/{table}.toml, code {row.get('code')!r}"
        self._row = row
        self._read: set[str] = set()

    def text(self, name: str) -> str | None:
        value = self._take(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "text in quotes")
        return value

    def needed_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self._wrong(name, "text that is not empty")
        return value

    def word(self, name: str, words_allowed: type[DeclineCategory] | type[Retryability]) -> str:
        value = self.needed_text(name)
        if value not in set(words_allowed):
            raise self._wrong(name, "one of " + ", ".join(words_allowed))
        return value

    def whole(self, name: str) -> int | None:
        value = self._take(name)
        if value is not None and (type(value) is not int or value < 0):
            raise self._wrong(name, "a whole number from 0")
        return value if type(value) is int else None

    def day(self, name: str) -> date | None:
        value = self._take(name)
        if value is not None and type(value) is not date:
            raise self._wrong(name, "a date such as 2026-10-25")
        return value if type(value) is date else None

    def countries(self, name: str) -> frozenset[str]:
        value = self._take(name)
        codes = value if isinstance(value, list) else []
        if value is not None and not (codes and all(isinstance(c, str) and len(c) == 2 and c.isupper() for c in codes)):
            raise self._wrong(name, "a list of ISO 3166-1 alpha-2 codes")
        return frozenset(str(code) for code in codes)

    def hidden(self, name: str) -> tuple[Hidden, ...]:
        value = self._take(name)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
            raise self._wrong(name, 'a list of { code = "57", from = 2025-10-01 }')
        return tuple(self._hidden(name, _Row(self._table, row)) for row in value)

    def _hidden(self, name: str, row: "_Row") -> Hidden:
        code, begins, ends = row.needed_text("code"), row.day("from"), row.day("to")
        row.refuse_unread()
        if begins is None:
            raise self._wrong(name, "a day from which it is rewritten")
        return Hidden(code, begins, ends)

    def outranks(self) -> Outranks:
        value = self.text("outranks")
        if value == "retryability":
            return "retryability"
        if value == "nothing":
            return "nothing"
        if value not in {None, "both"}:
            raise self._wrong("outranks", "both, retryability or nothing")
        return "both"

    def refuse_unread(self) -> None:
        if extra := sorted(self._row.keys() - self._read):
            raise InputError(f"{self._where}: {extra[0]} is not a field of a code")

    def _take(self, name: str) -> object:
        self._read.add(name)
        return self._row.get(name)

    def _wrong(self, name: str, expected: str) -> InputError:
        return InputError(f"{self._where}: {name} is {self._row.get(name)!r}; expected {expected}")

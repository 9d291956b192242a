"""Reads a mapping file (TOML) and validates it whole: every problem is reported at once, each by its place."""

import tomllib
from collections.abc import Mapping as Dictionary

from features.card_number import holds_card_number, mask_card_numbers
from features.errors import InputError
from features.history import BY_NAME, REQUIRED
from features.sources.field_rules import read_field_rule
from features.sources.mapping import (
    DERIVED_FROM_LINE,
    DERIVED_FROM_PAYMENT,
    PLAIN_FILE,
    FieldRule,
    FileShape,
    Mapping,
    PaymentGrouping,
)
from features.sources.problems import Problems, Settings

_TABLES = ("file", "fields", "payments")
_LONGEST_GAP_SECONDS = 366 * 86_400


def parse_mapping(text: str, name: str) -> Mapping:
    """The mapping that a TOML text states.

    Args:
        text: The file's content.
        name: How the file is called in messages.

    Raises:
        InputError: The text is no TOML, or states something unknown, missing or contradictory. The message lists
            every problem.
    """
    if holds_card_number(text):
        raise InputError(f"{name}: holds what looks like a card number; a mapping never needs one")
    try:
        document: dict[str, object] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{name}: is not valid TOML: {mask_card_numbers(str(error))}") from None
    problems = Problems()
    top = Settings("", document, problems)
    top.refuse_unknown(_TABLES)
    mapping = Mapping(
        _fields(top.table("fields"), problems), _shape(top.table("file")), _grouping(top.optional_table("payments"))
    )
    _check_complete(mapping, problems)
    problems.raise_if_any(name)
    return mapping


def _fields(fields: Settings, problems: Problems) -> Dictionary[str, FieldRule]:
    fields.refuse_unknown(BY_NAME)
    return {
        name: rule
        for name, stated in fields.items()
        if name in BY_NAME and (rule := read_field_rule(BY_NAME[name], stated, problems)) is not None
    }


def _shape(stated: Settings) -> FileShape:
    stated.refuse_unknown(("format", "delimiter", "quote", "encoding", "empty"))
    shape = PLAIN_FILE
    encoding = stated.text("encoding") or shape.encoding
    if not _is_encoding(encoding):
        stated.problem("encoding", encoding, "a known text encoding, such as utf-8, cp1252 or latin-1")
    quote = stated.text("quote", may_be_empty=True)
    delimiter = stated.text("delimiter")
    for key, mark in (("delimiter", delimiter), ("quote", quote)):
        if mark and (len(mark) != 1 or mark in "\r\n"):
            stated.problem(key, mark, "one character")
    if quote is not None and quote == (delimiter or ","):
        stated.problem("quote", quote, "another character than the delimiter")
    return FileShape(
        format=stated.choice("format", {"csv": "csv", "jsonl": "jsonl", "parquet": "parquet"}),
        delimiter=delimiter,
        quote=shape.quote if quote is None else quote,
        encoding=encoding,
        empty=frozenset(stated.texts("empty")),
    )


def _grouping(stated: Settings | None) -> PaymentGrouping | None:
    if stated is None:
        return None
    stated.refuse_unknown(("by", "gap_seconds"))
    by = tuple(stated.texts("by"))
    if not by:
        stated.problem("by", list(by), "a list of the columns that make the key of a payment")
    gap = stated.whole("gap_seconds")
    if gap is None or not 0 <= gap <= _LONGEST_GAP_SECONDS:
        stated.problem("gap_seconds", gap, f"whole seconds, 0 to {_LONGEST_GAP_SECONDS}")
    return PaymentGrouping(by, gap or 0)


def _check_complete(mapping: Mapping, problems: Problems) -> None:
    derived = {*DERIVED_FROM_LINE, *(DERIVED_FROM_PAYMENT if mapping.grouping else ())}
    for name in REQUIRED:
        if name not in mapping.rules and name not in derived and not problems.about(f"fields.{name}"):
            hint = ", or [payments] to derive it" if name in DERIVED_FROM_PAYMENT else ""
            problems.add(f"fields.{name}: is required but has no rule; state its column, constant or template{hint}")
    if mapping.grouping and "payment_id" in mapping.rules:
        problems.add("payments: is stated although fields.payment_id has a rule; keep one of the two")


def _is_encoding(name: str) -> bool:
    try:
        return isinstance("".encode(name), bytes)
    except LookupError:
        return False

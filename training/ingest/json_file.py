"""Reads JSON Lines: one object a line; keys of nested objects are joined with dots."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from features.errors import InputError
from features.sources.field_reader import RawRows
from features.sources.mapping import FileShape
from features.sources.refusal import Reason, Refusal, fault
from training.ingest.exports import CHUNK_ROWS, Chunk, Export, Malformed, OpenExport, lines_of, open_text

# Keys that the mapping does not use are read together, only to be searched for card numbers.
OTHER_KEYS = "a key that the mapping does not use"

_NOT_AN_OBJECT = Refusal(Reason.MALFORMED, "one JSON object a line")


@contextmanager
def open_json_lines(export: Export, shape: FileShape) -> Iterator[OpenExport]:
    """The export's rows; its columns are not known before they are read.

    Raises:
        InputError: The file cannot be read; see `open_text`.
    """
    with open_text(export, shape.encoding) as (text, consumed):
        yield OpenExport(None, lambda used: _chunks(lines_of(text, export.path), export, used, consumed))


def _chunks(
    lines: Iterator[str], export: Export, used: tuple[str, ...], consumed: Callable[[], int]
) -> Iterator[Chunk]:
    good: list[tuple[int, str, dict[str, str]]] = []
    malformed: list[Malformed] = []
    for number, text in enumerate(lines, start=1):
        if not text.strip():
            continue
        cells = _cells(text)
        if cells is None:
            if number == 1 and text.lstrip().startswith("["):
                raise InputError(f"{export.path}: is one JSON array; write one object a line (jq -c '.[]' does)")
            malformed.append(Malformed(number, fault("", "", text.strip(), _NOT_AN_OBJECT), text.strip()))
        else:
            good.append((number, text, cells))
        if len(good) + len(malformed) >= CHUNK_ROWS:
            yield _chunk(export, used, good, malformed, consumed())
            good, malformed = [], []
    if good or malformed:
        yield _chunk(export, used, good, malformed, consumed())


def _chunk(
    export: Export,
    used: tuple[str, ...],
    rows: list[tuple[int, str, dict[str, str]]],
    malformed: list[Malformed],
    consumed: int,
) -> Chunk:
    columns = {name: [cells.get(name, "") for _, _, cells in rows] for name in used}
    known = frozenset(used)
    columns[OTHER_KEYS] = [
        "\n".join(part for key, cell in cells.items() for part in ((key, cell) if key not in known else ()))
        for _, _, cells in rows
    ]
    return Chunk(
        RawRows(export.label, [number for number, _, _ in rows], columns),
        malformed,
        lambda row: rows[row][1].strip(),
        consumed,
    )


def _cells(text: str) -> dict[str, str] | None:
    """The object of one line as text by key, or None where the line holds no such object.

    Numbers keep their digits as written, so that amounts stay exact.
    """
    try:
        found: object = json.loads(text, parse_float=str, parse_int=str, parse_constant=_refuse_constant)
        text.encode()
        cells = dict(_flat("", found)) if isinstance(found, dict) else None
        if cells is not None and "\\u" in text:
            "".join(cells.values()).encode()
    except (ValueError, RecursionError):
        return None
    return cells


def _flat(prefix: str, table: dict[str, object]) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        name = f"{prefix}{key}"
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            yield from _flat(f"{name}.", value)
        elif value is None:
            yield name, ""
        else:
            yield name, json.dumps(value, ensure_ascii=False)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)

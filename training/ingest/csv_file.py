"""Reads delimited text: any delimiter, quote and encoding, with the line on which each row starts."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from features.errors import InputError
from features.sources.field_reader import RawRows
from features.sources.mapping import FileShape
from features.sources.refusal import Reason, Refusal, fault
from training.ingest.exports import CHUNK_ROWS, Chunk, Export, Malformed, OpenExport, lines_of, open_text

_OTHER_DELIMITERS = ";,\t|"
# What the csv module says when a quote is opened and never closed; the message is all it gives.
_NEVER_CLOSED = ("unexpected end of data", "field larger than field limit")


@contextmanager
def open_csv(export: Export, shape: FileShape) -> Iterator[OpenExport]:
    """The export's header and rows.

    Raises:
        InputError: The file cannot be read; see `open_text`. Also while reading rows: a quote that never closes.
    """
    delimiter = shape.delimiter or ("\t" if export.ending in {".tsv", ".tab"} else ",")
    with open_text(export, shape.encoding) as (text, consumed):
        rows = _Rows(text, export, shape, delimiter)
        header = tuple(name.strip() for name in rows.header())
        yield OpenExport(header, lambda _: rows.chunks(header, consumed))


class _Rows:
    """The records of one open file."""

    def __init__(self, text: io.TextIOWrapper, export: Export, shape: FileShape, delimiter: str) -> None:
        self._export = export
        self._delimiter = delimiter
        self._reader = csv.reader(
            lines_of(text, export.path),
            delimiter=delimiter,
            quotechar=shape.quote or None,
            quoting=csv.QUOTE_MINIMAL if shape.quote else csv.QUOTE_NONE,
            strict=True,
        )

    def header(self) -> list[str]:
        for _, row in self._records():
            if isinstance(row, Malformed):
                raise InputError(f"{self._export.path}: line {row.line}: the header {row.fault.refusal.expected}")
            self._refuse_single_column(row)
            return row
        raise InputError(f"{self._export.path}: is empty")

    def chunks(self, header: tuple[str, ...], consumed: Callable[[], int]) -> Iterator[Chunk]:
        lines: list[int] = []
        rows: list[list[str]] = []
        malformed: list[Malformed] = []
        for line, row in self._records():
            if isinstance(row, Malformed):
                malformed.append(row)
            elif len(row) != len(header):
                malformed.append(self._wrong_width(line, row, len(header)))
            else:
                lines.append(line)
                rows.append(row)
            if len(rows) + len(malformed) >= CHUNK_ROWS:
                yield self._chunk(header, lines, rows, malformed, consumed())
                lines, rows, malformed = [], [], []
        if rows or malformed:
            yield self._chunk(header, lines, rows, malformed, consumed())

    def _records(self) -> Iterator[tuple[int, list[str] | Malformed]]:
        reader = self._reader
        while True:
            line = reader.line_num + 1
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield line, self._not_csv(line, str(error))
                continue
            if row:
                yield line, row

    def _not_csv(self, line: int, error: str) -> Malformed:
        if error.startswith(_NEVER_CLOSED):
            raise InputError(
                f"{self._export.path}: a quote opened in the row that starts on line {line} is never closed; close "
                "it, or state another quote under [file] in the mapping"
            )
        refusal = Refusal(Reason.MALFORMED, "a quote inside a quoted field written twice, and nothing after it closes")
        return Malformed(line, fault("", "", error, refusal), "")

    def _wrong_width(self, line: int, row: list[str], width: int) -> Malformed:
        refusal = Refusal(Reason.MALFORMED, f"{width} fields as in the header")
        return Malformed(line, fault("", "", f"{len(row)} fields", refusal), json.dumps(row, ensure_ascii=False))

    def _chunk(
        self,
        header: tuple[str, ...],
        lines: list[int],
        rows: list[list[str]],
        malformed: list[Malformed],
        consumed: int,
    ) -> Chunk:
        cells = zip(*rows, strict=True) if rows else (() for _ in header)
        return Chunk(
            RawRows(self._export.label, lines, dict(zip(header, cells, strict=True))),
            malformed,
            lambda row: json.dumps(dict(zip(header, rows[row], strict=True)), ensure_ascii=False),
            consumed,
        )

    def _refuse_single_column(self, header: list[str]) -> None:
        if len(header) != 1:
            return
        likely = max(_OTHER_DELIMITERS, key=header[0].count)
        if header[0].count(likely):
            raise InputError(
                f"{self._export.path}: found one column {header[0][:80]!r} with delimiter {self._delimiter!r}; "
                f"did you mean delimiter {likely!r}? State it under [file] in the mapping"
            )

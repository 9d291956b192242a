"""Reads Parquet as the same text that a CSV export would hold, so that one mapping language serves all."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.sources.field_reader import RawRows
from training.ingest.exports import CHUNK_ROWS, Chunk, Export, OpenExport, translated


@contextmanager
def open_parquet(export: Export) -> Iterator[OpenExport]:
    """The export's columns and rows; lines are row numbers, counted from 1.

    Raises:
        InputError: The file is damaged or no Parquet file.
    """
    with translated(export.path), pq.ParquetFile(export.path) as file:
        header = tuple(file.schema_arrow.names)
        yield OpenExport(header, lambda _: _chunks(file, export))


def _chunks(file: pq.ParquetFile, export: Export) -> Iterator[Chunk]:
    total, line = max(1, file.metadata.num_rows), 1
    for batch in file.iter_batches(CHUNK_ROWS, use_threads=False):
        columns = {name: _texts(batch.column(name)) for name in batch.schema.names}
        lines = range(line, line + batch.num_rows)
        line += batch.num_rows
        yield Chunk(
            RawRows(export.label, lines, columns),
            (),
            _original(columns),
            export.size * (line - 1) // total,
        )


def _original(columns: dict[str, list[str]]) -> Callable[[int], str]:
    return lambda row: json.dumps({name: cells[row] for name, cells in columns.items()}, ensure_ascii=False)


def _texts(column: pa.Array) -> list[str]:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _texts(column.dictionary_decode())
    if pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return ["" if value is None else str(value) for value in column.to_pylist()]
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", "UTC" if kind.tz else None), safe=False)
    elif pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), None, column)
    texts: list[str] = pc.fill_null(column.cast(pa.string()), "").to_pylist()
    return texts

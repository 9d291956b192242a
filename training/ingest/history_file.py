"""Writes the attempt history as Parquet, in row groups of bounded size."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.history import SCHEMA

ROW_GROUP_ROWS = 131_072


class HistoryWriter:
    """Gathers batches into row groups."""

    def __init__(self, file: pq.ParquetWriter) -> None:
        self._file = file
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows with at least the columns of `SCHEMA`."""
        self._waiting.append(batch.select(SCHEMA.names))
        self._rows += batch.num_rows
        if self._rows >= ROW_GROUP_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write what was gathered."""
        if self._rows:
            table = pa.Table.from_batches(self._waiting).cast(SCHEMA)
            self._file.write_table(table, row_group_size=ROW_GROUP_ROWS * 2)
        self._waiting, self._rows = [], 0


@contextmanager
def history_writer(path: Path) -> Iterator[HistoryWriter]:
    """A writer of a history file; the file is complete when the block ends."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        writer = HistoryWriter(file)
        yield writer
        writer.flush()

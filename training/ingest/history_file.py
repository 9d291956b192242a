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

    def __init__(self, file: pq.ParquetWriter, group_rows: int) -> None:
        self._file = file
        self._group_rows = group_rows
        self._waiting: list[pa.RecordBatch] = []
        self._rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take rows with at least the columns of `SCHEMA`."""
        self._waiting.append(batch.select(SCHEMA.names))
        self._rows += batch.num_rows
        if self._rows >= self._group_rows:
            self._write(whole_groups_only=True)

    def flush(self) -> None:
        """Write what was gathered."""
        self._write(whole_groups_only=False)

    def _write(self, *, whole_groups_only: bool) -> None:
        # Every group but the last is full, so that the same rows give the same bytes however they were read.
        if not self._waiting:
            return
        table = pa.Table.from_batches(self._waiting)
        end = self._rows - self._rows % self._group_rows if whole_groups_only else self._rows
        self._file.write_table(table.slice(0, end).cast(SCHEMA), row_group_size=self._group_rows)
        self._waiting = table.slice(end).to_batches()
        self._rows -= end


@contextmanager
def history_writer(path: Path, group_rows: int = ROW_GROUP_ROWS) -> Iterator[HistoryWriter]:
    """A writer of a history file; the file is complete when the block ends."""
    with pq.ParquetWriter(path, SCHEMA, compression="zstd") as file:
        writer = HistoryWriter(file, group_rows)
        yield writer
        writer.flush()

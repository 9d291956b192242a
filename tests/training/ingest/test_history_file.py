"""History files come out the same however their rows were gathered."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.history import FIELDS, SCHEMA
from training.ingest.history_file import history_writer


def rows(count: int) -> pa.RecordBatch:
    """Rows as they are while under way: every field may be null, and a column more."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    values = [
        {f.name: f"{f.name} {n}" for f in FIELDS if f.kind in {"text", "word"}}
        | {"amount_minor": n + 1, "attempted_at": at + timedelta(hours=n)}
        for n in range(count)
    ]
    nullable = pa.schema([field.with_nullable(True) for field in SCHEMA])
    batch = pa.RecordBatch.from_pylist(values, schema=nullable)
    return batch.append_column("_position", pa.array(range(count)))


@pytest.mark.parametrize("pieces", [1, 2, 3, 25, 70])
def test_the_bytes_do_not_depend_on_the_batches(tmp_path: Path, pieces: int) -> None:
    batch = rows(70)
    with history_writer(tmp_path / "whole.parquet", group_rows=20) as writer:
        writer.add(batch)
    size = -(-70 // pieces)
    with history_writer(tmp_path / "pieces.parquet", group_rows=20) as writer:
        for first in range(0, 70, size):
            writer.add(batch.slice(first, size))
    assert (tmp_path / "pieces.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    assert pq.ParquetFile(tmp_path / "pieces.parquet").num_row_groups == 4
    assert pq.read_table(tmp_path / "pieces.parquet").to_pylist() == batch.select(SCHEMA.names).to_pylist()

"""Counts distinct texts exactly, in memory that does not grow with their number."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.sources.flatfile import digests
from training.ingest.external_sort import ExternalSort
from training.ingest.staging import starts_of_runs

_HIGH, _LOW = "high", "low"


class DistinctCount:
    """Takes columns of text and tells how many different ones there were."""

    def __init__(self, folder: Path) -> None:
        self._sort = ExternalSort(folder, (_HIGH, _LOW))

    def add(self, texts: pa.Array) -> None:
        """Take some texts, none of them null."""
        pair = digests(pc.unique(texts).to_pylist())
        self._sort.add(pa.RecordBatch.from_arrays([pa.array(pair[:, 0]), pa.array(pair[:, 1])], names=[_HIGH, _LOW]))

    def count(self) -> int:
        """How many different texts were added; ask once."""
        total = 0
        before: tuple[int, ...] | None = None
        for batch in self._sort.sorted_batches():
            columns = [batch.column(_HIGH).to_numpy(), batch.column(_LOW).to_numpy()]
            total += int(np.count_nonzero(starts_of_runs(columns, before)))
            before = (int(columns[0][-1]), int(columns[1][-1]))
        return total

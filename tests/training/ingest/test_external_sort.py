"""Sorting on disk agrees with sorting in memory."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from training.ingest.external_sort import ExternalSort


def batch(key: np.ndarray[tuple[int], np.dtype[np.int64]], first: int) -> pa.RecordBatch:
    position = np.arange(first, first + len(key))
    return pa.RecordBatch.from_arrays(
        [pa.array(key), pa.array(position), pa.array([f"row {p}" for p in position])], names=["key", "position", "text"]
    )


@pytest.mark.parametrize(("run_rows", "block_rows", "fan_in"), [(50, 7, 2), (64, 64, 3), (10, 1, 4), (10**6, 100, 16)])
@pytest.mark.parametrize("distinct", [1, 5, 10**9])
def test_rows_come_back_in_order_whatever_the_sizes(
    tmp_path: Path, run_rows: int, block_rows: int, fan_in: int, distinct: int
) -> None:
    rng = np.random.default_rng(run_rows + distinct)
    sort = ExternalSort(tmp_path / "s", ("key", "position"), run_rows=run_rows, block_rows=block_rows, fan_in=fan_in)
    keys = rng.integers(-distinct, distinct, 1_000)
    first = 0
    for size in rng.multinomial(1_000, [1 / 40] * 40):
        sort.add(batch(keys[first : first + size], first))
        first += int(size)
    found = [row for part in sort.sorted_batches() for row in zip(*part.to_pydict().values(), strict=True)]
    assert found == sorted((int(key), p, f"row {p}") for p, key in enumerate(keys))
    assert list((tmp_path / "s").iterdir()) == []


def test_nothing_in_gives_nothing_out(tmp_path: Path) -> None:
    sort = ExternalSort(tmp_path / "s", ("key", "position"))
    assert list(sort.sorted_batches()) == []


def test_blocks_in_memory_stay_few_while_merging(tmp_path: Path) -> None:
    sort = ExternalSort(tmp_path / "s", ("key", "position"), run_rows=100, block_rows=10, fan_in=4)
    keys = np.random.default_rng(1).integers(0, 10**6, 5_000)
    for first in range(0, 5_000, 100):
        sort.add(batch(keys[first : first + 100], first))
    assert max(part.num_rows for part in sort.sorted_batches()) <= 4 * 10

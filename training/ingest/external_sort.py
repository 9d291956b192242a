"""Sorts more rows than fit in memory: sorted runs on disk, merged block by block."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

RUN_ROWS = 131_072
BLOCK_ROWS = 8_192
# Runs merged at once; more are merged in rounds, so that memory stays at FAN_IN blocks.
FAN_IN = 16

_WRITE_OPTIONS = pa.ipc.IpcWriteOptions(compression="lz4")

Key = tuple[int, ...]


class ExternalSort:
    """Takes record batches in any order and gives them back sorted by integer columns.

    Memory is one run, or `fan_in` blocks while merging, whatever the number of rows.

    Args:
        folder: Where runs are kept; the caller removes it.
        keys: int64 columns, first the most significant. Rows with equal keys come out in no stated order, so let the
            last key be unique.
        run_rows, block_rows, fan_in: Rows sorted at once, rows of a run read at once, and runs merged at once.
    """

    def __init__(
        self,
        folder: Path,
        keys: Sequence[str],
        *,
        run_rows: int = RUN_ROWS,
        block_rows: int = BLOCK_ROWS,
        fan_in: int = FAN_IN,
    ) -> None:
        folder.mkdir()
        self._run_rows, self._block_rows, self._fan_in = run_rows, block_rows, fan_in
        self._folder = folder
        self._keys = tuple(keys)
        self._numbers = count()
        self._runs: list[Path] = []
        self._waiting: list[pa.RecordBatch] = []
        self._waiting_rows = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Take some rows; every batch has the same schema."""
        self._waiting.append(batch)
        self._waiting_rows += batch.num_rows
        if self._waiting_rows >= self._run_rows:
            self._spill()

    def sorted_batches(self) -> Iterator[pa.RecordBatch]:
        """All rows in order, once; runs are deleted as they are used up."""
        if not self._runs:
            yield from self._sorted_waiting()
            return
        if self._waiting:
            self._spill()
        while len(self._runs) > self._fan_in:
            oldest, self._runs = self._runs[: self._fan_in], self._runs[self._fan_in :]
            self._write(_merge(oldest, self._keys))
        yield from _merge(self._runs, self._keys)

    def _spill(self) -> None:
        self._write(self._sorted_waiting())

    def _sorted_waiting(self) -> Iterator[pa.RecordBatch]:
        waiting, self._waiting, self._waiting_rows = self._waiting, [], 0
        if waiting:
            yield from _sorted(pa.Table.from_batches(waiting), self._keys).to_batches(self._block_rows)

    def _write(self, batches: Iterator[pa.RecordBatch]) -> None:
        path = self._folder / f"{next(self._numbers)}.run"
        first = next(batches)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, first.schema, options=_WRITE_OPTIONS) as run:
            run.write_table(pa.Table.from_batches([first]), self._block_rows)
            for batch in batches:
                run.write_table(pa.Table.from_batches([batch]), self._block_rows)
        self._runs.append(path)


class _Run:
    """A sorted run on disk with the block that is being used up."""

    def __init__(self, path: Path, keys: tuple[str, ...]) -> None:
        self._path = path
        self._source = pa.OSFile(str(path), "rb")
        self._reader = pa.ipc.open_stream(self._source)
        self._keys = keys
        self.advance()

    def advance(self) -> bool:
        """Go to the next block that holds rows; False, and the file is gone, when there is none."""
        for block in self._reader:
            if block.num_rows:
                self.block: pa.RecordBatch = block
                self._columns = [block.column(key).to_numpy() for key in self._keys]
                self._start = 0
                return True
        self._source.close()
        self._path.unlink()
        return False

    @property
    def last_key(self) -> Key:
        return self._key(self.block.num_rows - 1)

    @property
    def used_up(self) -> bool:
        return bool(self._start == self.block.num_rows)

    def take_through(self, cutoff: Key) -> pa.RecordBatch:
        """The rows of the block up to and including the cutoff that were not taken yet."""
        end = bisect_right(range(self.block.num_rows), cutoff, lo=self._start, key=self._key)
        taken = self.block.slice(self._start, end - self._start)
        self._start = end
        return taken

    def _key(self, row: int) -> Key:
        return tuple(int(column[row]) for column in self._columns)


def _merge(paths: Sequence[Path], keys: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    runs = [_Run(path, keys) for path in paths]
    while runs:
        # No row that is still on disk can be before the smallest last key of the blocks in memory.
        cutoff = min(run.last_key for run in runs)
        taken = [part for run in runs if (part := run.take_through(cutoff)).num_rows]
        yield from _sorted(pa.Table.from_batches(taken), keys).to_batches()
        runs = [run for run in runs if not run.used_up or run.advance()]


def _sorted(table: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    order = pc.sort_indices(table, sort_keys=[(key, "ascending") for key in keys])
    return table.take(order).combine_chunks()

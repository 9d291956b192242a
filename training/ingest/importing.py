"""Imports exports of any size: read, validate, drop duplicates, group into payments, sort by time, write."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.errors import InputError
from features.merchants import BETWEEN
from features.sources.field_reader import RawRows
from features.sources.flatfile import ExplainedRow, FlatFile
from features.sources.mapping import PLAIN_FILE, FileShape, Mapping
from features.sources.refusal import Fault
from training.ingest.columns import mapping_for
from training.ingest.csv_file import open_csv
from training.ingest.distinct import DistinctCount
from training.ingest.duplicates import without_duplicates
from training.ingest.exports import Chunk, Export, OpenExport, find_exports
from training.ingest.external_sort import ExternalSort
from training.ingest.history_file import history_writer
from training.ingest.json_file import open_json_lines
from training.ingest.parquet_file import open_parquet
from training.ingest.payments import grouped_into_payments
from training.ingest.quarantine import Quarantine, was_written_by_us
from training.ingest.staging import ATTEMPT_ORDER, PAYMENT_ORDER, TIME_ORDER, staged
from training.ingest.summary import Accepted, Refused, Summary, summarise

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done and how much there is."""


def import_history(
    paths: Sequence[Path],
    mapping: Mapping | None,
    out: Path,
    quarantine: Path,
    progress: Progress = lambda *_: None,
) -> Summary:
    """Write the history of some exports, and their refused rows beside it.

    Nothing is written unless the whole import succeeds; the quarantine file only when a row was refused.

    Args:
        mapping: None for files that already are in the history format.
        out: The history to write, sorted by time; replaced when it exists.

    Raises:
        InputError: A file cannot be read, or no row at all was accepted.
    """
    exports = find_exports(paths, mapping.shape if mapping else PLAIN_FILE)
    _check_targets(exports, out, quarantine)
    with _written(out), _scratch_beside(out) as scratch, _scratch_beside(quarantine) as quarantine_scratch:
        refused_rows = Quarantine(quarantine_scratch / "quarantine.csv")
        summary = _Import(exports, mapping, scratch, refused_rows, progress).write(scratch / "history.parquet")
        _refuse_empty(summary)
        _replace(refused_rows, quarantine)
        (scratch / "history.parquet").replace(out)
    return summary


def explain(paths: Sequence[Path], mapping: Mapping | None, rows: int) -> list[ExplainedRow]:
    """How the first rows of the first export are read.

    Raises:
        InputError: The file cannot be read.
    """
    export = find_exports(paths, mapping.shape if mapping else PLAIN_FILE)[0]
    with _opened(export, mapping) as opened:
        used = mapping_for(export.path, opened.columns, mapping)
        for chunk in opened.chunks(used.columns):
            raw = chunk.rows
            first = {name: cells[:rows] for name, cells in raw.columns.items()}
            lines = list(raw.lines[:rows])
            return FlatFile(used).explain(RawRows(raw.file, lines, first))
    raise InputError(f"{export.path}: has no rows below its header")


class _Import:
    """One import under way: its scratch folder, its counts and its quarantine."""

    def __init__(
        self,
        exports: Sequence[Export],
        mapping: Mapping | None,
        scratch: Path,
        quarantine: Quarantine,
        progress: Progress,
    ) -> None:
        self._exports = exports
        self._mapping = mapping
        self._scratch = scratch
        self._progress = progress
        self._refused = Refused()
        self._unused: dict[str, None] = {}
        self._read_rows = 0
        self._quarantine = quarantine

    def write(self, path: Path) -> Summary:
        try:
            return self._write(path)
        finally:
            self._quarantine.close()

    def _write(self, path: Path) -> Summary:
        labels = [export.label for export in self._exports]
        rows = self._sorted("by-attempt", self._read(), ATTEMPT_ORDER)
        rows = without_duplicates(rows, labels, self._refuse)
        if self._mapping is not None and self._mapping.grouping is not None:
            rows = self._sorted("by-payment", rows, PAYMENT_ORDER)
            rows = grouped_into_payments(rows, self._mapping.grouping.gap_seconds)
        rows = self._sorted("by-time", rows, TIME_ORDER)
        return self._write_sorted(rows, path)

    def _write_sorted(self, rows: Iterator[pa.RecordBatch], path: Path) -> Summary:
        accepted = Accepted()
        payments = DistinctCount(self._scratch / "payments")
        customers = DistinctCount(self._scratch / "customers")
        with history_writer(path) as writer:
            for batch in rows:
                accepted.count(batch)
                payments.add(_owned(batch, "payment_id"))
                customers.add(_owned(batch, "customer_id"))
                writer.add(batch)
                self._progress("writing", accepted.rows, self._read_rows - self._refused.rows)
        return summarise(self._refused, accepted, payments.count(), customers.count(), tuple(self._unused))

    def _sorted(self, name: str, rows: Iterator[pa.RecordBatch], keys: Sequence[str]) -> Iterator[pa.RecordBatch]:
        sort = ExternalSort(self._scratch / name, keys)
        for batch in rows:
            sort.add(batch)
        return sort.sorted_batches()

    def _read(self) -> Iterator[pa.RecordBatch]:
        before, total = 0, sum(export.size for export in self._exports)
        for number, export in enumerate(self._exports):
            read_before = self._read_rows
            with _opened(export, self._mapping) as opened:
                used = mapping_for(export.path, opened.columns, self._mapping)
                self._note_unused(opened.columns, used)
                reader = FlatFile(used)
                for chunk in opened.chunks(used.columns):
                    yield self._accept(chunk, reader, number)
                    self._read_rows += len(chunk.rows.lines) + len(chunk.malformed)
                    self._progress("reading", before + chunk.consumed, total)
            if self._read_rows == read_before:
                raise InputError(f"{export.path}: has no rows below its header")
            before += export.size

    def _accept(self, chunk: Chunk, reader: FlatFile, file: int) -> pa.RecordBatch:
        rows = chunk.rows
        read = reader.read(rows)
        refused = [(bad.line, [bad.fault], bad.original) for bad in chunk.malformed]
        refused += [(rows.lines[row], faults, chunk.original(row)) for row, faults in read.faults.items()]
        for line, faults, original in sorted(refused, key=lambda each: each[0]):
            self._refuse_row(rows.file, line, faults, original)
        return staged(read, self._read_rows, file, np.array(rows.lines, dtype=np.int64))

    def _refuse(self, file: str, line: int, found: Fault) -> None:
        self._refuse_row(file, line, [found], "")

    def _refuse_row(self, file: str, line: int, faults: Sequence[Fault], original: str) -> None:
        self._refused.count(file, line, faults[0])
        self._quarantine.add(file, line, faults, original)

    def _note_unused(self, header: tuple[str, ...] | None, used: Mapping) -> None:
        self._unused |= dict.fromkeys(name for name in header or () if name not in used.columns)


def _owned(batch: pa.RecordBatch, name: str) -> pa.Array:
    """Ids with the merchant whose they are."""
    return pc.binary_join_element_wise(batch.column("merchant_id"), batch.column(name), BETWEEN)


def _opened(export: Export, mapping: Mapping | None) -> AbstractContextManager[OpenExport]:
    shape = mapping.shape if mapping else FileShape()
    match export.format:
        case "csv":
            return open_csv(export, shape)
        case "jsonl":
            return open_json_lines(export, shape)
        case "parquet":
            return open_parquet(export)


def _check_targets(exports: Sequence[Export], out: Path, quarantine: Path) -> None:
    if out.suffix != ".parquet":
        raise InputError(f"--out {out}: expected a name that ends in .parquet")
    inputs = {export.path.resolve() for export in exports}
    for option, path in (("--out", out), ("--quarantine", quarantine)):
        if path.is_dir():
            raise InputError(f"{option} {path}: is a folder; name a file in it")
        if not path.parent.is_dir():
            raise InputError(f"{option} {path}: there is no folder {path.parent}")
        if path.resolve() in inputs:
            raise InputError(f"{option} {path}: is one of the exports; write to another file")
    if out.resolve() == quarantine.resolve():
        raise InputError(f"--quarantine {quarantine}: is the same file as --out")


@contextmanager
def _written(out: Path) -> Iterator[None]:
    """Turns the errors of full, read-only and foreign folders into one sentence."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error.strerror or error}") from None


@contextmanager
def _scratch_beside(out: Path) -> Iterator[Path]:
    scratch = Path(tempfile.mkdtemp(prefix=f".{out.stem}-import-", dir=out.parent))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _refuse_empty(summary: Summary) -> None:
    if summary.accepted or not summary.read:
        return
    (field, reason), times = summary.reasons.most_common(1)[0]
    file, line = summary.examples[field, reason]
    raise InputError(
        f"{file}: none of its {summary.read} rows could be used; most often ({times}) {field or 'the row'} is "
        f"{reason}, first on line {line}; --explain shows how the first rows are read"
    )


def _replace(written: Quarantine, target: Path) -> None:
    if written.rows:
        written.path.replace(target)
    elif was_written_by_us(target):
        target.unlink()

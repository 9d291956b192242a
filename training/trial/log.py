"""Reads an attempt history whole, with the columns only an evaluation asks for: policy, propensity and the rest."""

from pathlib import Path

import pyarrow as pa

from features.table import AttemptTable
from features.table_of_history import from_arrow
from training.load import classified, read_columns


def read_log(path: Path) -> pa.Table:
    """Every row of a history with the columns of the format.

    Raises:
        InputError: No such file, not a Parquet file, not a history, of another format version, or empty.
    """
    return read_columns(path)


def as_attempts(log: pa.Table) -> AttemptTable:
    """The rows of a log as arrays, ordered by time."""
    return from_arrow(log, classified)

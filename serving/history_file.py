"""Opens an attempt history, or says what the file is instead."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError
from features.history import SCHEMA, require_history


def open_history(path: Path, columns: Sequence[str] = tuple(SCHEMA.names)) -> pq.ParquetFile:
    """The file, of this version's format, with the columns named; whoever calls closes it.

    Raises:
        InputError: No such file, not a Parquet file, not a history, or of another format version.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a history that `recoup import` or `recoup simulate` wrote")
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"{path}: cannot be read as Parquet: {reason}; `recoup import` makes a history") from None
    require_history(str(path), file.schema_arrow, columns)
    return file

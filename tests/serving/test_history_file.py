"""Whoever reads a history refuses what is none, and a later format, in the same words."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import history
from features.errors import InputError
from serving.base_rates import history_of
from serving.cli.declines import unknown
from serving.history_file import open_history
from serving.replayed import replayed
from training.load import read_columns

READERS: dict[str, Callable[[Path], object]] = {
    "open": open_history,
    "train": read_columns,
    "experiment check": history_of,
    "decide": lambda path: replayed(path, "p1", after=1),
    "declines unknown": unknown,
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_history_of_this_format_is_refused(reader: str, tmp_path: Path) -> None:
    path, read = tmp_path / "h.parquet", READERS[reader]
    with pytest.raises(InputError, match=r"h\.parquet: no such file"):
        read(path)
    path.write_text("attempt_id,payment_id\n")
    with pytest.raises(InputError, match=r"h\.parquet: (cannot be read as|is not a whole) Parquet"):
        read(path)
    pq.write_table(pa.table({"x": [1]}), path)
    with pytest.raises(InputError, match=r"h\.parquet: is not an attempt history; it has no column"):
        read(path)
    pq.write_table(history([{}]).replace_schema_metadata({"recoup_history": "2"}), path)
    with pytest.raises(InputError, match=r"h\.parquet: history format 2; this version of Recoup reads format 1"):
        read(path)

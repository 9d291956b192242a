"""Reads an attempt history whole, with the columns only an evaluation asks for: policy, propensity and the rest."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from features.decline import Decline
from features.declines.taxonomy import classify
from features.errors import InputError
from features.history import BY_NAME, FORMAT_VERSION, REQUIRED
from features.table import AttemptTable, from_arrow
from features.vocabulary import Network


def read_log(path: Path) -> pa.Table:
    """Every row of a history with the columns of the format.

    Raises:
        InputError: No such file, not a Parquet file, not a history, of another format version, or empty.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a history that `recoup import` or `recoup simulate` wrote")
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: cannot be read as Parquet ({str(error).splitlines()[0]})") from None
    missing = [name for name in REQUIRED if name not in table.column_names]
    if missing:
        raise InputError(f"{path}: is not an attempt history; it has no column {missing[0]}; `recoup import` makes one")
    version = (table.schema.metadata or {}).get(b"recoup_history", str(FORMAT_VERSION).encode()).decode()
    if version != str(FORMAT_VERSION):
        raise InputError(f"{path}: history format {version}; this version of Recoup reads format {FORMAT_VERSION}")
    if not len(table):
        raise InputError(f"{path}: the history has no rows")
    return table.select([name for name in table.column_names if name in BY_NAME])


def as_attempts(log: pa.Table) -> AttemptTable:
    """The rows of a log as arrays, ordered by time."""
    return from_arrow(log, _classified)


def _classified(
    code: str | None,
    processor: str,
    network: Network,
    subcode: str | None,
    advice_code: str | None,
    country: str | None,
) -> Decline:
    return classify(
        code, processor=processor, network=network, subcode=subcode, advice_code=advice_code, country=country
    )

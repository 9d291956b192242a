"""Reads an attempt history for training: the table of attempts, and the words that only reports need."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.card_number import refuse_card_number
from features.decline import Decline
from features.declines.taxonomy import classify
from features.errors import InputError
from features.history import BY_NAME, FIELDS, require_history
from features.merchants import several_merchants
from features.table import AttemptTable, Coded
from features.table_of_history import from_arrow
from features.vocabulary import Network

# Columns of the format that neither features nor reports of training use; they are not read into memory.
_UNUSED = frozenset({"purpose", "due_at", "policy", "experiment", "variant"})

# Texts that repeat are read as codes and distinct words, which takes half the memory.
_CODED = frozenset(f.name for f in FIELDS if f.kind in {"text", "word"} and f.name != "attempt_id")

# Of them, what a model or a report repeats: no ids of payers and payments.
_WRITTEN = _CODED - _UNUSED - {"payment_id", "customer_id", "method_id"}


@dataclass(frozen=True, slots=True)
class History:
    """A history as training needs it.

    Args:
        digest: SHA-256 of the file, hex.
        table: The attempts, ordered by time; n of them.
        code: Raw decline code of each attempt, shape (n,).
        outcome_stated: Whether the history says when the outcome became known, shape (n,).
        market: The merchant's market label of each attempt, else the issuer's country, shape (n,).
        several_merchants: Whether it is of more than one; their customers' names then hold the merchant's.
        propensity: Probability with which the merchant's policy chose each attempt, NaN where not stated, shape (n,).
    """

    path: Path
    digest: str
    table: AttemptTable
    code: Coded
    market: Coded
    outcome_stated: NDArray[np.bool_]
    several_merchants: bool
    propensity: NDArray[np.float64]


def load_history(path: Path) -> History:
    """Read the history.

    Raises:
        InputError: No such file, not a Parquet file, not a history, of another format version, or empty.
        CardNumberError: Its name, or a word that a model would repeat, looks like a card number.
    """
    refuse_card_number("history", path.name)
    arrow = read_columns(path, without=_UNUSED, coded=_CODED)
    for name in _WRITTEN.intersection(arrow.column_names):
        _refuse_card_numbers(name, arrow)
    table = from_arrow(arrow, classified)
    market = _coded(arrow, "market", table)
    code, stated = _coded(arrow, "code", table), _stated(arrow, "outcome_at", table)
    propensity, several = _numbers(arrow, "propensity", table), several_merchants(arrow["merchant_id"])
    del arrow
    pa.default_memory_pool().release_unused()  # the file's columns are a third of the peak otherwise
    return History(
        path=path,
        digest=_digest(path),
        table=table,
        code=code,
        market=market if (market.codes >= 0).any() else table.country,
        outcome_stated=stated,
        several_merchants=several,
        propensity=propensity,
    )


def read_columns(path: Path, *, without: frozenset[str] = frozenset(), coded: frozenset[str] = frozenset()) -> pa.Table:
    """The rows of a history with the columns of the format.

    Args:
        without: Columns that are not wanted.
        coded: Columns of texts to be read as codes and distinct words.

    Raises:
        InputError: No such file, not a Parquet file, not a history, of another format version, or empty.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a history that `recoup import` or `recoup simulate` wrote")
    try:
        schema = pq.read_schema(path)
        require_history(str(path), schema)
        names = [name for name in schema.names if name in BY_NAME and name not in without]
        with pq.ParquetFile(path, read_dictionary=[name for name in names if name in coded]) as file:
            arrow = file.read(names)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"{path}: is not a whole Parquet file ({_first_line(error)}); `recoup import` makes a history from CSV, "
            "JSON Lines or Parquet exports"
        ) from None
    if not len(arrow):
        raise InputError(f"{path}: the history has no rows")
    return arrow


def classified(
    code: str | None,
    processor: str,
    network: Network,
    subcode: str | None,
    advice_code: str | None,
    country: str | None,
    at: datetime,
) -> Decline:
    """What a decline meant when it came, by the shipped tables and the merchant's own."""
    return classify(
        code, processor=processor, network=network, subcode=subcode, advice_code=advice_code, at=at, country=country
    )


def _refuse_card_numbers(name: str, arrow: pa.Table) -> None:
    """Words that models and their reports repeat, and the registry keeps, hold no card number."""
    words = arrow.column(name).cast(pa.string()).unique().drop_null().to_pylist()
    refuse_card_number(name, "\n".join(words))


def _coded(arrow: pa.Table, name: str, table: AttemptTable) -> Coded:
    """The column as codes, in the order of the table."""
    column = arrow.column(name) if name in arrow.column_names else pa.chunked_array([pa.nulls(len(arrow), pa.string())])
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype("int64")
    return Coded(codes[table.source_row], encoded.dictionary)


def _stated(arrow: pa.Table, name: str, table: AttemptTable) -> NDArray[np.bool_]:
    if name not in arrow.column_names:
        return np.zeros(len(table), dtype=np.bool_)
    stated = arrow.column(name).is_valid().to_numpy()
    return np.asarray(stated, dtype=np.bool_)[table.source_row]


def _numbers(arrow: pa.Table, name: str, table: AttemptTable) -> NDArray[np.float64]:
    if name not in arrow.column_names:
        return np.full(len(table), np.nan)
    numbers = arrow.column(name).cast(pa.float64()).combine_chunks().fill_null(np.nan).to_numpy(zero_copy_only=False)
    return np.asarray(numbers, dtype=np.float64)[table.source_row]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__

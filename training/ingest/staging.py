"""The columns that rows carry besides the history while they are sorted, checked and grouped."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.history import SCHEMA
from features.sources.flatfile import ReadRows, digests

POSITION = "_position"
FILE, LINE = "_file", "_line"
ID_HIGH, ID_LOW = "_id_high", "_id_low"
KEY_HIGH, KEY_LOW = "_key_high", "_key_low"
MERCHANT = "_merchant"
AT = "_at"

# Ids and keys are those of a merchant: another merchant's attempt of the same id is another attempt.
SAME_ATTEMPT = (ID_HIGH, ID_LOW, MERCHANT)
SAME_PAYER = (KEY_HIGH, KEY_LOW, MERCHANT)
ATTEMPT_ORDER = (*SAME_ATTEMPT, POSITION)
PAYMENT_ORDER = (*SAME_PAYER, AT, POSITION)
TIME_ORDER = (AT, POSITION)


def staged(read: ReadRows, first_position: int, file: int, lines: NDArray[np.int64]) -> pa.RecordBatch:
    """The accepted rows with their position in the whole import, their file and line, and digests to sort by.

    Args:
        first_position: Rows of earlier chunks; positions are unique over the whole import.
        file: Number of the file among the inputs.
        lines: Line of every row read, shape (read,).
    """
    accepted = len(read.accepted)
    ids = digests(read.table.column("attempt_id").to_pylist())
    keys = read.payment_keys if len(read.payment_keys) else np.zeros((accepted, 2), dtype=np.int64)
    extra = {
        POSITION: read.accepted + first_position,
        FILE: np.full(accepted, file, dtype=np.int64),
        LINE: lines[read.accepted],
        AT: read.table.column("attempted_at").cast(pa.int64()),
        ID_HIGH: ids[:, 0],
        ID_LOW: ids[:, 1],
        KEY_HIGH: keys[:, 0],
        KEY_LOW: keys[:, 1],
        MERCHANT: _digest_of_each(read.table.column("merchant_id")),
    }
    columns = [*read.table.columns, *(pa.array(values) for values in extra.values())]
    return pa.RecordBatch.from_arrays(columns, names=[*SCHEMA.names, *extra])


def _digest_of_each(texts: pa.Array) -> NDArray[np.int64]:
    """64 bits of the digest of each text; there are few different ones."""
    encoded = texts.dictionary_encode()
    of_each = digests(encoded.dictionary.to_pylist())[:, 0]
    return np.asarray(of_each[encoded.indices.to_numpy()], dtype=np.int64)


def starts_of_runs(columns: list[NDArray[np.int64]], before: tuple[int, ...] | None) -> NDArray[np.bool_]:
    """Where the values of the columns differ from the row before; `before` is the last row of the batch before.

    Shape (n,).
    """
    count = len(columns[0])
    starts = np.zeros(count, dtype=np.bool_)
    for column in columns:
        starts[1:] |= column[1:] != column[:-1]
    if count:
        starts[0] = before is None or before != tuple(int(column[0]) for column in columns)
    return starts

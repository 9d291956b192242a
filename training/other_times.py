"""Rows of a history as they would stand had the retry been made at another time: what a time is chosen from."""

from dataclasses import fields, replace
from typing import overload

import numpy as np
from numpy.typing import NDArray

from features.known import NEVER
from features.rows import Rows
from features.table import UNKNOWN_OUTCOME, AttemptTable, Coded

Int64s = NDArray[np.int64]


def rows_at(table: AttemptTable, index: Int64s, decided_at: Int64s, at: Int64s) -> Rows:
    """One row for each retry at each other time, with all that was known at the retry's own decision.

    The moved retries join the table as attempts whose outcome is never known, as proposed retries do, so nothing can
    learn from them.

    Args:
        index: Positions of the retries in the table, shape (n,).
        decided_at: When each was decided, shape (n,).
        at: Other times of each, after its decision, microseconds, shape (n, times).

    Returns:
        n · times rows, the times of the first retry first.
    """
    times = at.shape[1]
    copied = np.repeat(index, times)
    joined = replace(table, **{field.name: _joined(getattr(table, field.name), copied) for field in fields(table)})
    size = len(table)
    joined.at[size:] = at.ravel()
    joined.known_at[size:] = NEVER
    joined.outcome[size:] = UNKNOWN_OUTCOME
    joined.category[size:] = -1
    joined.retryability[size:] = -1
    joined.min_wait_hours[size:] = np.nan
    joined.three_d_secure[size:] = np.nan
    asked = np.arange(size, size + copied.size, dtype=np.int64)
    return Rows(joined, asked, np.repeat(decided_at, times))


@overload
def _joined(column: Coded, copied: Int64s) -> Coded: ...


@overload
def _joined(column: NDArray[np.generic], copied: Int64s) -> NDArray[np.generic]: ...


def _joined(column: Coded | NDArray[np.generic], copied: Int64s) -> Coded | NDArray[np.generic]:
    if isinstance(column, Coded):
        return Coded(np.concatenate([column.codes, column.codes[copied]]), column.words)
    return np.concatenate([column, column[copied]])

"""Learns how far a history reaches: the shortest gaps, the most attempts, and what one more attempt cost."""

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats
from features.table import CATEGORIES
from model.prior_table import shipped_table
from model.support import ANY, Support, attempts_before, hours_since, is_repeat

Flags = NDArray[np.bool_]
Int64s = NDArray[np.int64]
Matrix = NDArray[np.float32]

_SHORTEST = 0.05  # with few repeats the shortest gap known is that of the shortest twentieth
_OWN_ROWS = 100  # repeats after a category from which on it has a gap of its own


def learn_support(matrix: Matrix, y: Floats, category: Int64s, leaf_rows: int) -> Support:
    """What rows can tell of repeating.

    The shortest gap known is the one that `leaf_rows` repeats were made within, or a twentieth of them where they are
    few: trees cannot tell shorter ones apart. The most attempts known are those that as many rows followed.

    Args:
        matrix: The columns of the fitted rows, shape (n, columns).
        y: 1 approved, 0 not, shape (n,).
        category: Decline category of the payment's latest failure, -1 for not known, shape (n,).
        leaf_rows: Fewest rows a leaf of the trees may hold.
    """
    repeat, hours = is_repeat(matrix), hours_since(matrix)
    gaps = {ANY: _shortest(hours[repeat], leaf_rows)}
    for code in np.unique(category[category >= 0]).tolist():
        own = repeat & (category == code)
        if own.sum() >= _OWN_ROWS:
            gaps[str(CATEGORIES[code])] = _shortest(hours[own], leaf_rows)
    before = attempts_before(matrix).astype(np.int64)
    rows = np.bincount(before)
    known = np.flatnonzero(rows >= leaf_rows)
    hits = np.bincount(before, weights=y).astype(np.float64)
    most = int(known[-1]) if known.size else 1
    return Support(gaps, float(most), round(_drop(known[known > 0], rows, hits), 4))


def _shortest(hours: Floats, leaf_rows: int) -> float:
    if not hours.size:
        return 0.0
    place = min(leaf_rows - 1, int(_SHORTEST * hours.size))
    return round(float(np.partition(np.maximum(hours, 0.0), place)[place]), 4)


def _drop(known: Int64s, rows: Int64s, hits: Floats) -> float:
    """The fall of the log-odds an attempt: a line through the rates by attempts before, weighed by their precision.

    With fewer than two numbers of attempts known nothing can be seen falling, and the shipped prior's figure holds.
    """
    if known.size < 2:
        return -shipped_table().circumstances.declined_retry
    rate = (hits[known] + 0.5) / (rows[known] + 1.0)
    weight = rows[known] * rate * (1.0 - rate)
    slope = np.polynomial.polynomial.polyfit(known, np.log(rate / (1.0 - rate)), 1, w=np.sqrt(weight))[1]
    return max(0.0, float(-slope))

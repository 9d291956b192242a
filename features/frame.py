"""Rows to numbers: the matrix a model is trained on and scores, made by one function for both."""

import numpy as np
from numpy.typing import NDArray

from features.columns import COLUMNS
from features.encoders import Encoders
from features.rows import Rows

Matrix = NDArray[np.float32]

_FEW = 20_000


def frame(rows: Rows, encoders: Encoders) -> Matrix:
    """The columns' values for every row.

    Returns:
        float32, shape (rows, columns), C order. Categories hold integer codes; what is not known is NaN in both
        kinds, which LightGBM treats as missing.
    """
    if len(rows) > _FEW:
        matrix = np.empty((len(rows), len(COLUMNS)), dtype=np.float32)
        _fill(matrix.T, rows, encoders)
        return matrix
    # Columns are written whole and turned at the end: much faster than in steps of a row, but it takes the room twice.
    turned = np.empty((len(COLUMNS), len(rows)), dtype=np.float32)
    _fill(turned, rows, encoders)
    return np.ascontiguousarray(turned.T)


def _fill(into: Matrix, rows: Rows, encoders: Encoders) -> None:
    for line, column in zip(into, COLUMNS, strict=True):
        values = column.compute(rows, encoders)
        line[:] = np.where(values < 0, np.nan, values) if column.kind == "category" else values

"""Rows to numbers: the matrix a model is trained on and scores, made by one function for both."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.columns import COLUMNS
from features.columns.column import Column
from features.encoders import Encoders
from features.rows import Rows

Matrix = NDArray[np.float32]


def frame(rows: Rows, encoders: Encoders, columns: Sequence[Column] = COLUMNS) -> Matrix:
    """The columns' values for every row.

    Returns:
        float32, shape (rows, columns), C order. Categories hold integer codes; what is not known is NaN in both
        kinds, which LightGBM treats as missing.
    """
    matrix = np.empty((len(rows), len(columns)), dtype=np.float32)
    for i, column in enumerate(columns):
        values = column.compute(rows, encoders)
        matrix[:, i] = np.where(values < 0, np.nan, values) if column.kind == "category" else values
    return matrix

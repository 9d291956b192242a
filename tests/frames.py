"""Values of the matrix that training would see, by the name of their column."""

import numpy as np
import pyarrow as pa

from builders import simple_classify
from features.columns import COLUMNS
from features.encoders import learn
from features.frame import Matrix, frame
from features.rows import rows_of_history
from features.table_of_history import from_arrow

NAMES = [column.name for column in COLUMNS]


def value(name: str, rows: pa.Table, *, row: int = -1) -> float:
    """The column's value in one retry's row; the last one's unless said otherwise."""
    table = from_arrow(rows, simple_classify)
    return float(frame(rows_of_history(table), learn(table))[row, NAMES.index(name)])


def assert_same_columns(few: Matrix, many: Matrix) -> None:
    """What the compiled loops make of some rows is what the columns' own functions make of them.

    Two columns weigh attempts by exponentials, whose last bit differs between libraries; all others are equal.
    """
    for i, name in enumerate(NAMES):
        nearly = 1e-6 if name in {"customer_day_rate", "customer_offset_rate"} else 0.0
        np.testing.assert_allclose(few[:, i], many[:, i], rtol=nearly, atol=0.0, err_msg=name)

"""One value of the matrix that training would see, by the name of its column."""

import pyarrow as pa

from builders import simple_classify
from features.columns import COLUMNS
from features.encoders import learn
from features.frame import frame
from features.rows import rows_of_history
from features.table import from_arrow

NAMES = [column.name for column in COLUMNS]


def value(name: str, rows: pa.Table, *, row: int = -1) -> float:
    """The column's value in one retry's row; the last one's unless said otherwise."""
    table = from_arrow(rows, simple_classify)
    return float(frame(rows_of_history(table), learn(table))[row, NAMES.index(name)])

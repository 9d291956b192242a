"""A retry moved in time keeps its past, gets the columns of its new time, and teaches nobody."""

import numpy as np

from builders import random_history, simple_classify
from features.columns import COLUMNS
from features.encoders import learn
from features.frame import frame
from features.rows import rows_of_history
from features.table_of_history import from_arrow
from training.other_times import rows_at


def test_a_retry_moved_to_its_own_time_has_its_own_columns() -> None:
    table = from_arrow(random_history(0, attempts=600), simple_classify)
    rows = rows_of_history(table)
    encoders = learn(table)
    moved = rows_at(table, rows.index, rows.decided_at, rows.at[:, None])
    np.testing.assert_array_equal(frame(moved, encoders), frame(rows, encoders))


def test_another_time_changes_what_is_about_the_action_and_nothing_else() -> None:
    table = from_arrow(random_history(1, attempts=600), simple_classify)
    rows = rows_of_history(table)
    encoders = learn(table)
    later = rows.at[:, None] + np.array([0, 30 * 3_600_000_000], dtype=np.int64)
    matrix = frame(rows_at(table, rows.index, rows.decided_at, later), encoders).reshape(len(rows), 2, -1)
    context = [i for i, column in enumerate(COLUMNS) if column.about == "context"]
    np.testing.assert_array_equal(matrix[:, 0, context], matrix[:, 1, context])
    assert (np.nan_to_num(matrix[:, 0]) != np.nan_to_num(matrix[:, 1])).any(axis=1).all()

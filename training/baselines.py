"""What a model must beat: a constant, a table by code and attempt, and logistic regression on the same columns.

Every baseline learns from all rows before the test window, the calibration window included, and scores each row
without having seen its customer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from experiments.resamples import Floats
from training.fit import ColumnShape

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]

_PSEUDO_ROWS = 20.0  # weight of the parent's rate in a cell of the table
_LATEST_ATTEMPT = 6  # later attempts share a cell
_MOST_ROWS = 50_000  # logistic regression learns no more from more rows, only longer
_LEAST_CATEGORY_ROWS = 30


@dataclass(frozen=True, slots=True)
class Lesson:
    """Rows as a baseline sees them.

    Args:
        matrix: The model's own columns, shape (n, columns).
        y: 1 approved, shape (n,); never read from rows that are asked.
        code: Raw code of the latest failure as an integer, -1 for none, shape (n,).
        attempt: Number of the attempt in its payment, from 1, shape (n,).
    """

    matrix: Matrix
    y: Floats
    code: Int64s
    attempt: Int64s
    columns: tuple[ColumnShape, ...]

    def take(self, rows: Flags) -> "Lesson":
        """A subset of the rows."""
        return Lesson(self.matrix[rows], self.y[rows], self.code[rows], self.attempt[rows], self.columns)


Baseline = Callable[[Lesson, Lesson], Floats]
"""(learnt from, asked) → probability of each asked row."""


def constant(known: Lesson, asked: Lesson) -> Floats:
    """The share approved, for everyone."""
    return np.full(len(asked.y), _rate(known.y.sum(), len(known.y), 0.5, 2.0))


def code_by_attempt(known: Lesson, asked: Lesson) -> Floats:
    """The share approved by raw decline code and attempt number, shrunk to that of the code, and that to all.

    Each level is the posterior mean of a Beta prior worth 20 rows at its parent's rate.
    """
    everyone = _rate(known.y.sum(), len(known.y), 0.5, 2.0)
    by_code = _rates(known.code + 1, known.y, np.full(int(known.code.max(initial=-1)) + 2, everyone))
    code = _inside(asked.code + 1, by_code)
    parents = np.repeat(by_code, _LATEST_ATTEMPT)
    cells = _rates(_cell(known), known.y, parents)
    return np.where(code, cells[np.minimum(_cell(asked), len(cells) - 1)], everyone)


def logistic_regression(known: Lesson, asked: Lesson) -> Floats:
    """Ridge logistic regression on the model's own columns.

    Numbers are clipped to their 1–99 % range and standardised, with a flag where they are not known; categories
    with at least 30 rows get an indicator each. At most 50,000 rows, evenly taken, are learnt from.
    """
    step = max(1, -(-len(known.y) // _MOST_ROWS))
    few = known.take(np.arange(len(known.y)) % step == 0)
    if not 0 < few.y.mean() < 1:
        return constant(known, asked)
    design = _Design(few)
    model = LogisticRegression(C=1.0, max_iter=300, tol=1e-4).fit(design.of(few.matrix), few.y)
    return np.asarray(model.predict_proba(design.of(asked.matrix))[:, 1], dtype=np.float64)


BASELINES: Mapping[str, Baseline] = {
    "constant": constant,
    "code_by_attempt": code_by_attempt,
    "logistic_regression": logistic_regression,
}


def score_baseline(
    baseline: Baseline, lesson: Lesson, fold: Int64s, before_test: Flags, asked: Flags, folds: Sequence[int]
) -> Floats:
    """Probability of each asked row by a baseline fitted on the other folds' rows before the test window.

    Returns:
        Shape (asked rows,), in their order.
    """
    p = np.full(len(fold), np.nan)
    for number in folds:
        own = asked & (fold == number)
        if own.any():
            p[own] = baseline(lesson.take(before_test & (fold != number)), lesson.take(own))
    return p[asked]


class _Design:
    """The numeric matrix logistic regression needs, with the ranges of the rows it was made from."""

    def __init__(self, known: Lesson) -> None:
        self.numbers = [i for i, column in enumerate(known.columns) if not column.is_category]
        self.categories = [
            (i, levels)
            for i, column in enumerate(known.columns)
            if column.is_category and len(levels := _levels(known.matrix[:, i]))
        ]
        numbers = known.matrix[:, self.numbers].astype(np.float64)
        anything = np.flatnonzero((~np.isnan(numbers)).sum(axis=0) > 0)
        self.numbers = [self.numbers[place] for place in anything]
        numbers = numbers[:, anything]
        self.low, self.high = np.nanquantile(numbers, (0.01, 0.99), axis=0)
        clipped = np.clip(numbers, self.low, self.high)
        self.mean = np.nanmean(clipped, axis=0)
        spread = np.nanstd(clipped, axis=0)
        self.scale = np.where(spread > 1e-9, spread, 1.0)

    def of(self, matrix: Matrix) -> Floats:
        numbers = np.clip(matrix[:, self.numbers].astype(np.float64), self.low, self.high)
        missing = np.isnan(numbers)
        parts = [np.where(missing, 0.0, (numbers - self.mean) / self.scale), missing.astype(np.float64)]
        parts += [(matrix[:, i, None] == levels).astype(np.float64) for i, levels in self.categories]
        return np.concatenate(parts, axis=1)


def _levels(codes: NDArray[np.float32]) -> NDArray[np.float32]:
    values, rows = np.unique(codes[~np.isnan(codes)], return_counts=True)
    return values[rows >= _LEAST_CATEGORY_ROWS]


def _cell(lesson: Lesson) -> Int64s:
    return (lesson.code + 1) * _LATEST_ATTEMPT + np.clip(lesson.attempt, 1, _LATEST_ATTEMPT) - 1


def _inside(position: Int64s, table: Floats) -> Flags:
    return position < len(table)


def _rate(approved: float, rows: float, parent: float, strength: float) -> float:
    return float((approved + strength * parent) / (rows + strength))


def _rates(cell: Int64s, y: Floats, parent: Floats) -> Floats:
    """The shrunk rate of every cell, shape of `parent`."""
    approved = np.bincount(cell, weights=y, minlength=len(parent))
    rows = np.bincount(cell, minlength=len(parent))
    return np.asarray((approved + _PSEUDO_ROWS * parent) / (rows + _PSEUDO_ROWS), dtype=np.float64)

"""Baselines say what a careful person would with a pencil, and never look at the row they are asked about."""

import numpy as np
import pytest

from experiments.resamples import Floats
from training.baselines import BASELINES, Lesson, code_by_attempt, constant, logistic_regression, score_baseline
from training.fit import ColumnShape
from training.metrics import auc

COLUMNS = (ColumnShape("x", False, 0), ColumnShape("word", True, 0), ColumnShape("empty", False, 0))


def lesson(rows: int = 2_000, seed: int = 0) -> Lesson:
    rng = np.random.default_rng(seed)
    x, word = rng.normal(size=rows), rng.integers(0, 3, rows)
    code, attempt = rng.integers(-1, 3, rows), rng.integers(1, 9, rows)
    p = 1 / (1 + np.exp(-(1.2 * x + (word == 1) + 0.8 * (code == 0) - 1)))
    empty = np.full(rows, np.nan)
    matrix = np.stack([np.where(rng.random(rows) < 0.1, np.nan, x), word, empty], axis=1).astype(np.float32)
    return Lesson(matrix, (rng.random(rows) < p).astype(np.float64), code, attempt, COLUMNS)


def test_the_constant_is_the_share_approved() -> None:
    known = lesson()
    assert constant(known, known)[0] == pytest.approx(known.y.mean(), abs=1e-3)


def test_the_table_is_the_shrunk_share_of_its_cell() -> None:
    known = lesson()
    asked = Lesson(known.matrix[:3], known.y[:3], np.array([1, -1, 7]), np.array([2, 11, 1]), COLUMNS)
    everyone = (known.y.sum() + 1) / (len(known.y) + 2)

    def shrunk(rows: "np.ndarray[tuple[int], np.dtype[np.bool_]]", parent: float) -> float:
        return float((known.y[rows].sum() + 20 * parent) / (rows.sum() + 20))

    of_code = {code: shrunk(known.code == code, everyone) for code in (1, -1)}
    expected = [
        shrunk((known.code == 1) & (known.attempt == 2), of_code[1]),
        shrunk((known.code == -1) & (known.attempt >= 6), of_code[-1]),
        everyone,
    ]
    np.testing.assert_allclose(code_by_attempt(known, asked), expected)


def test_logistic_regression_finds_a_logistic_truth_through_gaps_and_words() -> None:
    known, asked = lesson(4_000), lesson(4_000, seed=1)
    assert auc(asked.y, logistic_regression(known, asked)) > 0.74


def test_logistic_regression_falls_back_to_the_constant_when_there_is_one_outcome() -> None:
    known = lesson(200)
    ones = Lesson(known.matrix, np.ones(200), known.code, known.attempt, COLUMNS)
    assert np.unique(logistic_regression(ones, known)).size == 1


@pytest.mark.parametrize("name", BASELINES)
def test_no_row_is_scored_from_its_own_fold(name: str) -> None:
    known = lesson(1_000)
    fold = np.arange(1_000) % 4
    before = np.arange(1_000) < 800

    def scores(y: Floats) -> Floats:
        changed = Lesson(known.matrix, y, known.code, known.attempt, COLUMNS)
        return score_baseline(BASELINES[name], changed, fold, before, ~before, range(4))

    own = fold[~before] == 2
    flipped = np.where(fold == 2, 1 - known.y, known.y)
    np.testing.assert_array_equal(scores(known.y)[own], scores(flipped)[own])
    assert (scores(known.y)[~own] != scores(flipped)[~own]).any()

"""The bag learns what is there, keeps customers apart, and does not depend on threads."""

from dataclasses import replace

import lightgbm as lgb
import numpy as np
import pytest

from experiments.resamples import Floats
from model.boosted import boosters_of, raw_logits
from training.fit import Bag, ColumnShape, TreeSettings, fit_bag
from training.metrics import auc
from training.uncertainty import out_of_fold

SETTINGS = TreeSettings(max_trees=80, patience=20, learning_rate=0.15, min_rows_in_leaf=20, threads=1)
COLUMNS = (ColumnShape("x", False, 1), ColumnShape("noise", False, 0), ColumnShape("word", True, 0))


def world(rows: int = 3_000, seed: int = 0) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float32]], Floats, Floats]:
    """Columns, truth and outcomes: x helps (with a dent that a monotone fit must iron out), word 2 helps."""
    rng = np.random.default_rng(seed)
    x, word = rng.normal(size=rows), rng.integers(0, 4, rows)
    dent = np.where(np.abs(x - 0.5) < 0.2, -1.0, 0.0)
    truth = 1 / (1 + np.exp(-(x + dent + 1.5 * (word == 2) - 1)))
    matrix = np.stack([x, rng.normal(size=rows), word], axis=1).astype(np.float32)
    return matrix, truth, (rng.random(rows) < truth).astype(np.float64)


@pytest.fixture(scope="module")
def bag() -> Bag:
    matrix, _, y = world()
    return fit_bag(matrix, y, np.arange(len(y)) // 3 % 5, COLUMNS, SETTINGS)


def test_it_predicts_customers_it_never_saw_nearly_as_well_as_the_truth(bag: Bag) -> None:
    matrix, truth, y = world()
    p = out_of_fold(bag, matrix, np.arange(len(y)) // 3 % 5)
    assert auc(y, p) > auc(y, truth) - 0.03


def test_every_fold_is_unseen_by_two_boosters_and_seen_by_three(bag: Bag) -> None:
    unseen = bag.unseen(np.arange(5))
    assert (unseen.sum(axis=1) == 2).all()
    assert (unseen.sum(axis=0) == 2).all()


def test_outcomes_of_unseen_customers_do_not_reach_the_boosters_that_score_them() -> None:
    matrix, _, y = world(900)
    fold = np.arange(900) // 3 % 5
    flipped = np.where(fold == 3, 1 - y, y)
    one = fit_bag(matrix, y, fold, COLUMNS, SETTINGS, trees=10)
    other = fit_bag(matrix, flipped, fold, COLUMNS, SETTINGS, trees=10)
    own = fold == 3
    np.testing.assert_array_equal(out_of_fold(one, matrix[own], fold[own]), out_of_fold(other, matrix[own], fold[own]))
    assert one.texts != other.texts


def test_a_column_said_to_help_never_hurts(bag: Bag) -> None:
    grid = np.zeros((200, 3), dtype=np.float32)
    grid[:, 0] = np.linspace(-3, 3, 200)
    logits = raw_logits(boosters_of(bag.texts), grid)
    assert (np.diff(logits, axis=0) >= -1e-9).all()


def test_the_number_of_threads_does_not_change_a_byte() -> None:
    matrix, _, y = world(1_500)
    fold = np.arange(1_500) // 3 % 5
    one = fit_bag(matrix, y, fold, COLUMNS, SETTINGS, trees=15)
    three = fit_bag(matrix, y, fold, COLUMNS, replace(SETTINGS, threads=3), trees=15)
    assert one.texts == three.texts
    assert "num_threads" not in one.texts[0]


def test_with_outcomes_drawn_without_looking_it_finds_nothing() -> None:
    matrix, _, y = world()
    shuffled = np.random.default_rng(1).permutation(y)
    fold = np.arange(len(y)) // 3 % 5
    p = out_of_fold(fit_bag(matrix, shuffled, fold, COLUMNS, SETTINGS), matrix, fold)
    assert abs(auc(shuffled, p) - 0.5) < 0.04


def test_growing_stops_where_unseen_customers_gain_no_more(bag: Bag) -> None:
    assert bag.trees == int(np.argmin(bag.unseen_loss)) + 1
    assert lgb.Booster(model_str=bag.texts[0]).num_trees() == bag.trees
    assert bag.gain.sum() == pytest.approx(1.0)


def test_fewer_rows_get_smaller_trees_unless_told_otherwise() -> None:
    assert [TreeSettings().leaves_for(rows) for rows in (500, 50_000, 500_000)] == [8, 16, 31]
    assert TreeSettings(leaves=20).leaves_for(500) == 20

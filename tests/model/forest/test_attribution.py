"""The parts of a score are LightGBM's, and Shapley's by their definition."""

from collections.abc import Set as AbstractSet
from itertools import chain, combinations
from math import factorial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forest_builders import COLUMNS, FORESTS, Matrix, at_thresholds, learnt_from, texts_of
from model.boosted import boosters_of, mean_parts
from model.forest.attribution import Attribution
from model.forest.flat import View, flatten
from model.forest.trees import Missing, Tree, UnsupportedTreesError, read_trees

TREE = Tree(
    (0, 1, 0), (0.5, 1.5, -1.0), (False, False, False), (False, False, False), (Missing.NAN,) * 3, (1, -1, -3),
    (2, -2, -4), (4.0, -2.0, 1.0, 8.0), (), (5, 3, 7, 25),
)  # fmt: skip
"""Splits column 0 at 0.5: up to it column 1 at 1.5, above it column 0 again at -1, which nothing above 0.5 is up to."""


@pytest.mark.parametrize("name", FORESTS)
def test_the_parts_are_lightgbm_s(name: str) -> None:
    texts = texts_of(name)
    ours = Attribution(flatten([read_trees(text) for text in texts]), COLUMNS)
    for matrix in (at_thresholds(texts, 8, 150), learnt_from(12, 150)):
        np.testing.assert_allclose(ours(matrix), mean_parts(boosters_of(texts), matrix), rtol=1e-9, atol=1e-12)


def test_rows_that_are_nearly_alike_have_their_own_parts() -> None:
    texts = texts_of("a bag whose boosters differ in size")
    ours = Attribution(flatten([read_trees(text) for text in texts]), COLUMNS)
    matrix = np.repeat(learnt_from(4, 3), 20, axis=0)
    matrix[:, 0] = at_thresholds(texts, 9, len(matrix))[:, 0]
    each = np.concatenate([ours(matrix[i : i + 1]) for i in range(len(matrix))])
    np.testing.assert_array_equal(ours(matrix), each)


@given(st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3))
@settings(max_examples=40)
def test_the_parts_are_shapley_s_values_by_their_definition(row: list[float]) -> None:
    expected = shapley(TREE, row)
    found = Attribution(flatten([[TREE]]), 3)(np.array([row], dtype=np.float32))[0]
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@given(st.lists(st.floats(-3, 3, width=32), min_size=8, max_size=8))
@settings(max_examples=10)
def test_a_way_on_which_many_columns_are_asked_about_is_integrated_without_error(row: list[float]) -> None:
    splits = 8
    chain_of_columns = Tree(
        tuple(range(splits)), (0.5,) * splits, (False,) * splits, (False,) * splits, (Missing.NAN,) * splits,
        (*range(1, splits), -9), tuple(-1 - split for split in range(splits)),
        tuple(float((-2) ** leaf) for leaf in range(splits + 1)), (), tuple(range(1, splits + 2)),
    )  # fmt: skip
    found = Attribution(flatten([[chain_of_columns]]), splits)(np.array([row], dtype=np.float32))[0]
    np.testing.assert_allclose(found, shapley(chain_of_columns, row), rtol=1e-12, atol=1e-12)


def test_a_column_that_no_tree_asks_about_has_no_part_and_a_tree_without_splits_is_all_base() -> None:
    alone = Tree((), (), (), (), (), (), (), (0.75,), ())
    found = Attribution(flatten([[TREE, alone]]), 3)(np.array([[0.0, 0.0, 9.0]], dtype=np.float32))[0]
    assert found[2] == 0.0
    assert found[3] == pytest.approx(0.75 + (4.0 * 5 - 2.0 * 3 + 1.0 * 7 + 8.0 * 25) / 40)


def test_trees_that_do_not_say_what_they_were_learnt_from_have_no_parts() -> None:
    silent = Tree((0,), (0.5,), (False,), (False,), (Missing.NAN,), (-1,), (-2,), (0.0, 1.0), ())
    with pytest.raises(UnsupportedTreesError, match="how many rows"):
        Attribution(flatten([[silent]]), 1)


def test_no_rows_have_no_parts() -> None:
    assert Attribution(flatten([[TREE]]), 3)(np.zeros((0, 3), dtype=np.float32)).shape == (0, 4)


def shapley(tree: Tree, row: list[float]) -> list[float]:
    """The value of every column by all subsets of the others, and the tree's mean."""
    columns = range(len(row))
    parts = []
    for column in columns:
        others = [other for other in columns if other != column]
        subsets = chain.from_iterable(combinations(others, size) for size in range(len(row)))
        parts.append(
            sum(
                factorial(len(known)) * factorial(len(row) - 1 - len(known)) / factorial(len(row))
                * (mean(tree, row, {*known, column}) - mean(tree, row, set(known)))
                for known in subsets
            )
        )  # fmt: skip
    return [*parts, mean(tree, row, set())]


def mean(tree: Tree, row: list[float], known: AbstractSet[int], node: int = 0) -> float:
    """The tree's value where only some columns are known: both sides by their rows where a column is not."""
    if node < 0:
        return tree.leaf[-1 - node]
    sides = tree.left[node], tree.right[node]
    if tree.column[node] in known:
        return mean(tree, row, known, sides[0] if row[tree.column[node]] <= tree.threshold[node] else sides[1])
    weights = [rows_below(tree, side) for side in sides]
    return sum(w * mean(tree, row, known, side) for w, side in zip(weights, sides, strict=True)) / sum(weights)


def rows_below(tree: Tree, node: int) -> int:
    return (
        tree.rows[-1 - node]
        if node < 0
        else sum(rows_below(tree, side) for side in (tree.left[node], tree.right[node]))
    )


def test_rows_show_themselves_as_the_kernels_show_blocks() -> None:
    texts = texts_of("zero taken for missing")
    forest = flatten([read_trees(text) for text in texts])
    assert {View.ZERO_MISSING, View.CODE} <= {View(kind) for kind in forest.view.tolist()}
    matrix: Matrix = at_thresholds(texts, 2, 60)
    np.testing.assert_allclose(
        Attribution(forest, COLUMNS)(matrix), mean_parts(boosters_of(texts), matrix), rtol=1e-9, atol=1e-12
    )

"""Folded scores are LightGBM's to the bit, whatever the trees and the rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import lightgbm as lgb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forest_builders import COLUMNS, FORESTS, PLAIN, Matrix, at_thresholds, learnt_from, texts_of, trained
from model.boosted import boosters_of, raw_logits
from model.forest.bag import FoldedBag, probes
from model.forest.flat import Floats, flatten
from model.forest.kernels import BLOCK
from model.forest.trees import UnsupportedTreesError, read_trees


@dataclass(frozen=True, slots=True)
class Both:
    """The same boosters scored by both."""

    texts: Sequence[str]
    ours: FoldedBag
    lightgbm: Callable[[Matrix], Floats]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Both":
        lightgbm = partial(raw_logits, boosters_of(texts))
        return cls(texts, FoldedBag(texts, lightgbm, COLUMNS), lightgbm)

    def agree(self, matrix: Matrix) -> None:
        """Fails unless both say the same."""
        assert_same_bits(self.ours.logits(matrix), self.lightgbm(matrix))


@pytest.fixture(scope="module", params=FORESTS)
def both(request: pytest.FixtureRequest) -> Both:
    return Both.of(texts_of(request.param))


def assert_same_bits(left: Floats, right: Floats) -> None:
    assert left.shape == right.shape
    np.testing.assert_array_equal(np.ascontiguousarray(left).view(np.int64), np.ascontiguousarray(right).view(np.int64))


@given(data=st.data(), seed=st.integers(0, 2**32 - 1), rows=st.sampled_from((1, 2, 65, 200, BLOCK + 1, 3 * BLOCK)))
@settings(max_examples=25, deadline=None)
def test_rows_of_one_context_and_rows_of_many_score_to_the_bit(
    both: Both, data: st.DataObject, seed: int, rows: int
) -> None:
    matrix = at_thresholds(both.texts, seed, rows)
    for column in data.draw(st.sets(st.integers(0, COLUMNS - 1)), label="columns that are the same in every row"):
        matrix[:, column] = matrix[0, column]
    for column in data.draw(st.sets(st.integers(0, COLUMNS - 1)), label="columns in order, as time is"):
        matrix[:, column] = np.sort(matrix[:, column])
    both.agree(matrix)


def test_the_rows_learnt_from_score_to_the_bit(both: Both) -> None:
    both.agree(learnt_from(99, 2000))


def test_a_row_scores_the_same_alone_and_among_others(both: Both) -> None:
    matrix = at_thresholds(both.texts, 5, 400)
    each = [both.ours.logits(matrix[i : i + 1]) for i in range(len(matrix))]
    assert_same_bits(both.ours.logits(matrix), np.concatenate(each))


def test_more_kinds_of_rows_than_there_are_groups_score_to_the_bit() -> None:
    matrix = learnt_from(3, 1500)
    matrix[:, 5], matrix[:, 6] = np.arange(1500) % 31, np.arange(1500) % 37
    Both.of(texts_of(PLAIN)).agree(matrix)


def test_no_rows_have_no_scores(both: Both) -> None:
    assert both.ours.logits(np.zeros((0, COLUMNS), dtype=np.float32)).shape == (0, len(both.texts))


def test_columns_that_lie_apart_in_memory_score_to_the_bit(both: Both) -> None:
    matrix = at_thresholds(both.texts, 6, 70)
    assert_same_bits(both.ours.logits(np.asfortranarray(matrix)), both.lightgbm(matrix))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"linear_tree": True}, "linear trees"),
        ({"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}, "averaged"),
        ({"objective": "multiclass", "num_class": 3}, "several classes"),
    ],
)
def test_other_kinds_of_models_are_left_to_lightgbm_by_name(changed: dict[str, object], reason: str) -> None:
    with pytest.raises(UnsupportedTreesError, match=reason):
        read_trees(trained(1, **changed))


def test_a_model_that_would_score_otherwise_is_left_to_lightgbm() -> None:
    both = Both.of((trained(1),))
    with pytest.raises(UnsupportedTreesError, match="to the bit"):
        FoldedBag(both.texts, lambda matrix: np.nextafter(both.lightgbm(matrix), 1.0), COLUMNS)


def test_a_model_of_more_columns_than_rows_have_is_refused() -> None:
    both = Both.of((trained(1),))
    with pytest.raises(UnsupportedTreesError, match="asks about column"):
        FoldedBag(both.texts, both.lightgbm, 2)


def test_probes_reach_nearly_every_leaf() -> None:
    text = trained(1)
    different, _ = probes(flatten([read_trees(text)]), COLUMNS)
    leaves = np.asarray(lgb.Booster(model_str=text).predict(different, pred_leaf=True))
    reached = sum(len(np.unique(leaves[:, tree])) for tree in range(leaves.shape[1]))
    assert reached > 0.8 * sum(len(tree.leaf) for tree in read_trees(text))

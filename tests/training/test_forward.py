"""Forward folds learn from the past of other customers, and never see the test window."""

from pathlib import Path

import numpy as np
import pytest

from features.errors import InputError
from training.config import TrainingConfig
from training.fit import TreeSettings
from training.forward import ForwardFolds, forward_folds
from training.split import split_by_time
from training_histories import write_history

QUICK = TreeSettings(max_trees=15, learning_rate=0.2, leaves=6, threads=1)


@pytest.fixture(scope="module")
def folds(history_file: Path) -> ForwardFolds:
    return forward_folds(TrainingConfig(history_file, trees=QUICK), 3)


def test_each_window_lies_after_all_that_is_learnt_and_before_the_test_window(folds: ForwardFolds) -> None:
    data = folds.data
    test_from = split_by_time(data.decided_at, data.final_at).test_from
    judged = np.zeros(len(data), dtype=np.int64)
    for fold in folds.folds:
        assert data.final_at[fold.train].max() < data.decided_at[fold.judge].min()
        assert data.final_at[fold.judge].max() < test_from
        judged += fold.judge
    assert judged.max() == 1
    assert folds.rows == max(fold.train.sum() for fold in folds.folds)


def test_settings_that_can_learn_score_better_than_settings_that_cannot(folds: ForwardFolds) -> None:
    able, unable = QUICK, TreeSettings(max_trees=1, learning_rate=0.001, leaves=2, threads=1)
    assert folds.fit(2, able).log_loss < folds.fit(2, unable).log_loss - 0.01


def test_without_propensities_no_policy_is_valued(folds: ForwardFolds) -> None:
    assert folds.objective == "log loss"
    assert folds.value(0, folds.fit(0, QUICK), 1) is None


def test_a_log_with_small_propensities_values_a_choice_of_time(tmp_path: Path) -> None:
    path = write_history(tmp_path / "random.parquet", payments=4_000, propensity=0.02)
    folds = forward_folds(TrainingConfig(path, trees=QUICK), 2)
    assert folds.objective == "policy value"
    policy = folds.value(1, folds.fit(1, QUICK), 1)
    assert policy is not None
    rows = folds.folds[1].judge
    # Mornings are much better than other hours, so that choosing times must gain over the log's own mean.
    assert policy.value > folds.data.y[rows].mean() + 0.1


def test_too_many_folds_are_refused_with_what_would_help(history_file: Path) -> None:
    with pytest.raises(InputError, match="ask for fewer folds"):
        forward_folds(TrainingConfig(history_file, trees=QUICK), 200)

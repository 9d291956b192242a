"""Tuning finds the better settings, gives up the worse early, goes on where it stopped, and tells MLflow each trial."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("optuna", reason="tuning needs Optuna")
pytestmark = pytest.mark.filterwarnings("ignore")  # MLflow's and Optuna's own dependencies deprecate each other

import mlflow  # noqa: E402
import optuna  # noqa: E402
from optuna.trial import FrozenTrial, TrialState  # noqa: E402

from features.errors import InputError  # noqa: E402
from training.config import TrainingConfig  # noqa: E402
from training.fit import TreeSettings  # noqa: E402
from training.forward import Score, forward_folds  # noqa: E402
from training.policy_value import PolicyValue  # noqa: E402
from training.tracking import Tracking, connect  # noqa: E402
from training.tune import LOG_LOSS, POLICY, best_of, open_study, tune, worth  # noqa: E402
from training.tune_log import StudyLog, plots  # noqa: E402
from training_histories import write_history  # noqa: E402

BASE = TreeSettings()


@dataclass(slots=True)
class Judge:
    """Judges by a rule of ours; counts how often it is asked."""

    rule: Callable[[int, TreeSettings], Score]
    digest: str = "h1"
    has_policy: bool = False
    folds: int = 3
    asked: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return self.folds

    def score(self, number: int, settings: TreeSettings) -> Score:
        self.asked.append(number)
        return self.rule(number, settings)


def near_sixteen_leaves(_number: int, settings: TreeSettings) -> Score:
    return Score(0.5 + abs(np.log((settings.leaves or 1) / 16)), None, 10)


def told(into: list[FrozenTrial]) -> Callable[[FrozenTrial], None]:
    return into.append


def test_the_best_trial_is_nearer_the_optimum_than_the_defaults_and_its_parameters_are_taken(tmp_path: Path) -> None:
    judge = Judge(near_sixteen_leaves)
    study = open_study("a", tmp_path, judge, seed=1)
    tuned = tune(study, judge, BASE, 12, told([]))
    assert tuned.objective == LOG_LOSS
    assert study.trials[0].params["leaves"] == 31
    assert tuned.parameters.leaves == tuned.best.params["leaves"]
    assert float(tuned.best.user_attrs["log_loss"]) < float(study.trials[0].user_attrs["log_loss"])


def test_a_study_goes_on_where_it_stopped_with_new_proposals(tmp_path: Path) -> None:
    judge = Judge(near_sixteen_leaves)
    tune(open_study("b", tmp_path, judge, seed=1), judge, BASE, 3, told([]))
    asked = len(judge.asked)
    again = open_study("b", tmp_path, judge, seed=1)
    assert len(again.trials) == 3
    assert len(judge.asked) == asked
    tune(again, judge, BASE, 3, told([]))
    seen = [tuple(sorted(trial.params.items())) for trial in again.trials]
    assert len(set(seen)) == len(seen) == 6


@pytest.mark.parametrize("change", [{"digest": "h2"}, {"folds": 4}, {"has_policy": True}])
def test_a_study_of_something_else_is_not_mixed_in(tmp_path: Path, change: dict[str, object]) -> None:
    judge = Judge(near_sixteen_leaves)
    open_study("c", tmp_path, judge, seed=1)
    for name, value in change.items():
        setattr(judge, name, value)
    with pytest.raises(InputError, match="give another name"):
        open_study("c", tmp_path, judge, seed=1)


def test_a_trial_that_falls_behind_is_given_up_before_its_last_fold(tmp_path: Path) -> None:
    seen: list[int] = []

    def ever_worse(number: int, _settings: TreeSettings) -> Score:
        seen.extend([number] if number == 0 else [])
        return Score(0.5 + 0.1 * len(seen), None, 10)

    judge, ended = Judge(ever_worse), list[FrozenTrial]()
    tune(open_study("d", tmp_path, judge, seed=1), judge, BASE, 5, told(ended))
    assert [trial.state for trial in ended] == [TrialState.COMPLETE] * 3 + [TrialState.PRUNED] * 2
    assert judge.asked == [0, 1, 2] * 3 + [0, 0]


def valued(values: Sequence[float], losses: Sequence[float], error: float) -> Callable[[int, TreeSettings], Score]:
    """The k-th trial has the k-th value and loss on its one fold."""
    turn = iter(zip(values, losses, strict=True))

    def rule(_number: int, _settings: TreeSettings) -> Score:
        value, loss = next(turn)
        return Score(loss, PolicyValue(value, error, 200.0), 10)

    return rule


@pytest.mark.parametrize(("error", "best"), [(0.001, 1), (0.05, 2)])
def test_policy_value_decides_and_log_loss_among_what_it_cannot_tell_apart(
    tmp_path: Path, error: float, best: int
) -> None:
    judge = Judge(valued([0.30, 0.42, 0.40], [0.50, 0.49, 0.45], error), has_policy=True, folds=1)
    study = open_study("e", tmp_path, judge, seed=1)
    assert tune(study, judge, BASE, 3, told([])).objective == POLICY
    assert best_of(study).number == best


def test_settings_are_worth_their_mean_over_folds() -> None:
    scores = [Score(0.5, PolicyValue(0.4, 0.01, 99.0), 3), Score(0.7, PolicyValue(0.2, 0.01, 99.0), 3)]
    assert worth(scores, POLICY) == pytest.approx(0.3)
    assert worth(scores, LOG_LOSS) == pytest.approx(-0.6)


@pytest.mark.slow
def test_a_real_study_is_one_run_with_a_child_a_trial_and_its_plots(tmp_path: Path, shared_tracking: Tracking) -> None:
    path = write_history(tmp_path / "history.parquet", payments=1_500)
    config = TrainingConfig(path, trees=TreeSettings(max_trees=8, learning_rate=0.3, threads=1))
    folds = forward_folds(config, 2)

    def run(trials: int) -> tuple[StudyLog, optuna.Study]:
        study = open_study("real", tmp_path, folds, seed=3)
        log = StudyLog.of(study, shared_tracking)
        log.end(tune(study, folds, config.trees, trials, log.trial), "[trees]\n")
        return log, study

    first, _ = run(3)
    log, study = run(2)
    assert log.parent == first.parent
    client, experiment = connect(shared_tracking)
    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{log.parent}'")
    assert len(children) == 5
    assert all("log_loss" in run.data.metrics for run in children)
    parents = client.search_runs([experiment], "run_name = 'tune real'")
    assert [run.info.run_id for run in parents] == [log.parent]
    assert {"history.png", "parallel_coordinate.png"} <= {
        Path(file.path).name for file in client.list_artifacts(log.parent, "plots")
    }
    assert "[trees]" in mlflow.artifacts.load_text(f"runs:/{log.parent}/parameters.toml")
    assert {"history", "parallel_coordinate"} <= set(plots(study))

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
from training.fit import Bag, TreeSettings  # noqa: E402
from training.forward import Fitted, Objective, forward_folds  # noqa: E402
from training.policy_value import PolicyValue  # noqa: E402
from training.tracking import Tracking, connect  # noqa: E402
from training.tune import LOG_LOSS, best_of, open_study, tune  # noqa: E402
from training.tune_log import StudyLog, plots  # noqa: E402
from training_histories import write_history  # noqa: E402

BASE = TreeSettings()


@dataclass(slots=True)
class Judge:
    """Judges by a rule of ours; counts how often it is asked."""

    rule: Callable[[int, TreeSettings], float]
    digest: str = "h1"
    rows: int = 50_000
    objective: Objective = "log loss"
    folds: int = 3
    values: Sequence[PolicyValue | None] = ()
    asked: list[int] = field(default_factory=list)
    valued: int = 0

    def __len__(self) -> int:
        return self.folds

    def fit(self, number: int, settings: TreeSettings) -> Fitted:
        self.asked.append(number)
        return Fitted(self.rule(number, settings), TREES)

    def value(self, number: int, fitted: Fitted, threads: int) -> PolicyValue | None:
        self.valued += 1
        return self.values[(self.valued - 1) % len(self.values)]


TREES = Bag((), (), 10, np.zeros(0), np.zeros(0), np.zeros(0))


def near_sixteen_leaves(_number: int, settings: TreeSettings) -> float:
    return 0.5 + abs(float(np.log((settings.leaves or 1) / 16)))


def told(into: list[FrozenTrial]) -> Callable[[FrozenTrial], None]:
    return into.append


def test_the_best_trial_is_nearer_the_optimum_than_the_defaults_and_its_parameters_are_taken(tmp_path: Path) -> None:
    judge = Judge(lambda _number, settings: 0.5 + abs(float(np.log((settings.leaves or 1) / 40))))
    study = open_study("a", tmp_path, judge, seed=1)
    tuned = tune(study, judge, BASE, 12, told([]))
    assert tuned.objective == LOG_LOSS
    assert study.trials[0].params["leaves"] == 16
    assert tuned.parameters.leaves == tuned.best.params["leaves"]
    assert float(tuned.best.user_attrs["log_loss"]) < float(study.trials[0].user_attrs["log_loss"])


@pytest.mark.parametrize(("rows", "leaves"), [(500, 8), (20_000, 16), (100_000, 31)])
def test_the_first_trial_is_what_training_on_so_many_rows_would_do(tmp_path: Path, rows: int, leaves: int) -> None:
    judge = Judge(near_sixteen_leaves, rows=rows)
    study = open_study("first", tmp_path, judge, seed=1)
    tune(study, judge, BASE, 1, told([]))
    assert study.trials[0].params["leaves"] == leaves == BASE.leaves_for(rows)


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


@pytest.mark.parametrize("change", [{"digest": "h2"}, {"folds": 4}, {"objective": "plan value"}])
def test_a_study_of_something_else_is_not_mixed_in(tmp_path: Path, change: dict[str, object]) -> None:
    judge = Judge(near_sixteen_leaves)
    open_study("c", tmp_path, judge, seed=1)
    for name, value in change.items():
        setattr(judge, name, value)
    with pytest.raises(InputError, match="give another name"):
        open_study("c", tmp_path, judge, seed=1)


def test_a_trial_that_falls_behind_in_log_loss_is_given_up_before_its_plan_is_played(tmp_path: Path) -> None:
    seen: list[int] = []

    def ever_worse(number: int, _settings: TreeSettings) -> float:
        seen.extend([number] if number == 0 else [])
        return 0.5 + 0.1 * len(seen)

    judge, ended = Judge(ever_worse, objective="plan value", values=[PolicyValue(1.0, 0.1)]), list[FrozenTrial]()
    tune(open_study("d", tmp_path, judge, seed=1), judge, BASE, 5, told(ended))
    assert [trial.state for trial in ended] == [TrialState.COMPLETE] * 3 + [TrialState.PRUNED] * 2
    assert judge.asked == [0, 1, 2] * 3 + [0, 0]
    assert judge.valued == 9


def test_no_trial_begins_after_the_time_is_up(tmp_path: Path) -> None:
    judge, ended = Judge(near_sixteen_leaves), list[FrozenTrial]()
    study = open_study("t", tmp_path, judge, seed=1)
    first = tune(study, judge, BASE, 1, told(ended)).best
    assert tune(study, judge, BASE, 50, told(ended), seconds=1e-6).best.number == first.number
    assert len(ended) == 1


def tuned_by(tmp_path: Path, values: Sequence[PolicyValue], losses: Sequence[float]) -> int:
    """Number of the best trial, where the k-th has the k-th value and loss on its one fold."""
    turn = iter(losses)
    judge = Judge(lambda _number, _settings: next(turn), objective="policy value", folds=1, values=values)
    study = open_study("e", tmp_path, judge, seed=1)
    assert tune(study, judge, BASE, len(losses), told([])).objective == "policy value"
    return best_of(study).number


@pytest.mark.parametrize(("error", "best"), [(0.001, 1), (0.05, 2)])
def test_policy_value_decides_and_log_loss_among_what_it_cannot_tell_apart(
    tmp_path: Path, error: float, best: int
) -> None:
    values = [PolicyValue(value, error) for value in (0.30, 0.42, 0.40)]
    assert tuned_by(tmp_path, values, [0.50, 0.49, 0.45]) == best


def test_what_differs_little_on_every_customer_alike_is_told_apart(tmp_path: Path) -> None:
    # Customers differ by far more than trials do: only the paired difference can tell.
    each = np.array([5.0, 0.0, 9.0, 1.0])
    values = [PolicyValue(float(sum(parts)), 8.0, tuple(parts)) for parts in (each, each + 0.1, each + 0.05)]
    assert tuned_by(tmp_path, values, [0.50, 0.49, 0.45]) == 1
    noisy = each + np.array([4.0, -4.0, 1.0, -0.9])
    values[1] = PolicyValue(float(sum(noisy)), 8.0, tuple(noisy))
    assert tuned_by(tmp_path / "again", values, [0.50, 0.49, 0.45]) == 2


def test_settings_are_worth_their_mean_over_folds(tmp_path: Path) -> None:
    values = [PolicyValue(0.4, 0.01, (0.1, 0.3)), PolicyValue(0.2, 0.01, (0.2,))]
    judge = Judge(near_sixteen_leaves, objective="plan value", folds=2, values=values)
    tuned = tune(open_study("f", tmp_path, judge, seed=1), judge, BASE, 1, told([]))
    assert tuned.best.value == pytest.approx(0.3)
    assert tuned.best.user_attrs["parts"] == pytest.approx([0.05, 0.15, 0.1])
    assert tuned.best.user_attrs["standard_error"] == pytest.approx(0.01 / 2**0.5)


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

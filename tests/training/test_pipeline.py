"""The whole line from a history to a judged model: it finds what is there, nothing else, and the same each time."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.errors import InputError
from features.instants import from_micros
from model.artifact import read_artifact, write_artifact
from model.boosted import BoostedScorer
from training.config import TrainingConfig
from training.fit import TreeSettings
from training.gate import judge
from training.pipeline import TrainingResult, train
from training.report import evaluation_json, metrics, parameters, run_description
from training_histories import truth, write_history

QUICK = TreeSettings(max_trees=40, patience=10, learning_rate=0.15, threads=1)


def test_a_learnable_history_passes_the_gate(result: TrainingResult) -> None:
    assert result.verdict.passed, result.verdict.reasons
    assert result.evaluation.model["auc"].value > 0.65


def test_the_same_history_gives_the_same_bytes(history_file: Path, result: TrainingResult, tmp_path: Path) -> None:
    again = train(replace(result.config, trees=replace(result.config.trees, threads=2)))
    for name, artifact in (("one", result.artifact), ("two", again.artifact)):
        write_artifact(artifact, tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert [(tmp_path / "one" / f).read_bytes() for f in files] == [(tmp_path / "two" / f).read_bytes() for f in files]
    assert again.version == result.version
    assert str(history_file.parent) not in "".join((tmp_path / "one" / f).read_text() for f in files)


def test_a_history_of_coin_tosses_is_refused_with_reasons(tmp_path: Path) -> None:
    path = write_history(tmp_path / "coins.parquet", learnable=False)
    coins = train(TrainingConfig(path, trees=QUICK, resamples=100))
    assert not coins.verdict.passed
    assert any("constant" in reason for reason in coins.verdict.reasons)
    assert abs(coins.evaluation.model["auc"].value - 0.5) < 0.05


def test_the_artifact_scores_as_the_bag_that_was_judged(result: TrainingResult, tmp_path: Path) -> None:
    write_artifact(result.artifact, tmp_path / "model")
    scorer = BoostedScorer(read_artifact(tmp_path / "model"))
    test = result.split.test
    scores = scorer.score_matrix(result.dataset.matrix[test], result.dataset.prior[test])
    assert scorer.version == result.version
    assert ((scores.low < scores.probability) & (scores.probability < scores.high)).all()
    judged = result.judged.p["model"]
    assert np.corrcoef(scores.probability, judged)[0, 1] > 0.95


def test_intervals_cover_the_true_probability_about_nine_times_in_ten(result: TrainingResult) -> None:
    data, test = result.dataset, result.split.test
    scores = BoostedScorer(result.artifact).score_matrix(data.matrix[test], data.prior[test])
    hours = [from_micros(int(at)).hour for at in data.at[test]]
    group = data.groups["category"]
    shortage = np.array([group.words[code] == "insufficient_funds" for code in group.codes[test]])
    tries = data.attempt[test] - 1
    codes = np.where(shortage, "51", "05")
    true = np.array([truth(*row) for row in zip(hours, codes.tolist(), tries.tolist(), strict=True)])
    covered = np.mean((scores.low <= true) & (true <= scores.high))
    assert 0.75 <= covered <= 0.99


@pytest.mark.parametrize(
    ("baseline", "low", "high", "refused"),
    [
        ("code_by_attempt", -0.002, 0.004, ["beats code_by_attempt"]),
        ("logistic_regression", -0.002, 0.004, []),
        ("logistic_regression", -0.004, -0.001, ["no worse than logistic_regression"]),
    ],
)
def test_a_model_must_beat_naive_baselines_and_be_no_worse_than_its_peer(
    result: TrainingResult, baseline: str, low: float, high: float, refused: list[str]
) -> None:
    gains = dict(result.evaluation.gains)
    gains[baseline] = {name: replace(gain, value=0.001, low=low, high=high) for name, gain in gains[baseline].items()}
    verdict = judge(replace(result.evaluation, gains=gains))
    assert [check.name for check in verdict.checks if not check.passed] == refused


def test_few_rows_poor_slope_and_poor_calibration_each_close_the_gate(result: TrainingResult) -> None:
    evaluation = result.evaluation
    few = judge(replace(evaluation, rows=100))
    assert not few.passed
    for name, change in (("slope", {"value": 0.7}), ("slope", {"value": 1.3}), ("ece", {"low": 0.04})):
        spoilt = {**evaluation.model, name: replace(evaluation.model[name], **change)}
        verdict = judge(replace(evaluation, figures={**evaluation.figures, "model": spoilt}))
        failed = [check.name for check in verdict.checks if not check.passed]
        assert failed == [{"slope": "calibration slope", "ece": "calibration error"}[name]]


def test_too_few_retries_are_refused_with_what_would_help(tmp_path: Path) -> None:
    path = write_history(tmp_path / "few.parquet", payments=40)
    with pytest.raises(InputError, match="at least 25"):
        train(TrainingConfig(path, trees=QUICK))


def test_the_card_and_the_run_tell_the_figures_the_evaluation_holds(result: TrainingResult) -> None:
    log_loss = f"{result.evaluation.model['log_loss'].value:.4f}"
    assert log_loss in result.artifact.card
    assert log_loss in run_description(result)
    assert metrics(result)["test/log_loss"] == result.evaluation.model["log_loss"].value
    assert metrics(result)["gain/constant/log_loss_low"] > 0
    figures = evaluation_json(result.evaluation)["figures"]
    assert isinstance(figures, dict)
    assert figures["model"]["log_loss"]["value"] == result.evaluation.model["log_loss"].value


def test_the_parameters_of_a_run_are_all_that_it_takes_to_train_again(result: TrainingResult) -> None:
    said = parameters(result)
    chosen = {name: getattr(result.config.trees, name) for name in ("cat_smooth", "patience", "max_trees", "l2")}
    assert {name: said[name] for name in chosen} == {name: str(value) for name, value in chosen.items()}
    assert said["maturity_days"] == "bank_debit 7"
    dates = ("train_from", "calibrate_from", "test_from", "test_to")
    assert {name: said[name] for name in dates} == result.artifact.facts["windows"]


def test_boosters_are_fitted_again_with_the_leaves_that_trees_and_calibrator_were_chosen_with(
    history_file: Path, result: TrainingResult
) -> None:
    """The border lies between the rows of the train window and those before the test window."""
    border = int(result.split.train.sum()) + 1
    assert border <= result.split.before_test.sum()

    class Bordered(TreeSettings):
        def leaves_for(self, rows: int) -> int:
            return self.leaves or (3 if rows < border else 9)

    found = train(TrainingConfig(history_file, trees=Bordered(max_trees=3, threads=1), resamples=50))
    grown = [text.split("num_leaves=")[1].split()[0] for bag in (found.explored, found.bag) for text in bag.texts]
    assert set(grown) == {"3"}
    assert parameters(found)["leaves"] == "3"


def test_progress_is_told_step_by_step(history_file: Path) -> None:
    steps: list[str] = []
    train(
        TrainingConfig(history_file, trees=replace(QUICK, max_trees=3), resamples=50), lambda s, _d, _t: steps.append(s)
    )
    order = ["reading", "features", "growing trees", "calibrating", "growing trees again", "judging"]
    assert list(dict.fromkeys(steps)) == order

"""From a history to a judged model: load, label, split, fit, calibrate, refit, judge; nothing is written here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats, Resamples
from features.errors import InputError
from features.instants import from_micros
from model.artifact import Artifact
from model.blend import Blend
from model.boosted import BoostedScorer, Uncertainty, boosters_of, column_facts, raw_logits
from model.calibration import calibrated
from model.worked import worked
from training.baselines import BASELINES, score_baseline
from training.calibrate import Calibration, choose_calibration
from training.card import model_card
from training.config import TrainingConfig
from training.dataset import Dataset, Group, column_shapes, labelled_rows
from training.evaluate import MODEL, PRIOR, Evaluation, Judged, evaluate
from training.fit import Bag, TreeSettings, fit_bag
from training.gate import GateVerdict, judge
from training.load import History, load_history
from training.metrics import probability
from training.reference import distribution_of, references
from training.segments import judged_segments
from training.shrink import SMALL_ROWS, Shrinkage, choose_strength
from training.split import Split, split_by_time
from training.support import learn_support
from training.uncertainty import out_of_fold, uncertainty

Flags = NDArray[np.bool_]

Progress = Callable[[str, int, int], None]
"""Called with (step, done, total) as work goes on."""

MIN_WINDOW_ROWS = 25
WORKED_ROWS = 5
MEANWHILE = "nothing was registered, and the shipped prior goes on answering until a model is"
STEPS = ("reading", "features", "growing trees", "calibrating", "growing trees again", "judging")


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """Everything a training run found out.

    Args:
        dataset: The rows, with what was left out.
        explored: The bag fitted on the train window, which chose the number of trees.
        bag: The bag in the artifact, fitted on everything before the test window.
        judged: The test rows and all their scores.
    """

    config: TrainingConfig
    history: History
    dataset: Dataset
    split: Split
    explored: Bag
    bag: Bag
    shrinkage: Shrinkage
    calibration: Calibration
    judged: Judged
    evaluation: Evaluation
    verdict: GateVerdict
    artifact: Artifact

    @property
    def version(self) -> str:
        """The artifact's content hash."""
        return self.artifact.version


def train(config: TrainingConfig, progress: Progress | None = None) -> TrainingResult:
    """Train a model and judge it.

    The number of trees and the calibrator are chosen before the test window; then the boosters are fitted again, with
    as many leaves a tree, on everything before it, so that the model is fresh, and the test window is scored once.

    Raises:
        InputError: The history cannot be read or holds too little to learn from.
    """
    tell = progress or (lambda _step, _done, _total: None)
    tell("reading", 0, 1)
    history = load_history(config.history)
    tell("features", 0, 1)
    data = labelled_rows(history, config)
    split = split_by_time(
        data.decided_at, data.final_at, test_days=config.test_days, calibrate_days=config.calibrate_days
    )
    _require_enough(data, split)
    config = replace(config, trees=_settled(config.trees, split))
    explored = _fit(data, split.train, config, None, tell, "growing trees")
    tell("calibrating", 0, 1)
    shrinkage = _shrink(explored, data, split, config)
    calibration, doubt = _calibrate(explored, shrinkage, data, split, config)
    bag = _fit(data, split.before_test, config, explored.trees, tell, "growing trees again")
    tell("judging", 0, 1)
    blend = Blend(int(split.before_test.sum()), shrinkage.strength)
    judged = _judged(bag, blend, calibration, data, split, config)
    evaluation = evaluate(judged, config.resamples, config.seed)
    verdict = judge(evaluation)
    tell("judging", 1, 1)
    facts = _facts(config, history, data, split, bag, blend, calibration, doubt)
    fitted = split.before_test
    facts["support"] = learn_support(
        data.matrix[fitted], data.y[fitted], data.category[fitted], config.trees.min_rows_in_leaf
    ).to_json()
    facts["reference"] = _reference(bag, blend, calibration, data, split, config, evaluation)
    facts["segments"] = judged_segments(judged, _issuers(history, data, split), config.resamples, config.seed)
    card = model_card(facts, data.left_out, calibration, evaluation, verdict)
    encoders = data.encoders.to_json(split.test_from)
    artifact = Artifact(bag.texts, calibration.calibrator, encoders, column_facts(), facts, card)
    artifact = _with_worked(artifact, data, split)
    return TrainingResult(
        config, history, data, split, explored, bag, shrinkage, calibration, judged, evaluation, verdict, artifact
    )


def _settled(trees: TreeSettings, split: Split) -> TreeSettings:
    """The settings with the leaves that the train window takes: trees and calibrator chosen at one size of tree are not
    those of another, and there are more rows before the test window than in the train window."""
    return replace(trees, leaves=trees.leaves_for(int(split.train.sum())))


def _with_worked(artifact: Artifact, data: Dataset, split: Split) -> Artifact:
    """The artifact with some rows of its test window and what it says of them."""
    rows = np.flatnonzero(split.test)
    some = rows[np.linspace(0, len(rows) - 1, WORKED_ROWS).astype(np.int64)]
    examples = worked(BoostedScorer(artifact, folding=False), data.matrix[some], data.prior[some])
    return replace(artifact, facts={**artifact.facts, "worked": examples})


def _issuers(history: History, data: Dataset, split: Split) -> Group:
    issuer = history.table.issuer
    return Group(issuer.codes[data.index][split.test], tuple(issuer.texts()))


def _require_enough(data: Dataset, split: Split) -> None:
    windows = {"train": split.train, "calibration": split.calibrate, "test": split.test}
    for name, rows in windows.items():
        if rows.sum() < MIN_WINDOW_ROWS:
            raise InputError(
                f"the {name} window holds {rows.sum():,} of {len(data):,} retries, and at least {MIN_WINDOW_ROWS} are "
                f"needed in each of three windows; choose other windows with --test-days, or bring a longer history; "
                f"{MEANWHILE}"
            )
        if not 0 < data.y[rows].mean() < 1:
            outcome = "approved" if data.y[rows].all() else "declined"
            raise InputError(
                f"every retry in the {name} window was {outcome}, so there is nothing to tell apart; {MEANWHILE}"
            )


def _fit(data: Dataset, rows: Flags, config: TrainingConfig, trees: int | None, tell: Progress, step: str) -> Bag:
    return fit_bag(
        data.matrix[rows],
        data.y[rows],
        data.fold[rows],
        column_shapes(),
        config.trees,
        trees=trees,
        progress=lambda done, total: tell(step, done, total),
    )


def _shrink(bag: Bag, data: Dataset, split: Split, config: TrainingConfig) -> Shrinkage:
    """The prior's strength, from rows later than those fitted, each by boosters that never saw its customer."""
    fitted = int(split.train.sum())
    if fitted >= SMALL_ROWS:
        return choose_strength(np.empty(0), np.empty(0), np.empty(0), fitted)
    rows = split.calibrate
    logits = out_of_fold(bag, data.matrix[rows], data.fold[rows], config.trees.threads)
    return choose_strength(data.y[rows], logits, data.prior[rows], fitted)


def _raw(bag: Bag, blend: Blend, data: Dataset, rows: Flags, config: TrainingConfig) -> Floats:
    """Uncalibrated probability of each row, blended with the prior, by boosters that never saw its customer."""
    logits = out_of_fold(bag, data.matrix[rows], data.fold[rows], config.trees.threads)
    return probability(blend.apply(logits, data.prior[rows]))


def _calibrate(
    bag: Bag, shrinkage: Shrinkage, data: Dataset, split: Split, config: TrainingConfig
) -> tuple[Calibration, Uncertainty]:
    rows = split.calibrate
    y, fold, category = data.y[rows], data.fold[rows], data.category[rows]
    raw = _raw(bag, Blend(int(split.train.sum()), shrinkage.strength), data, rows, config)
    draws = Resamples.draw(data.customer[rows], config.resamples, config.seed)
    calibration = choose_calibration(y, raw, fold, category, draws, config.trees.boosters)
    return calibration, uncertainty(y, calibration.apply_out_of_fold(raw, fold, category), draws, config.trees)


def _judged(
    bag: Bag, blend: Blend, calibration: Calibration, data: Dataset, split: Split, config: TrainingConfig
) -> Judged:
    rows = split.test
    raw = _raw(bag, blend, data, rows, config)
    p: dict[str, Floats] = {MODEL: calibration.apply_out_of_fold(raw, data.fold[rows], data.category[rows])}
    p[PRIOR] = probability(data.prior[rows])
    for name, baseline in BASELINES.items():
        folds = range(config.trees.boosters)
        p[name] = score_baseline(baseline, data.lesson, data.fold, split.before_test, rows, folds)
    groups = {name: Group(group.codes[rows], group.words) for name, group in data.groups.items()}
    return Judged(data.y[rows], data.customer[rows], p, groups, data.hour[rows], data.weekday[rows])


def _facts(
    config: TrainingConfig,
    history: History,
    data: Dataset,
    split: Split,
    bag: Bag,
    blend: Blend,
    calibration: Calibration,
    doubt: Uncertainty,
) -> dict[str, object]:
    """What `model.json` says; nothing of the clock or the machine."""
    return {
        "label": "approved",
        "population": "all attempts" if config.first_attempts else "retries",
        "history": {"digest": history.digest, "attempts": data.read},
        "windows": windows(data, split),
        "rows": {
            "train": int(split.train.sum()),
            "calibrate": int(split.calibrate.sum()),
            "test": int(split.test.sum()),
            "fitted": int(split.before_test.sum()),
            "embargoed": split.embargoed,
            "left_out": dict(data.left_out),
        },
        "maturity_days": {str(rail): days for rail, days in sorted(config.maturity_days.items())},
        "seen": {name: _seen(group) for name, group in data.groups.items() if name != "month"},
        "horizon_days": _horizon_days(data),
        "trees": bag.trees,
        "boosters": len(bag.texts),
        "pooling": "mean of logits",
        "blend": blend.to_json(),
        "calibration": calibration.kind,
        "uncertainty": doubt.to_json(),
        "seed": config.seed,
    }


def _reference(
    bag: Bag,
    blend: Blend,
    calibration: Calibration,
    data: Dataset,
    split: Split,
    config: TrainingConfig,
    evaluation: Evaluation,
) -> dict[str, object]:
    """Columns and deployed scores of the test window, for `recoup monitor` to compare with."""
    rows, shapes = split.test, column_shapes()
    matrix = data.matrix[rows]
    logits = raw_logits(boosters_of(bag.texts), matrix, config.trees.threads).mean(axis=1)
    scores = calibrated(calibration.calibrator, probability(blend.apply(logits, data.prior[rows])), data.category[rows])
    loss = evaluation.model["log_loss"]
    return {
        "rows": int(rows.sum()),
        "log_loss": {"value": loss.value, "low": loss.low, "high": loss.high},
        "columns": references(matrix, [shape.name for shape in shapes], [shape.is_category for shape in shapes]),
        "score": distribution_of(scores).to_json(),
    }


def windows(data: Dataset, split: Split) -> dict[str, str]:
    """When each window begins, and the last ends."""
    return {
        "train_from": from_micros(int(data.decided_at.min())).isoformat(),
        "calibrate_from": from_micros(split.calibrate_from).isoformat(),
        "test_from": from_micros(split.test_from).isoformat(),
        "test_to": from_micros(int(data.decided_at.max())).isoformat(),
    }


def _seen(group: Group) -> Mapping[str, int]:
    """Rows of each word that occurs, so that a segment never seen can be told."""
    codes, rows = np.unique(group.codes[group.codes >= 0], return_counts=True)
    return {group.words[code]: int(count) for code, count in zip(codes, rows, strict=True)}


def _horizon_days(data: Dataset) -> float:
    """Days from decision to attempt within which 99 % of the rows lie: how far ahead the model has seen."""
    return round(float(np.quantile((data.at - data.decided_at) / 86_400e6, 0.99)), 3)

"""What a training run says about itself: the sentences for people and the figures for machines."""

from collections.abc import Mapping

from experiments.resamples import Estimate
from model.artifact import finite_or_none
from training.card import NAMES, interval, table
from training.evaluate import MODEL, Evaluation, Slice
from training.pipeline import TrainingResult, windows


def run_name(result: TrainingResult) -> str:
    """`history-name · 4f2a… · passed`: what a list of runs should show."""
    gate = "passed" if result.verdict.passed else "refused"
    return f"{result.history.path.stem} · {result.version} · {gate}"


def run_description(result: TrainingResult) -> str:
    """The first thing to read in the tracking UI (Markdown)."""
    rows = [
        [NAMES.get(scorer, scorer), *(interval(figures.get(name)) for name in ("log_loss", "auc", "ece", "slope"))]
        for scorer, figures in result.evaluation.figures.items()
    ]
    checks = [f"- {'✔' if check.passed else '✘'} {check.sentence}" for check in result.verdict.checks]
    population = "all attempts" if result.config.first_attempts else "retries"
    what = (
        f"**P(approved) of {population}** learnt from `{result.history.path.name}` "
        f"({result.dataset.read:,} attempts, {len(result.dataset):,} rows), judged on the last "
        f"{result.evaluation.rows:,} rows. Model version `{result.version}`."
    )
    more = (
        "More under Artifacts: `MODEL_CARD.md`, `evaluation.json`, `plots/`. The learning curve is the metric "
        "`unseen/log_loss` by step (trees)."
    )
    scores = table(["scorer", "log loss", "AUC", "calibration error", "slope"], rows)
    gate = f"Gate: **{'passed' if result.verdict.passed else 'refused'}**"
    return "\n\n".join((what, scores, gate, "\n".join(checks), more))


def parameters(result: TrainingResult) -> dict[str, str]:
    """What was chosen before or during the run, as MLflow parameters."""
    config, trees = result.config, result.config.trees
    given: dict[str, object] = {
        "history": config.history.name,
        "population": "all attempts" if config.first_attempts else "retries",
        "test_days": config.test_days or "automatic",
        "calibrate_days": config.calibrate_days or "automatic",
        **windows(result.dataset, result.split),
        "maturity_days": ", ".join(f"{rail} {days}" for rail, days in sorted(config.maturity_days.items())) or "none",
        "boosters": trees.boosters,
        "trees": result.bag.trees,
        "max_trees": trees.max_trees,
        "patience": trees.patience,
        "leaves": trees.leaves_for(int(result.split.train.sum())),
        "learning_rate": trees.learning_rate,
        "min_rows_in_leaf": trees.min_rows_in_leaf,
        "l2": trees.l2,
        "column_share": trees.column_share,
        "cat_smooth": trees.cat_smooth,
        "prior_strength": result.shrinkage.strength,
        "calibration": result.calibration.kind,
        "columns": len(result.artifact.columns),
        "resamples": config.resamples,
        "seed": config.seed,
    }
    return {name: str(value) for name, value in given.items()}


def metrics(result: TrainingResult) -> dict[str, float]:
    """Every figure by name: `test/auc`, `test/auc_low`, `baseline/constant/log_loss`, `gain/constant/log_loss` …"""
    evaluation = result.evaluation
    figures: dict[str, float] = {}
    for scorer, answers in evaluation.figures.items():
        prefix = "test" if scorer == MODEL else f"baseline/{scorer}"
        for name, answer in answers.items():
            figures |= _three(f"{prefix}/{name}", answer) if scorer == MODEL else {f"{prefix}/{name}": answer.value}
    for baseline, gains in evaluation.gains.items():
        for name, gain in gains.items():
            figures |= _three(f"gain/{baseline}/{name}", gain)
    split, data = result.split, result.dataset
    figures |= {
        "rows/read": data.read,
        "rows/used": len(data),
        "rows/train": float(split.train.sum()),
        "rows/calibrate": float(split.calibrate.sum()),
        "rows/test": float(split.test.sum()),
        "rows/embargoed": split.embargoed,
        "gate/passed": float(result.verdict.passed),
    }
    return {name: float(value) for name, value in figures.items() if finite_or_none(float(value)) is not None}


def evaluation_json(evaluation: Evaluation) -> dict[str, object]:
    """The whole evaluation as JSON values, slices included."""
    return {
        "rows": evaluation.rows,
        "customers": evaluation.customers,
        "approved": evaluation.approved,
        "figures": {scorer: _answers(figures) for scorer, figures in evaluation.figures.items()},
        "gains": {baseline: _answers(gains) for baseline, gains in evaluation.gains.items()},
        "slices": [_slice(one) for one in evaluation.slices],
    }


def _three(name: str, answer: Estimate) -> dict[str, float]:
    return {name: answer.value, f"{name}_low": answer.low, f"{name}_high": answer.high}


def _answers(figures: Mapping[str, Estimate]) -> dict[str, dict[str, float | None]]:
    return {name: _estimate(answer) for name, answer in figures.items()}


def _estimate(answer: Estimate) -> dict[str, float | None]:
    return {
        "value": finite_or_none(answer.value),
        "low": finite_or_none(answer.low),
        "high": finite_or_none(answer.high),
    }


def _slice(one: Slice) -> dict[str, object]:
    return {
        "by": one.group,
        "word": one.word,
        "rows": one.rows,
        "observed": one.observed,
        "predicted": one.predicted,
        "figures": _answers(one.figures),
    }

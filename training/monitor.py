"""Watches a model on live outcomes: have columns or scores moved, and do probabilities still mean what they say?

Only outcomes that are final count, as in training. The model answers exactly as the service does, with the approval
rates it was given when it was trained; columns are compared with rates as known at each decision, as training had them,
or every model would seem to drift from its first day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Estimate, Floats, Resamples, mean_interval
from features.encoders import from_json as encoders_of
from features.encoders import learn
from features.errors import InputError
from features.instants import MICROS_PER_DAY, from_micros, to_micros
from features.rows import Rows
from model.artifact import Artifact
from model.boosted import BoostedScorer
from training.config import TrainingConfig
from training.dataset import labelled_rows
from training.load import load_history
from training.metrics import BY_NAME, estimate, losses
from training.reference import SHIFTED, Drift, drift_of, from_json

Int64s = NDArray[np.int64]

MIN_ROWS = 100
SLOPE = (0.9, 1.1)
MAX_GAP = 0.02
_WEEK = 7 * MICROS_PER_DAY
_WEEKS_IN_A_ROW = 2
_MIN_WEEK_ROWS = 30
_FIGURES = ("log_loss", "ece", "slope", "auc")


@dataclass(frozen=True, slots=True)
class Week:
    """Figures of one week of decisions.

    Args:
        start: ISO date of its Monday, UTC.
        gap: Share approved less the mean probability.
    """

    start: str
    rows: int
    approved: float
    predicted: float
    log_loss: Estimate
    gap: Estimate


@dataclass(frozen=True, slots=True)
class Watched:
    """What a look at live outcomes found.

    Args:
        since, until: Decisions between these instants were looked at, ISO.
        left_out: Attempts that were no rows, by reason, of the whole history.
        reference: Log loss on the model's own test window.
        columns: Every column, the most moved first.
        figures: Over all rows, by metric.
        alarms: Sentences; empty if all is well.
    """

    model_version: str
    since: str
    until: str
    rows: int
    left_out: Mapping[str, int]
    reference: Estimate
    columns: tuple[Drift, ...]
    score: Drift | None
    figures: Mapping[str, Estimate]
    gap: Estimate | None
    weeks: tuple[Week, ...]
    alarms: tuple[str, ...]


def watch(artifact: Artifact, config: TrainingConfig, since: int | None = None) -> Watched:
    """Look at the retries decided since an instant (microseconds), by default since the model's test window.

    Raises:
        InputError: The history cannot be read, holds no retry since then, or the model states no reference.
    """
    reference, rows_then, loss_then = _reference(artifact)
    start = _test_end(artifact) if since is None else since
    history = load_history(config.history)
    population = replace(config, first_attempts=artifact.facts.get("population") == "all attempts")
    data = labelled_rows(history, population, learn(history.table, encoders_of(artifact.encoders)))
    live = data.decided_at > start
    if not live.any():
        raise InputError(
            f"{config.history}: holds no retry with a final outcome decided after {from_micros(start).isoformat()}; "
            "the history must go on after the model's own"
        )
    y, rows = data.y[live], Rows(history.table, data.index[live], data.decided_at[live])
    p = BoostedScorer(artifact).score_rows(rows).probability
    names = [str(column["name"]) for column in artifact.columns]
    drifts = [
        drift_of(name, from_json(reference["columns"].get(name), name), rows_then, data.matrix[live, i])
        for i, name in enumerate(names)
    ]
    draws = Resamples.draw(data.customer[live], config.resamples, config.seed)
    found = Watched(
        model_version=artifact.version,
        since=from_micros(int(data.decided_at[live].min())).isoformat(),
        until=from_micros(int(data.decided_at[live].max())).isoformat(),
        rows=len(y),
        left_out=data.left_out,
        reference=loss_then,
        columns=tuple(sorted(drifts, key=lambda drift: -drift.index)),
        score=drift_of("score", from_json(reference["score"], "score"), rows_then, p),
        figures=_figures(y, p, draws),
        gap=_gap(y, p, draws),
        weeks=_weeks(data.decided_at[live], y, p, draws),
        alarms=(),
    )
    return replace(found, alarms=alarms(found))


def alarms(found: Watched) -> tuple[str, ...]:
    """One sentence for each threshold that is passed beyond noise."""
    if found.rows < MIN_ROWS:
        return ()
    moved = [drift for drift in (*found.columns, found.score) if drift is not None and drift.is_shift]
    sentences = [
        f"{drift.name} has moved: its population stability index is {drift.index:.2f}; {SHIFTED} is a shift (Siddiqi "
        f"2006), and without one it would hardly exceed {drift.noise:.3f}"
        for drift in moved
    ]
    return (*sentences, *_calibration_alarms(found), *_loss_alarms(found))


def _calibration_alarms(found: Watched) -> list[str]:
    sentences, slope, gap = [], found.figures.get("slope"), found.gap
    if slope is not None and (slope.high < SLOPE[0] or slope.low > SLOPE[1]):
        sentences.append(
            f"the calibration slope is {slope.value:.2f} ({slope.low:.2f} to {slope.high:.2f}), beyond {SLOPE[0]} to "
            f"{SLOPE[1]}, which promotion asks for"
        )
    if gap is not None and (gap.low > MAX_GAP or gap.high < -MAX_GAP):
        sentences.append(
            f"{abs(gap.value):.1%} {'more' if gap.value > 0 else 'fewer'} retries are approved than the model says "
            f"(95 % interval of the difference {gap.low:+.1%} to {gap.high:+.1%}); {MAX_GAP:.0%} is borne, the "
            "calibration error that a good model is asked to keep"
        )
    return sentences


def _loss_alarms(found: Watched) -> list[str]:
    weeks = [week for week in found.weeks if week.rows >= _MIN_WEEK_ROWS][-_WEEKS_IN_A_ROW:]
    worse = [week for week in weeks if week.log_loss.low > found.reference.high]
    if len(worse) < _WEEKS_IN_A_ROW:
        return []
    told = " and ".join(f"{week.log_loss.value:.3f} in the week of {week.start}" for week in worse)
    sentence = (
        f"log loss is {told}, in each beyond doubt above {found.reference.high:.3f}, the upper end of its interval on "
        "the model's own test window"
    )
    return [sentence]


def _reference(artifact: Artifact) -> tuple[Mapping[str, Mapping[str, object]], int, Estimate]:
    stated = artifact.facts.get("reference")
    if not isinstance(stated, Mapping):
        raise InputError("model.json: holds no reference to watch drift against; train the model again")
    try:
        loss = stated["log_loss"]
        return stated, int(stated["rows"]), Estimate(float(loss["value"]), float(loss["low"]), float(loss["high"]))
    except (KeyError, TypeError, ValueError):
        raise InputError("model.json: reference must hold rows, log_loss, columns and score") from None


def _test_end(artifact: Artifact) -> int:
    windows = artifact.facts.get("windows")
    try:
        return to_micros(datetime.fromisoformat(str(windows["test_to"]))) if isinstance(windows, Mapping) else 0
    except (KeyError, ValueError):
        raise InputError("model.json: windows.test_to must be an instant") from None


def _figures(y: Floats, p: Floats, draws: Resamples) -> dict[str, Estimate]:
    found = {name: estimate(BY_NAME[name], y, p, draws) for name in _FIGURES}
    return {name: figure for name, figure in found.items() if figure is not None}


def _gap(y: Floats, p: Floats, draws: Resamples) -> Estimate:
    return mean_interval(y - p, draws)


def _weeks(decided_at: Int64s, y: Floats, p: Floats, draws: Resamples) -> tuple[Week, ...]:
    # 1970-01-01 was a Thursday: three days later began the first Monday.
    week = (decided_at + 3 * MICROS_PER_DAY) // _WEEK
    found = []
    for number in np.unique(week):
        rows = week == number
        own = draws.take(rows)
        start = from_micros(int(number * _WEEK - 3 * MICROS_PER_DAY)).date().isoformat()
        told = Week(
            start,
            int(rows.sum()),
            float(y[rows].mean()),
            float(p[rows].mean()),
            mean_interval(losses(y[rows], p[rows]), own),
            _gap(y[rows], p[rows], own),
        )
        found.append(told)
    return tuple(found)

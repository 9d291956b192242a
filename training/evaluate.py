"""Judges scores on the test window: every figure with an interval, beside every baseline, whole and by slice."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Estimate, Floats, Resamples, percentile_interval
from training.dataset import Group
from training.metrics import BY_NAME, METRICS, Measured, estimate, interval_of, measure

Int64s = NDArray[np.int64]

MODEL = "model"
PRIOR = "shipped_prior"
COMPARED = ("log_loss", "brier", "auc")
_SLICE_METRICS = ("log_loss", "ece", "auc", "slope")
_SLICE_RESAMPLES = 200
MIN_SLICE_ROWS = 100
MIN_SLICE_OUTCOMES = 10  # of each kind, below which ranking and slope say nothing


@dataclass(frozen=True, slots=True)
class Judged:
    """Test rows with what every scorer said of them before seeing their customers; shapes (n,).

    Args:
        p: Probability of approval by scorer; `model` and the baselines.
        hour, weekday: Issuer-local, as in `Dataset`.
    """

    y: Floats
    customer: Int64s
    p: Mapping[str, Floats]
    groups: Mapping[str, Group]
    hour: Floats
    weekday: Int64s


@dataclass(frozen=True, slots=True)
class Slice:
    """Figures of the model on some of the test rows."""

    group: str
    word: str
    rows: int
    observed: float
    predicted: float
    figures: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a model is.

    Args:
        approved: Share of test rows that were approved.
        figures: By scorer, then metric; a metric without an answer is absent.
        gains: By baseline, then metric: how much better the model is, positive is better, paired by customer.
        slices: The model alone, for every slice of at least 100 rows.
    """

    rows: int
    customers: int
    approved: float
    figures: Mapping[str, Mapping[str, Estimate]]
    gains: Mapping[str, Mapping[str, Estimate]]
    slices: tuple[Slice, ...]

    @property
    def model(self) -> Mapping[str, Estimate]:
        """The model's own figures."""
        return self.figures[MODEL]


def evaluate(judged: Judged, resamples: int, seed: int) -> Evaluation:
    """Judge all scorers on the same resamples of customers, so that differences are paired.

    Args:
        resamples: How many draws.
        seed: Of the draws.
    """
    draws = Resamples.draw(judged.customer, resamples, seed)
    measured = {name: _measured(judged.y, p, draws) for name, p in judged.p.items()}
    model = measured[MODEL]
    return Evaluation(
        rows=len(judged.y),
        customers=draws.counts.shape[1],
        approved=float(judged.y.mean()),
        figures={scorer: _figures(answers) for scorer, answers in measured.items()},
        gains={scorer: _gains(model, answers) for scorer, answers in measured.items() if scorer != MODEL},
        slices=_slices(judged, Resamples(draws.cluster, draws.counts[:_SLICE_RESAMPLES])),
    )


def _measured(y: Floats, p: Floats, draws: Resamples) -> dict[str, Measured]:
    answers = {metric.name: measure(metric, y, p, draws) for metric in METRICS}
    return {name: answer for name, answer in answers.items() if answer is not None}


def _figures(answers: Mapping[str, Measured]) -> dict[str, Estimate]:
    return {name: interval_of(BY_NAME[name], answer) for name, answer in answers.items()}


def _gains(model: Mapping[str, Measured], other: Mapping[str, Measured]) -> dict[str, Estimate]:
    gains = {}
    for name in COMPARED:
        if name in model and name in other:
            sign = 1.0 if BY_NAME[name].better == "higher" else -1.0
            value = sign * (model[name].value - other[name].value)
            gains[name] = percentile_interval(value, sign * (model[name].resampled - other[name].resampled))
    return gains


def _slices(judged: Judged, draws: Resamples) -> tuple[Slice, ...]:
    found = []
    for name, group in judged.groups.items():
        for code in np.unique(group.codes[group.codes >= 0]):
            rows = group.codes == code
            if rows.sum() >= MIN_SLICE_ROWS:
                found.append(_slice(judged, name, group.words[code], rows, draws))
    return tuple(found)


def _slice(judged: Judged, group: str, word: str, rows: NDArray[np.bool_], draws: Resamples) -> Slice:
    y, p, own = judged.y[rows], judged.p[MODEL][rows], draws.take(rows)
    enough = min(y.sum(), len(y) - y.sum()) >= MIN_SLICE_OUTCOMES
    metrics = [BY_NAME[name] for name in _SLICE_METRICS if enough or not BY_NAME[name].needs_both]
    answers = {metric.name: estimate(metric, y, p, own) for metric in metrics}
    figures = {name: answer for name, answer in answers.items() if answer is not None}
    return Slice(group, word, len(y), float(y.mean()), float(p.mean()), figures)

"""Arms whose weights follow outcomes: whether both intervals hold all the same, what pooling does, and what is saved.

Customers fail over weeks, their outcomes are known three weeks later, and before each week the arms get the weights
that the matured weeks make (`experiments.thompson`, floor 0.1). From week to week everybody is a little more willing,
as after a season: arms that are given more of the later weeks look better for it. Many are run side by side.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.customers import draw
from benchmarks.experiments.lines import Line, share
from experiments.analysis.difference import contrast, outcome_variance
from experiments.analysis.epochs import combined
from experiments.analysis.intervals import Tuning, always_valid_multiplier, fixed_multiplier
from experiments.analysis.moments import COLUMNS, Moments
from experiments.metrics.cohort import Flags, Floats
from experiments.thompson import chances_best

WEEKS, LAG, FLOOR = 12, 3, 0.1
LIFT, DRIFT = 0.05, 0.08
_ALPHA = 0.05
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Followed:
    """What so many experiments came to.

    Args:
        excluded: By how the arms were put together, how many intervals for one look left out the truth at the end.
        ever: How many always-valid intervals left it out after any week.
        treated: Mean share of the units in the treatment.
        error: Its standard error over the experiments.
        bias: By how the arms were put together, the mean of estimate less truth.
    """

    experiments: int
    lift: float
    excluded: dict[str, int]
    ever: int
    treated: float
    error: float
    bias: dict[str, float]


def followed(seed: int, experiments: int, lift: float, units_a_week: int = 600) -> Followed:
    """Run experiments of so many units a week whose treatment is better by `lift`."""
    rng = np.random.default_rng(seed)
    parts = [
        _some(rng, min(_AT_ONCE, experiments - start), lift, units_a_week) for start in range(0, experiments, _AT_ONCE)
    ]
    missed, off, ever, treated = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Followed(
        experiments,
        lift,
        dict(zip(_WAYS, missed.sum(axis=0).tolist(), strict=True)),
        int(ever.sum()),
        float(treated.mean()),
        float(treated.std(ddof=1) / experiments**0.5),
        dict(zip(_WAYS, off.mean(axis=0).tolist(), strict=True)),
    )


def lines(none: Followed, planted: Followed) -> list[Line]:
    """The lines of the table."""
    n, of = none.experiments, f"{none.experiments:,} A/A bandits, {WEEKS} weeks of 600 units, floor {FLOOR}"
    m, with_lift = planted.experiments, f"{planted.experiments:,} bandits with a lift of {planted.lift}"
    saved, half = 2 * planted.treated - 1, 2 * 1.96 * planted.error
    best = 1 - 2 * FLOOR
    return [
        share("bandit: by epochs, the fixed interval leaves out zero: 4 to 6 %",
            none.excluded["epochs"], n, of, 0.04, 0.06),
        share("bandit: by epochs, the always-valid one does after any week: at most 5 %", none.ever, n, of, 0, 0.05),
        share("(why: arms pooled over all weeks leave it out, above 8 %)", none.excluded["pooled"], n, of, 0.08, 1),
        share("bandit: by epochs, 95 % intervals cover a planted lift: 94 to 96 %",
            m - planted.excluded["epochs"], m, with_lift, 0.94, 0.96),
        share("(why: pooled they cover it, below 90 %)", m - planted.excluded["pooled"], m, with_lift, 0, 0.90),
        Line(
            "bandit: what halves would have lost by the worse arm is saved, at least a third",
            f"{saved:.1%} ({saved - half:.1%} to {saved + half:.1%}); {best:.0%} is the most that the floor leaves. "
            f"Mean error of the lift {planted.bias['epochs']:+.4f} by epochs, {planted.bias['pooled']:+.4f} pooled",
            with_lift,
            1 / 3 <= saved <= best,
        ),
    ]  # fmt: skip


_WAYS = ("epochs", "pooled")
Part = tuple[Flags, Floats, Flags, Floats]


def _some(rng: np.random.Generator, experiments: int, lift: float, units: int) -> Part:
    """(missed and off by way, missed by the always-valid interval after any week, share treated), a row each."""
    treated = np.full((WEEKS, experiments), 0.5)
    epochs: list[list[Moments]] = []
    ever = np.zeros(experiments, dtype=np.bool_)
    for week in range(WEEKS):
        if week > LAG:
            treated[week] = _weights(combined(epochs[: week - LAG]))
        arm = rng.random((experiments, units)) < treated[week][:, None]
        columns = draw(rng, (experiments, units), DRIFT * week / WEEKS + lift * arm).columns
        columns[..., 2:] = (0.0, 1.0)
        epochs.append([_moments(columns, ~arm), _moments(columns, arm)])
        found = contrast(*combined(epochs))
        reach = always_valid_multiplier(found.units, Tuning(units * WEEKS, _ALPHA), _ALPHA)
        ever |= np.abs(found.difference - lift) > reach * found.standard_error
    ways = [contrast(*combined(epochs)), contrast(*_pooled(epochs))]
    reach_once = fixed_multiplier(_ALPHA)
    off = np.stack([one.difference - lift for one in ways], axis=1)
    missed = np.stack([np.abs(one.difference - lift) > reach_once * one.standard_error for one in ways], axis=1)
    return missed, off, ever, treated.mean(axis=0)


def _weights(arms: Sequence[Moments]) -> Floats:
    """The treatment's next weight in every experiment."""
    values = np.stack([arm.mean[:, 0] / arm.mean[:, 1] for arm in arms], axis=-1)
    errors = np.stack([np.sqrt(outcome_variance(arm)[0] / arm.units) for arm in arms], axis=-1)
    weights: Floats = FLOOR + (1 - 2 * FLOOR) * chances_best(values, errors)[:, 1]
    return weights


def _moments(columns: Floats, chosen: Flags) -> Moments:
    """Of the chosen units of every experiment; shapes (experiments, units, 4) and (experiments, units)."""
    weight = chosen[..., None].astype(np.float64)
    units = weight.sum(axis=(1, 2))
    mean = (columns * weight).sum(axis=1) / units[:, None]
    centred = (columns - mean[:, None, :]) * weight
    return Moments(units, mean, np.swapaxes(centred, -1, -2) @ centred / (units - 1)[:, None, None])


def _pooled(epochs: Sequence[Sequence[Moments]]) -> list[Moments]:
    """Each arm as if its weights had never changed: what must not be done."""
    found = []
    for arm in range(2):
        parts = [epoch[arm] for epoch in epochs]
        units = np.sum([one.units for one in parts], axis=0)
        mean = np.sum([one.units[:, None] * one.mean for one in parts], axis=0) / units[:, None]
        scatter = np.zeros((len(units), COLUMNS, COLUMNS))
        for one in parts:
            apart = one.mean - mean
            scatter += (one.units - 1)[:, None, None] * one.covariance
            scatter += one.units[:, None, None] * apart[:, :, None] * apart[:, None, :]
        found.append(Moments(units, mean, scatter / (units - 1)[:, None, None]))
    return found

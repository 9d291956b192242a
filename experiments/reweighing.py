"""New weights for a running bandit, from matured outcomes alone, or why there are none today.

The primary metric of every arm is that of its mature units, put together from the epochs so far as the report does
(`analysis.epochs`), so that a quick arm is not favoured for its quickness, nor one for the weeks that it was given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from experiments.analysis.analysis import AnalysisPlan, in_epochs, metric, phases
from experiments.analysis.difference import outcome_variance
from experiments.analysis.epochs import FEWEST_IN_EPOCH, Arm, arms_by_look
from experiments.analysis.intervals import FEWEST
from experiments.analysis.split import check_split
from experiments.analysis_plans import analysis_plan, planned_units, window_of
from experiments.definition import Definition, Status
from experiments.metrics.cohort import Cohort, Event
from experiments.metrics.unit_rows import unit_rows
from experiments.payers import unmeasured
from experiments.thompson import chances_best, matched_weights
from experiments.weights import current_weights, weighted_since
from features.errors import InvalidValueError
from features.instants import to_micros


@dataclass(frozen=True, slots=True)
class WeighedArm:
    """One variant.

    Args:
        mature: Units whose outcomes its value is of.
        value, error: The primary metric, with its standard error.
        best: The probability that it is the best of all.
        before, after: Its weight.
    """

    variant: str
    mature: int
    value: float
    error: float
    best: float
    before: float
    after: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the weights stay as they are, as a sentence."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Reweighing:
    """New weights, by variant in the order of their names."""

    metric: str
    arms: tuple[WeighedArm, ...]

    @property
    def weights(self) -> dict[str, float]:
        """By variant, what is in force once it is written."""
        return {arm.variant: arm.after for arm in self.arms}


def reweighing(definition: Definition, cohort: Cohort, as_of: datetime) -> Reweighing | Refusal:
    """The next weights by what is known at an instant.

    Raises:
        InvalidValueError: The definition is no bandit, was not started, or its primary metric is not measured.
    """
    bandit, since = definition.bandit, weighted_since(definition)
    if bandit is None:
        raise InvalidValueError(
            "bandit", "nothing", "a table such as { floor = 0.1, every_days = 7 }, from the start on"
        )
    if since is None or definition.status is not Status.RUNNING:
        raise InvalidValueError("status", definition.status.value, "running, for an experiment to be reweighted")
    at = np.datetime64(to_micros(as_of), "us")
    told = {Event(kind) for kind in np.unique(cohort.events.kind[cohort.events.at <= at]).tolist()}
    silent = unmeasured(told, limits_known=bool((cohort.payments.attempts_allowed > 0).all()))
    plan = analysis_plan(definition, planned_units(definition, cohort, at), silent)
    early = _too_early(since, bandit.every_days, as_of) or _unsound(cohort, plan, at)
    if early is not None:
        return early
    names = sorted(definition.variants)
    rows = in_epochs(unit_rows(metric(plan.primary), cohort, window_of(definition), at), cohort.units, plan.weights)
    arms = arms_by_look(rows, names, np.zeros(len(rows), dtype=np.int64), 1)
    few = _too_few(names, [int(arm.counts[0]) for arm in arms], FEWEST, "mature units")
    return few or _weighed(definition, plan, names, arms)


def _weighed(
    definition: Definition, plan: AnalysisPlan, names: Sequence[str], arms: Sequence[Arm]
) -> Reweighing | Refusal:
    values = np.array([arm.moments.mean[0, 0] / arm.moments.mean[0, 1] for arm in arms])
    errors = np.array([float(np.sqrt(outcome_variance(arm.moments)[0][0] / arm.moments.units[0])) for arm in arms])
    for name, error in zip(names, errors.tolist(), strict=True):
        if not error > 0:
            return Refusal(
                f"All mature units of {name} have the same {plan.primary}; its uncertainty cannot be told yet."
            )
    bandit = definition.bandit
    chances = chances_best(metric(plan.primary).direction.sign * values, errors)
    best = dict(zip(names, chances.tolist(), strict=True))
    before, after = current_weights(definition), matched_weights(best, bandit.floor if bandit else 0.0)
    found = (
        WeighedArm(name, int(arm.counts[0]), value, error, best[name], before[name], after[name])
        for name, arm, value, error in zip(names, arms, values.tolist(), errors.tolist(), strict=True)
    )
    return Reweighing(plan.primary, tuple(found))


def _too_early(since: datetime, every_days: int, as_of: datetime) -> Refusal | None:
    due = since + timedelta(days=every_days)
    if as_of >= due:
        return None
    return Refusal(
        f"The weights are those of {since:%Y-%m-%d %H:%M} UTC; with every_days = {every_days} the next are due on "
        f"{due:%Y-%m-%d %H:%M} UTC."
    )


def _unsound(cohort: Cohort, plan: AnalysisPlan, at: np.datetime64) -> Refusal | None:
    """A split that is not the planned one, or a stretch too short to be compared by itself later."""
    counted = phases(cohort.units, plan.weights, at)
    split = check_split(counted)
    if not split.healthy:
        return Refusal(
            f"The split is not what was planned (always-valid p {split.anytime_p:.2g}); no outcome is looked at."
        )
    last = [phase for phase, one in zip(counted, plan.weights, strict=True) if one.epoch == plan.weights[-1].epoch]
    names = [name for name in plan.variants if name != plan.hold_out]
    units = [sum(phase.counts.get(name, 0) for phase in last) for name in names]
    return _too_few(
        names, units, FEWEST_IN_EPOCH, "units by the present weights, which are compared by themselves later"
    )


def _too_few(names: Sequence[str], units: Sequence[int], least: int, of: str) -> Refusal | None:
    fewest, name = min(zip(units, names, strict=True))
    if fewest >= least:
        return None
    return Refusal(f"{name} has {fewest:,} {of}; at least {least:,} of every variant are needed.")

"""Guard-rails of a policy worse by exactly its margins, the hardest case: neither breached nor held is right."""

from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.facts import START, VARIANTS
from benchmarks.experiments.false_alarms import DAYS
from benchmarks.experiments.lines import Line, share
from experiments.analysis.guard_rails import GuardRail, State, Watched, judge
from experiments.analysis.intervals import Tuning
from experiments.analysis.timeline import timeline
from experiments.metrics.catalogue import METRICS
from experiments.metrics.cohort import Int64s
from experiments.metrics.unit_rows import UnitRows

_ALPHA = 0.05
_DAY = np.timedelta64(1, "D")
# Name, share of the control's units that have it, and the margin in the same unit: one frequent, one rare.
_RAILS = (("involuntary_churn", 0.2, 0.03), ("chargebacks", 0.004, 0.002))


@dataclass(frozen=True, slots=True)
class AtTheMargin:
    """Of so many experiments, how many had a guard-rail called breached at any look, and which were held at the end."""

    experiments: int
    breached: int
    held: tuple[int, ...]


def at_the_margin(seed: int, experiments: int, units_per_day: int = 100) -> AtTheMargin:
    """Run experiments with two guard-rails whose true loss is the margin, looked at daily."""
    rng = np.random.default_rng(seed)
    breached, held = 0, np.zeros(len(_RAILS), dtype=np.int64)
    day = np.repeat(np.arange(DAYS), units_per_day)
    looks, tuning = START + np.arange(DAYS) * _DAY, Tuning(len(day), _ALPHA)
    for _ in range(experiments):
        variant = (rng.random(len(day)) < 0.5).astype(np.int64)
        seen = [
            timeline(_rows(rng, rail, variant, day), VARIANTS[1], VARIANTS[0], looks, tuning, _ALPHA) for rail in _RAILS
        ]
        states = []
        for effects in zip(*seen, strict=True):
            watched = [
                Watched(GuardRail(name, margin), METRICS[name].direction, effect, effect)
                for (name, _, margin), effect in zip(_RAILS, effects, strict=True)
            ]
            states.append([one.state for one in judge(watched, tuning, _ALPHA, sequential=False)])
        breached += any(State.BREACHED in at for at in states)
        held += [state is State.HELD for state in states[-1]]
    return AtTheMargin(experiments, breached, tuple(int(count) for count in held))


def lines(found: AtTheMargin) -> list[Line]:
    """The lines of the table."""
    n, of = found.experiments, f"{found.experiments:,} experiments worse by exactly their margins, {DAYS} looks each"
    named = zip(_RAILS, found.held, strict=True)
    return [
        share("a guard-rail at its margin is called breached, ever: at most 5 %", found.breached, n, of, 0, 0.05),
        *(
            share(f"it is called held at the planned end: at most 3 % ({name})", held, n, of, 0, 0.03)
            for (name, _, _), held in named
        ),
    ]


def _rows(
    rng: np.random.Generator,
    rail: tuple[str, float, float],
    variant: Int64s,
    day: Int64s,
) -> UnitRows:
    name, usual, margin = rail
    happened = rng.random(len(day)) < usual + margin * variant
    nothing, one = np.zeros(len(day)), np.ones(len(day))
    return UnitRows(
        spec=METRICS[name],
        variants=VARIANTS,
        variant=variant,
        columns=np.stack([happened.astype(np.float64), one, nothing, one], axis=1),
        weight=one,
        matured_at=START + day * _DAY,
        unit=np.arange(len(day)),
    )

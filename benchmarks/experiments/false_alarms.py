"""A/A tests looked at every day: how often the verdict names a winner or a loser where there is none."""

from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.customers import draw
from benchmarks.experiments.lines import Line, share
from experiments.analysis.effect import Effect
from experiments.analysis.intervals import Tuning
from experiments.analysis.split import Phase, SplitCheck, check_split
from experiments.analysis.timeline import timeline
from experiments.analysis.verdict import Evidence, Word, verdict
from experiments.definition import Method
from experiments.metrics.catalogue import METRICS, PRIMARY
from experiments.metrics.cohort import Floats, Int64s
from experiments.metrics.unit_rows import UnitRows

DAYS = 60
_ALPHA = 0.05
_HALVES = {"control": 0.5, "treatment": 0.5}
_NAMED = {Word.WINS, Word.LOSES, Word.READY}
_START = np.datetime64("2026-01-01", "us")
_DAY = np.timedelta64(1, "D")


@dataclass(frozen=True, slots=True)
class Alarms:
    """How many experiments of `experiments` raised one.

    Args:
        sequential: The sequential verdict named a winner or loser at any look.
        fixed_end: The fixed-horizon verdict did at its end.
        fixed_any: Somebody who read the fixed-horizon interval every day would have.
        withheld: The split check withheld the outcomes at any look.
    """

    experiments: int
    sequential: int
    fixed_end: int
    fixed_any: int
    withheld: int


def false_alarms(seed: int, experiments: int, units_per_day: int = 100) -> Alarms:
    """Run A/A tests of so many units a day over 60 days, each looked at daily."""
    rng = np.random.default_rng(seed)
    found = np.array([_one(rng, units_per_day) for _ in range(experiments)], dtype=np.int64)
    sequential, fixed_end, fixed_any, withheld = (int(column.sum()) for column in found.T)
    return Alarms(experiments, sequential, fixed_end, fixed_any, withheld)


def lines(alarms: Alarms) -> list[Line]:
    """The lines of the table."""
    of = f"{alarms.experiments:,} A/A tests, {DAYS} looks each"
    n = alarms.experiments
    return [
        share("the sequential verdict names a winner or loser, ever: at most 5 %", alarms.sequential, n, of, 0, 0.05),
        share("the fixed-horizon verdict does at its end: 4 to 6 %", alarms.fixed_end, n, of, 0.04, 0.06),
        share("the split check withholds a sound experiment, ever: at most 1 %", alarms.withheld, n, of, 0, 0.01),
        share("(why: the fixed interval read every day)", alarms.fixed_any, n, of, 0, 1),
    ]


def _one(rng: np.random.Generator, units_per_day: int) -> tuple[bool, bool, bool, bool]:
    """(sequential, fixed at its end, fixed on any day, withheld) of one A/A test."""
    day = np.repeat(np.arange(DAYS), units_per_day)
    variant = (rng.random(len(day)) < 0.5).astype(np.int64)
    looks = _START + (np.arange(DAYS) + 1) * _DAY
    rows = unit_rows_of(draw(rng, len(day)).columns, variant, day)
    # Half a day's luck in the split decides how many units are planned for; the last day reaches it always.
    planned = len(day)
    effects = timeline(rows, "treatment", "control", looks, Tuning(planned, _ALPHA), _ALPHA)
    splits = [_split(variant[day <= at]) for at in range(DAYS)]
    words = {
        method: [
            verdict(evidence(effect, split, planned, method)).word
            for effect, split in zip(effects, splits, strict=True)
        ]
        for method in Method
    }
    return (
        not _NAMED.isdisjoint(words[Method.SEQUENTIAL]),
        words[Method.FIXED][-1] in _NAMED,
        any(one is not None and one.fixed.low * one.fixed.high > 0 for one in effects),
        Word.UNHEALTHY in words[Method.SEQUENTIAL],
    )


def unit_rows_of(columns: Floats, variant: Int64s, day: Int64s) -> UnitRows:
    """Rows of units that matured on a day."""
    return UnitRows(
        spec=METRICS[PRIMARY],
        variants=("control", "treatment"),
        variant=variant,
        columns=columns,
        weight=np.ones(len(columns)),
        matured_at=_START + day * _DAY,
        unit=np.arange(len(columns)),
    )


def evidence(effect: Effect | None, split: SplitCheck, planned: int, method: Method) -> Evidence:
    """Evidence on the primary metric alone, past any minimum run."""
    return Evidence(
        split=split,
        effect=effect,
        direction=METRICS[PRIMARY].direction,
        guarded=(),
        days_run=DAYS,
        minimum_days=0,
        planned_units=planned,
        method=method,
    )


def _split(variant: Int64s) -> SplitCheck:
    treated = int(variant.sum())
    return check_split([Phase(_HALVES, {"control": len(variant) - treated, "treatment": treated})])

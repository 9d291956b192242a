"""Planted faults of the split: whether they are caught, and whether every outcome is withheld then."""

from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.customers import draw
from benchmarks.experiments.facts import START, cohort, instant
from benchmarks.experiments.lines import Line, share
from experiments.analysis.analysis import AnalysisPlan, PlannedWeights, analyse
from experiments.analysis.split import Phase, check_split
from experiments.analysis.verdict import Word
from experiments.metrics.maturity import Window

_HALVES = {"control": 0.5, "treatment": 0.5}
_DAYS = 60
PLAN = AnalysisPlan(
    control="control",
    weights=(PlannedWeights(START, _HALVES),),
    window=Window(20),
    planned_units=40_000,
    minimum_days=14,
    secondary=("net_value",),
)


@dataclass(frozen=True, slots=True)
class Caught:
    """How many of so many planted faults were caught; `day` is the median day of a daily look at which it was."""

    trials: int
    caught: int
    day: float


def tilted(seed: int, trials: int, units: int = 200_000, treated: float = 0.51) -> Caught:
    """Splits of `treated` where half was planned."""
    rng = np.random.default_rng(seed)
    days = []
    for _ in range(trials):
        counts = np.cumsum(rng.binomial(units // _DAYS, treated, _DAYS)).tolist()
        totals = [units // _DAYS * (day + 1) for day in range(_DAYS)]
        alarms = [
            day
            for day, (count, total) in enumerate(zip(counts, totals, strict=True), start=1)
            if not check_split([Phase(_HALVES, {"control": total - count, "treatment": count})]).healthy
        ]
        days.append(alarms[0] if alarms and alarms[-1] == _DAYS else np.nan)
    return _caught(days)


def lost_exposures(seed: int, trials: int, units: int = 60_000, loss: float = 0.2) -> Caught:
    """Experiments in which so many exposures of the treatment were never logged, of customers who did not pay.

    The loss makes the policy look better than it is. Caught means: unhealthy at the end, and no outcome computed.
    """
    rng = np.random.default_rng(seed)
    days = []
    for _ in range(trials):
        customers = draw(rng, units)
        variant = (rng.random(units) < 0.5).astype(np.int64)
        exposed = np.sort(rng.uniform(0, _DAYS, units))
        logged = ~((variant == 1) & (customers.won == 0) & (rng.random(units) < loss))
        kept = np.flatnonzero(logged)
        part = type(customers)(*(getattr(customers, name)[kept] for name in customers.__slots__))
        facts = cohort(part, variant[kept], exposed[kept], np.full(len(kept), 5.0))
        found = analyse(facts, PLAN, instant(_DAYS + 20))
        (one,) = found.variants
        hidden = one.primary is None and not one.secondary and not one.segments and found.lift is None
        days.append(float(_DAYS) if one.verdict.word is Word.UNHEALTHY and hidden else np.nan)
    return _caught(days)


def lines(split: Caught, exposures: Caught) -> list[Line]:
    """The lines of the table."""
    of = f"{split.trials:,} experiments of 200,000 units, on the median day {split.day:.0f} of {_DAYS}"
    lost = f"{exposures.trials:,} experiments of 60,000 units, 20 % of the treated who paid nothing never logged"
    return [
        share("a planted 49/51 split is caught", split.caught, split.trials, of, 0.999, 1),
        share(
            "exposures lost in one arm are caught, outcomes withheld", exposures.caught, exposures.trials, lost, 0.95, 1
        ),
    ]


def _caught(days: list[float]) -> Caught:
    found = [day for day in days if not np.isnan(day)]
    return Caught(len(days), len(found), float(np.median(found)) if found else float("nan"))

"""Whether experiments of the planned size find the planned effect as often as planned."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.customers import draw
from benchmarks.experiments.lines import Line, share
from experiments.analysis.difference import contrast
from experiments.analysis.intervals import Tuning, always_valid_multiplier, fixed_multiplier
from experiments.analysis.moments import Moments
from experiments.analysis.power import Design, baseline, needed
from experiments.definition import Method
from experiments.metrics.cohort import Floats
from experiments.metrics.maturity import Window

LIFT = 0.05
_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Found:
    """How many of so many experiments of `units` found the effect at the planned size, by their method."""

    method: Method
    known: bool
    units: int
    experiments: int
    found: int


def power(seed: int, experiments: int, method: Method, *, known: bool) -> Found:
    """Plan on a history of 200,000 customers, then run experiments with the planned effect.

    Args:
        known: Whether the past of the customers reduces the variance, in the plan as in the analysis.
    """
    rng = np.random.default_rng(seed)
    history = draw(rng, 200_000).columns
    design = Design(control_share=0.4, variant_share=0.6, method=method)
    units = needed(baseline(_known(history, known), 52), LIFT, design, Window(30)).units
    control = round(0.4 * units)
    tuning = Tuning(units)
    reach = fixed_multiplier(0.05)
    if method is Method.SEQUENTIAL:
        reach = float(always_valid_multiplier(float(units), tuning, 0.05))
    found = 0
    for some in _batches(experiments):
        arms = [
            Moments.of(_known(draw(rng, (some, size), lift).columns, known))
            for size, lift in ((control, 0.0), (units - control, LIFT))
        ]
        seen = contrast(*arms)
        found += int((seen.difference - reach * seen.standard_error > 0).sum())
    return Found(method, known, units, experiments, found)


def line(found: Found) -> Line:
    """The line of the table."""
    with_past = "with CUPED" if found.known else "without a covariate"
    return share(
        f"80 % power is 78 to 82 % at the planned size ({found.method}, {with_past}, {found.units:,} units)",
        found.found,
        found.experiments,
        f"{found.experiments:,} experiments with the planned effect",
        0.78,
        0.82,
    )


def _known(columns: Floats, known: bool) -> Floats:
    if not known:
        columns[..., 2:] = (0.0, 1.0)
    return columns


def _batches(total: int) -> Iterator[int]:
    for start in range(0, total, _AT_ONCE):
        yield min(_AT_ONCE, total - start)

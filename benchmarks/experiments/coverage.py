"""Whether 95 % intervals of a ratio hold the truth in 95 %, and how they fail when payments are taken for units."""

from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.customers import Customers, draw
from benchmarks.experiments.lines import Line, share
from experiments.analysis.difference import Contrast, contrast
from experiments.analysis.intervals import fixed_multiplier
from experiments.analysis.moments import Moments
from experiments.metrics.cohort import Floats

LIFT = 0.05


@dataclass(frozen=True, slots=True)
class Covered:
    """How many intervals of so many experiments held the true lift."""

    experiments: int
    by_customer: int
    with_past: int
    by_payment: int


def coverage(seed: int, experiments: int, units: int = 1_000) -> Covered:
    """Run experiments of so many customers an arm with a known lift of recovered amount per failed amount."""
    rng = np.random.default_rng(seed)
    hits = np.zeros(3, dtype=np.int64)
    for _ in range(experiments):
        arms = [draw(rng, units), draw(rng, units, LIFT)]
        plain = [_without_past(arm) for arm in arms]
        for i, pair in enumerate((plain, [arm.columns for arm in arms], [arm.as_payments for arm in arms])):
            hits[i] += _holds(contrast(*(Moments.of(columns) for columns in pair)))
    return Covered(experiments, *(int(count) for count in hits))


def lines(covered: Covered) -> list[Line]:
    """The lines of the table."""
    n, of = covered.experiments, f"{covered.experiments:,} experiments of 1,000 customers an arm"
    return [
        share("95 % intervals of a ratio, by customer: cover in 94 to 96 %", covered.by_customer, n, of, 0.94, 0.96),
        share("the same with CUPED: cover in 94 to 96 %", covered.with_past, n, of, 0.94, 0.96),
        share("(why: payments taken for units fail, below 90 %)", covered.by_payment, n, of, 0, 0.90),
    ]


def _holds(found: Contrast) -> bool:
    return bool(abs(found.difference - LIFT) <= fixed_multiplier(0.05) * found.standard_error)


def _without_past(arm: Customers) -> Floats:
    columns = arm.columns
    columns[:, 2:] = (0.0, 1.0)
    return columns

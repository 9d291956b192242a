"""Why immature units are left out: the figure with them beside the figure without.

A policy that waits for the payday looks bad on every day before it. Counting units that are still collecting compares
how early the arms recover, not how much, and the bias does not shrink with more units: they keep arriving.
"""

from dataclasses import dataclass

import numpy as np

from experiments.analysis.effect import Effect, effect
from experiments.analysis.intervals import Tuning
from experiments.metrics.cohort import Cohort
from experiments.metrics.maturity import Window
from experiments.metrics.spec import MetricSpec
from experiments.metrics.unit_rows import all_rows


@dataclass(frozen=True, slots=True)
class Peek:
    """The same metric at the same instant, both ways.

    Args:
        mature, collecting: Units of both arms.
        early: With everybody exposed; never a result.
        matured: With mature units only; None while there are too few.
    """

    mature: int
    collecting: int
    early: Effect | None
    matured: Effect | None

    @property
    def bias(self) -> float | None:
        """What the immature units add to the difference."""
        if self.early is None or self.matured is None:
            return None
        return self.early.difference - self.matured.difference


def peek(
    spec: MetricSpec,
    cohort: Cohort,
    window: Window,
    as_of: np.datetime64,
    arms: tuple[str, str],
    tuning: Tuning,
    alpha: float,
) -> Peek:
    """Both figures of (variant, control) at an instant."""
    rows = all_rows(spec, cohort, window, as_of)
    rows = rows.where(rows.arm(arms[0]) | rows.arm(arms[1]))
    done = rows.matured_at <= as_of
    return Peek(
        mature=int(done.sum()),
        collecting=int((~done).sum()),
        early=effect(rows, *arms, tuning, alpha),
        matured=effect(rows.where(done), *arms, tuning, alpha),
    )

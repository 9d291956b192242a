"""What a metric is: a ratio of two sums over units, the question it answers, and which way is better."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from experiments.metrics.cohort import Floats
from experiments.metrics.followed import Followed


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"

    @property
    def sign(self) -> int:
        """+1 where more is better, -1 where less is."""
        return 1 if self is Direction.HIGHER else -1


class Kind(StrEnum):
    """What stands below the line, and with it how the variance is computed.

    MEAN: the number of units, a constant. RATIO: a sum that varies with the units, so the delta method is needed.
    EVENT: a mean of a rare count, where an arm may well have none (see `experiments.analysis.moments`).
    """

    MEAN = "mean"
    RATIO = "ratio"
    EVENT = "event"


@dataclass(frozen=True, slots=True)
class MetricSpec:
    """One metric.

    Args:
        name: As it stands in definitions and reports.
        question: What it answers, as the reader would ask.
        numerator, denominator: What is summed above and below the line, in words.
        above, below: The same as a function: (followed) → (units,).
        days: How long a unit is followed where the metric itself says so (retention at 60 days), else by the window.
        of_amounts: Whether amounts are summed below the line, not payments or units.
    """

    name: str
    question: str
    numerator: str
    denominator: str
    direction: Direction
    kind: Kind
    above: Callable[[Followed], Floats]
    below: Callable[[Followed], Floats]
    days: float | None = None
    of_amounts: bool = False

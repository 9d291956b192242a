"""The shipped prior as a scorer: answers before there is a model, widely, and says that it is a prior.

The log-odds of approval are those of the category of the method's last decline on its rail, plus a shift for each
circumstance (hours waited, declined retries before, local hour, banking day, payday, route). The interval is the
central 90 % of the Beta distribution with that mean and the category's weight as pseudo-count.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.encoders import nothing_learnt
from features.few.framed import Framed
from features.supposed import Supposed
from features.table import Asked
from model.prior_few import FewPrior
from model.prior_table import HIGHEST, LOWEST, PriorTable, shipped_table
from model.scorer import Scores, ScoreSource

if TYPE_CHECKING:
    from features.few.frame import FewFrame

Floats = NDArray[np.float64]

TAIL = 0.05


@dataclass(frozen=True, slots=True)
class PriorScorer:
    """P(approved) from the table of the prior; pure and quick."""

    table: PriorTable = field(default_factory=shipped_table)
    _prior: FewPrior = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_prior", FewPrior(self.table))

    @property
    def version(self) -> str:
        """`prior-` and a short hash of its figures."""
        return f"prior-{self.table.version}"

    @property
    def source(self) -> ScoreSource:
        """Always `prior`."""
        return "prior"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """P(approved) of each retry; the interval is that of a Beta distribution, 90 %."""
        return self.score_many([(context, retries)])[0]

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts: one frame for all, and the intervals, which cost most, are found at once."""
        if not asked:
            return ()
        return self._scores(_frame()(asked)).split([len(retries) for _, retries in asked])

    def score_supposed(self, supposed: Sequence[Supposed]) -> Scores:
        """The same for every move asked about, after declines that have not happened."""
        return self._scores(_frame()(supposed))

    def _scores(self, framed: Framed) -> Scores:
        logit, weight = self._prior(framed.facts)
        probability = np.clip(1.0 / (1.0 + np.exp(-logit)), LOWEST, HIGHEST)
        low, high = _interval(probability, weight)
        return Scores(probability, low, high, self.version, self.source)


@cache
def _frame() -> "FewFrame":
    from features.few.frame import FewFrame  # loads the compiler, which whoever starts workers does without

    return FewFrame(nothing_learnt())


def _interval(probability: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """Ends of the central 90 % of Beta(p·w, (1 − p)·w), widened to hold the mean where the skew leaves it outside."""
    from scipy.special import betaincinv  # takes long to load, and a service with a model asks for no such interval

    # As one complex number each, pairs are sorted many times as quickly as the rows of an array.
    pairs, back = np.unique(probability + 1j * weight, return_inverse=True)
    p, w = pairs.real, pairs.imag
    a, b = p * w, (1.0 - p) * w
    low = np.minimum(betaincinv(a, b, TAIL), p)
    high = np.maximum(betaincinv(a, b, 1.0 - TAIL), p)
    return low[back], high[back]

"""The planner's scorer that knows the true probabilities: what can be reached with a perfect model, no more."""

from collections.abc import Sequence

import numpy as np

from experiments.world import Transparent
from features.action import Retry
from features.context import Context
from features.table import Asked
from model.scorer import Scores, ScoreSource

_CERTAIN = 1e-6  # probabilities lie in (0, 1)


class OracleScorer:
    """P(approved) of each retry as the world's hidden state has it.

    In a simulated world the noise is averaged out and the failures of the payment so far are not conditioned on.

    Args:
        world: A world that tells.
    """

    def __init__(self, world: Transparent) -> None:
        self._world = world

    @property
    def version(self) -> str:
        """Always `oracle`."""
        return "oracle"

    @property
    def source(self) -> ScoreSource:
        """It stands in for a model."""
        return "model"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """The true probabilities, without doubt."""
        p = np.empty(0, dtype=np.float64)
        if retries:
            p = np.clip(self._world.chance(context.payment.payment_id, retries), _CERTAIN, 1.0 - _CERTAIN)
        return Scores(p, p, p, self.version, self.source)

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts."""
        return tuple(self.score(context, retries) for context, retries in asked)

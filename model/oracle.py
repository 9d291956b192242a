"""A scorer that knows more than anyone can, the true chances of a world or its outcomes: for what is attainable."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.table import Asked
from model.scorer import Scores, ScoreSource

_SURE = 1e-9


@runtime_checkable
class Chances(Protocol):
    """A world that tells the chance of any retry; 0 or 1 where the outcome itself is known."""

    def chance(self, payment_id: str, actions: Sequence[Retry]) -> NDArray[np.float64]:
        """P(approved) of each retry given the hidden state, shape (n,)."""
        ...


@dataclass(frozen=True, slots=True)
class TrueScorer:
    """Answers with a world's own chances, without doubt."""

    world: Chances
    version: str = "truth"
    source: ScoreSource = "model"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """The true chance of each retry, kept a hair away from 0 and 1."""
        p = np.zeros(0)
        if retries:
            p = np.clip(self.world.chance(context.payment.payment_id, retries), _SURE, 1.0 - _SURE)
        return Scores(p, p, p, self.version, self.source)

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts."""
        return tuple(self.score(context, retries) for context, retries in asked)

"""What every scorer answers: a calibrated probability of approval for each proposed retry, with its interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Literal, Protocol, TypeGuard, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.supposed import Supposed
from features.table import Asked

ScoreSource = Literal["model", "prior"]


@dataclass(frozen=True, slots=True)
class Score:
    """P(approved) of one retry with a 90 % interval for that probability."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scores:
    """P(approved) of many retries, in the order they were asked for.

    Args:
        probability: Shape (n,), in (0, 1).
        low: Lower end of the 90 % interval, shape (n,).
        high: Upper end of the 90 % interval, shape (n,).
        version: Which model or prior answered.
        source: `model` or `prior`.
    """

    probability: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    version: str
    source: ScoreSource

    def __getitem__(self, index: int) -> Score:
        return Score(float(self.probability[index]), float(self.low[index]), float(self.high[index]))

    def split(self, sizes: Sequence[int]) -> tuple["Scores", ...]:
        """The same scores in consecutive parts of those sizes."""
        parts = [slice(end - size, end) for size, end in zip(sizes, accumulate(sizes), strict=True)]
        return tuple(
            Scores(self.probability[part], self.low[part], self.high[part], self.version, self.source) for part in parts
        )


class Scorer(Protocol):
    """Scores retries of one context. Implementations are pure: same context and retries, same scores."""

    @property
    def version(self) -> str:
        """Which model or prior this is, as it stands in a decision."""
        ...

    @property
    def source(self) -> ScoreSource:
        """Whether a trained model or the shipped prior answers."""
        ...

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """P(approved) of each retry given everything in the context."""
        ...

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts, the same bits as one by one but far cheaper; contexts may be imagined ones."""
        ...


@runtime_checkable
class Supposes(Protocol):
    """A scorer that knows what to make of declines that have not happened, without a context of each."""

    def score_supposed(self, supposed: Sequence[Supposed]) -> Scores:
        """P(approved) of every move asked about, one after another, as if asked about the contexts supposed."""
        ...


def _supposes(scorer: Scorer) -> TypeGuard[Supposes]:
    return _is_supposing(type(scorer))


@cache
def _is_supposing(kind: type) -> bool:
    """Looked at once for each kind of scorer: Python asks a class for every name of a protocol each time."""
    return issubclass(kind, Supposes)


def score_supposed(scorer: Scorer, supposed: Sequence[Supposed]) -> Scores:
    """The same by any scorer."""
    if _supposes(scorer):
        return scorer.score_supposed(supposed)
    each = scorer.score_many([pair for one in supposed for pair in one.contexts()])
    probability, low, high = (
        np.concatenate([np.empty(0), *(getattr(scores, name) for scores in each)])
        for name in ("probability", "low", "high")
    )
    return Scores(probability, low, high, scorer.version, scorer.source)

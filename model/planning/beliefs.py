"""What the scorer believes after declines that have not happened, as the recursion asks it.

All log-odds are lowered by `caution` standard errors, which are read off the 90 % interval: the best of many uncertain
values disappoints (Smith & Winkler 2006), and so the more uncertain one has to promise more.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model.planning.recursion import Chances
from model.scorer import Scores

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

MORE_DECLINES = 3
"""Beyond so many more declines of a method another one changes nothing further."""

_Z90 = 1.6448536269514722


@dataclass(frozen=True)
class Exact:
    """Every state was asked for: one method, the log-odds by number of declines.

    Args:
        logit: Before any decline, shape (n,).
        tables: `tables[k - 1][i, j]` after k declines, the last of them i; each of shape (n, n).
    """

    logit: Floats
    tables: tuple[Floats, ...]

    @property
    def now(self) -> Floats:
        """Before anything of the plan was attempted, shape (n,)."""
        return probability(self.logit)

    def over(self, states: Int64s) -> Chances:
        """Once so many were declined with each method, shape (states, methods)."""
        which = np.minimum(states.sum(axis=1), len(self.tables)) - 1
        return Chances(self._chances, which, np.ones((0, 1, 1)), odds=False)

    @cached_property
    def _chances(self) -> Floats:
        return probability(np.stack(self.tables))


@dataclass(frozen=True)
class Interpolated:
    """Odds filled in between what was asked; as odds, which more declines multiply, no state needs an exponential.

    Args:
        logit: Before any decline, shape (n,).
        method: Of each move, shape (n,).
        odds: Of j after a decline of i, shape (n, n); told only of what comes later.
        more: `more[l, m, t, k]`: if a decline of method l is the last, what k more declines of method m before it
            change for method t, shape (methods, methods, methods, MORE_DECLINES + 1).
    """

    logit: Floats
    method: Int64s
    odds: Floats
    more: Floats

    @property
    def now(self) -> Floats:
        """Before anything of the plan was attempted, shape (n,)."""
        return probability(self.logit)

    def over(self, states: Int64s) -> Chances:
        """Once so many were declined with each method, shape (states, methods)."""
        count, methods = states.shape
        further = np.zeros((count, methods, methods))
        theirs = np.arange(methods)
        for other in range(methods):
            extra = np.minimum(np.maximum(states[:, other, None] - (other == theirs), 0), MORE_DECLINES)
            further += self.more[theirs, other, :, extra]
        return Chances(self.odds[None], np.zeros(count, dtype=np.int64), np.exp(further), odds=True)


def cautious(scores: Scores, caution: float) -> Floats:
    """Log-odds lowered by so many standard errors, shape (n,)."""
    error = (_logit(scores.high) - _logit(scores.low)) / (2.0 * _Z90)
    lowered: Floats = _logit(scores.probability) - caution * error
    return lowered


def probability(logit: Floats) -> Floats:
    """The chance that goes with log-odds, same shape."""
    p: Floats = 1.0 / (1.0 + np.exp(-logit))
    return p


def _logit(p: Floats) -> Floats:
    logit: Floats = np.log(p) - np.log1p(-p)
    return logit

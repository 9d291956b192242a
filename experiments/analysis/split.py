"""Whether units arrived in the variants as planned; where not, something loses or adds units and no outcome is trusted.

Two tests of the counts against the planned weights: the usual chi-square, right for one look, and a sequential one that
may be looked at daily. The second compares the plan with a Dirichlet mixture around it,

    BF = B(k w + counts) / B(k w) / prod w_i^counts_i,      p = min(1, 1 / BF)

a martingale under the plan, so that P(p <= alpha at any look) <= alpha exactly (Lindon & Malek 2022). k says
how close to the plan a broken split is expected: 1,000 tunes to errors of one or two points, as lost exposures make.
Where weights changed, each stretch is a phase of its own, and their factors multiply.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc, gammaln

from features.errors import InvalidValueError

ALARM = 0.01
"""Chance that a sound experiment is ever withheld, over its whole life."""

_CONCENTRATION = 1_000.0


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of time under one set of weights.

    Args:
        weights: Planned, by variant; scaled to add up to 1.
        counts: Units exposed, by variant.

    Raises:
        InvalidValueError: A weight or count is negative, a variant is unplanned, or no weight is above zero.
    """

    weights: Mapping[str, float]
    counts: Mapping[str, int]

    def __post_init__(self) -> None:
        for name, weight in self.weights.items():
            if not weight >= 0:
                raise InvalidValueError(f"weights[{name}]", weight, "a weight of zero or more")
        for name, count in self.counts.items():
            if name not in self.weights:
                raise InvalidValueError("counts", name, f"one of the planned variants: {', '.join(self.weights)}")
            if count < 0:
                raise InvalidValueError(f"counts[{name}]", count, "a number of units, zero or more")
        if not sum(self.weights.values()) > 0:
            raise InvalidValueError("weights", dict(self.weights), "at least one weight above zero")


@dataclass(frozen=True, slots=True)
class SplitCheck:
    """What the counts say about the split.

    Args:
        expected, counted: Units by variant, all phases together.
        chi_square_p: For a single look.
        anytime_p: For looks at any time; below `ALARM` the outcomes are withheld.
    """

    expected: Mapping[str, float]
    counted: Mapping[str, int]
    chi_square_p: float
    anytime_p: float

    @property
    def healthy(self) -> bool:
        """Whether outcomes may be shown."""
        return self.anytime_p >= ALARM


def check_split(phases: Sequence[Phase]) -> SplitCheck:
    """Judge the counts of all phases."""
    names = list(dict.fromkeys(name for phase in phases for name in phase.weights))
    expected = dict.fromkeys(names, 0.0)
    counted = dict.fromkeys(names, 0)
    log_factor = squares = 0.0
    freedom = 0
    for phase in phases:
        weights, counts = _arrays(phase)
        planned = weights * counts.sum()
        for name, plan in zip(phase.weights, planned, strict=True):
            expected[name] += float(plan)
            counted[name] += phase.counts.get(name, 0)
        log_factor += _log_factor(weights, counts)
        if counts.sum():
            open_to = weights > 0
            squares += float(np.sum((counts - planned)[open_to] ** 2 / planned[open_to]))
            freedom += int(open_to.sum()) - 1
            if counts[~open_to].any():
                squares = float("inf")
    chi_square_p = float(chdtrc(freedom, squares)) if freedom else float(squares == 0)
    return SplitCheck(expected, counted, chi_square_p, float(np.exp(-max(log_factor, 0.0))))


def _arrays(phase: Phase) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    weights = np.array(list(phase.weights.values()), dtype=np.float64)
    counts = np.array([phase.counts.get(name, 0) for name in phase.weights], dtype=np.float64)
    return weights / weights.sum(), counts


def _log_factor(
    weights: np.ndarray[tuple[int], np.dtype[np.float64]], counts: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> float:
    """log BF; infinite where a unit is in a variant that had no weight."""
    planned = weights > 0
    if counts[~planned].any():
        return float("inf")
    w, n = weights[planned], counts[planned]
    prior = _CONCENTRATION * w
    mixture = gammaln(_CONCENTRATION) - gammaln(_CONCENTRATION + n.sum()) + np.sum(gammaln(prior + n) - gammaln(prior))
    return float(mixture - np.sum(n * np.log(w)))

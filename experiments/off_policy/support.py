"""How much of a log speaks for a target policy, and when it is too little to say anything."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

LEAST_EFFECTIVE = 300.0
MOST_WEIGHT = 50.0
MOST_SHARE = 0.02
MOST_UNCOVERED = 0.02
CERTAIN_ERRORS = 2.0
"""So many standard errors below one, a mean weight is no chance: about one covered target in 44 is refused for it."""


@dataclass(frozen=True, slots=True)
class Support:
    """Importance weights in figures.

    Args:
        rows: Logged decisions or episodes.
        matched: Those whose weight is above zero.
        effective: Effective sample size, (Σw)² / Σw² (Kish 1965).
        largest: Largest weight.
        largest_share: Its share of the sum of weights.
        uncovered: Share of the target that the logging policy never does: what the mean weight lacks of 1, its mean for
            a target that does only what may be logged.
        uncovered_error: Standard error of that, by customer, for a target of which nothing is uncovered. It is of the
            weights over their mean: few heavy ones by chance make the mean small and its error with it.
    """

    rows: int
    matched: int
    effective: float
    largest: float
    largest_share: float
    uncovered: float
    uncovered_error: float

    @property
    def refusal(self) -> str | None:
        """Why no value can be told, as a sentence; None where it can."""
        if self.effective < LEAST_EFFECTIVE:
            return (
                f"the log holds an effective sample of {self.effective:,.0f} for it "
                f"({self.matched:,} of {self.rows:,} match); at least {LEAST_EFFECTIVE:,.0f} are needed"
            )
        if self.largest > MOST_WEIGHT:
            return f"the largest weight is {self.largest:,.1f}; at most {MOST_WEIGHT:.0f} is accepted"
        if self.largest_share > MOST_SHARE:
            return f"one row carries {self.largest_share:.1%} of the weight; at most {MOST_SHARE:.0%} is accepted"
        # Last, for what a mean weight lacks is told from chance only where the weights are many and alike.
        accepted = max(MOST_UNCOVERED, CERTAIN_ERRORS * self.uncovered_error)
        if self.uncovered > accepted:
            return (
                f"{self.uncovered:.1%} of what the target would do was never done in the log, by its propensities; "
                f"at most {accepted:.1%} is accepted"
            )
        return None


def support_of(weight: Floats, customer: Int64s) -> Support:
    """The support that weights give.

    Args:
        weight: Of each decision or episode, shape (n,).
        customer: Whose it is, from 0, shape (n,).
    """
    total, squares = float(weight.sum()), float((weight**2).sum())
    mean = total / max(weight.size, 1)
    apart = np.bincount(customer, weights=weight - mean)
    return Support(
        rows=int(weight.size),
        matched=int(np.sum(weight > 0)),
        effective=total**2 / squares if squares else 0.0,
        largest=float(weight.max(initial=0.0)),
        largest_share=float(weight.max(initial=0.0)) / total if total else 0.0,
        uncovered=max(0.0, 1.0 - mean),
        uncovered_error=float(np.sqrt((apart**2).sum())) / total if total else 0.0,
    )

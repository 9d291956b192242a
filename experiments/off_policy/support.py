"""How much of a log speaks for a target policy, and when it is too little to say anything."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEAST_EFFECTIVE = 300.0
MOST_WEIGHT = 50.0
MOST_SHARE = 0.02
_NOTHING = 1e-9


@dataclass(frozen=True, slots=True)
class Support:
    """Importance weights in figures.

    Args:
        rows: Logged decisions or episodes.
        matched: Those whose weight is above zero.
        effective: Effective sample size, (Σw)² / Σw² (Kish 1965).
        largest: Largest weight.
        largest_share: Its share of the sum of weights.
        uncovered: Mean probability of the target on actions that the logging policy never takes.
    """

    rows: int
    matched: int
    effective: float
    largest: float
    largest_share: float
    uncovered: float

    @property
    def refusal(self) -> str | None:
        """Why no value can be told, as a sentence; None where it can."""
        if self.uncovered > _NOTHING:
            return f"{self.uncovered:.1%} of what the target would do was never done in the log"
        if self.effective < LEAST_EFFECTIVE:
            return (
                f"the log holds an effective sample of {self.effective:,.0f} for it "
                f"({self.matched:,} of {self.rows:,} match); at least {LEAST_EFFECTIVE:,.0f} are needed"
            )
        if self.largest > MOST_WEIGHT:
            return f"the largest weight is {self.largest:,.1f}; at most {MOST_WEIGHT:.0f} is accepted"
        if self.largest_share > MOST_SHARE:
            return f"one row carries {self.largest_share:.1%} of the weight; at most {MOST_SHARE:.0%} is accepted"
        return None


def support_of(weight: Floats, *, uncovered: float = 0.0) -> Support:
    """The support that weights give; `weight` has shape (n,)."""
    total, squares = float(weight.sum()), float((weight**2).sum())
    return Support(
        rows=int(weight.size),
        matched=int(np.sum(weight > 0)),
        effective=total**2 / squares if squares else 0.0,
        largest=float(weight.max(initial=0.0)),
        largest_share=float(weight.max(initial=0.0)) / total if total else 0.0,
        uncovered=uncovered,
    )

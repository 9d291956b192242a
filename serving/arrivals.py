"""How long units take to arrive, read off a merchant's own history from a start within it.

A unit joins an experiment at its first failure after the start, whenever it failed before; so many join in the first
weeks, fewer in the later ones, and units divided by the length of the history tell of neither.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_SHORTEST = 1 / 7  # weeks: a history of one instant is taken for a day


@dataclass(frozen=True, slots=True)
class Arrivals:
    """First failures after a start.

    Args:
        weeks: After the start, one a unit, ascending.
        until: Weeks after the start to which the history goes.
    """

    weeks: tuple[float, ...]
    until: float

    @property
    def per_week(self) -> float:
        """The mean over all that was seen."""
        return len(self.weeks) / max(self.until, _SHORTEST)

    def weeks_until(self, units: float) -> float:
        """Weeks until so many units had arrived; beyond the history as in the later half of what was seen."""
        there = len(self.weeks)
        if units <= there:
            return float(np.interp(units, np.arange(there + 1), (0.0, *self.weeks)))
        late = sum(at > self.until / 2 for at in self.weeks)
        rate = late / max(self.until / 2, _SHORTEST) or self.per_week
        return max(self.until, _SHORTEST) + (units - there) / rate


def arrivals_of(weeks: Floats, codes: NDArray[np.int64], until: float) -> Arrivals:
    """The first of each unit.

    Args:
        weeks: Of every failed payment after the start, ascending, shape (n,).
        codes: Whose it is, shape (n,).
    """
    _, first = np.unique(codes, return_index=True)
    return Arrivals(tuple(weeks[np.sort(first)].tolist()), until)

"""When a unit's outcome is complete: before that it is collecting, and it enters no figure.

A unit is exposed when a payment fails. Payments that fail within `joining_days` of that join it, each is followed for
`outcome_days`, and answers of slow rails need `settling_days` more to be final. All units get the same time, whatever
happened to them, or quick recoveries would enter early and slow ones late.
"""

from dataclasses import dataclass

import numpy as np

from experiments.metrics.cohort import Flags, Instants
from features.errors import InvalidValueError

_MICROS_PER_DAY = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Window:
    """How long units are followed, in days.

    Args:
        outcome_days: From a payment's first failure; the N of "by day N".
        joining_days: From exposure; later failures of the unit do not count. Zero: the payments that led to exposure.
        settling_days: After the outcome, for answers that can still change (returns of bank debits).

    Raises:
        InvalidValueError: A length is negative, or no outcome is awaited.
    """

    outcome_days: float
    joining_days: float = 0.0
    settling_days: float = 0.0

    def __post_init__(self) -> None:
        if not self.outcome_days > 0:
            raise InvalidValueError("outcome_days", self.outcome_days, "a number of days above zero")
        for name in ("joining_days", "settling_days"):
            if not getattr(self, name) >= 0:
                raise InvalidValueError(name, getattr(self, name), "a number of days, zero or more")

    @property
    def days(self) -> float:
        """From exposure until a unit is mature."""
        return self.joining_days + self.outcome_days + self.settling_days


def days(length: float) -> np.timedelta64:
    """A length of time in whole microseconds."""
    return np.timedelta64(round(length * _MICROS_PER_DAY), "us")


def matures_at(exposed_at: Instants, window: Window) -> Instants:
    """When each unit's outcome is complete, shape (n,)."""
    found: Instants = exposed_at + days(window.days)
    return found


def mature(exposed_at: Instants, window: Window, as_of: np.datetime64) -> Flags:
    """Which units are complete at that instant; the others are collecting. Shape (n,)."""
    found: Flags = matures_at(exposed_at, window) <= as_of
    return found

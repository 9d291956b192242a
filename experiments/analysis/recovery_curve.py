"""How much is back by each day: recovery curves of the variants, mature units only, with what was still at risk.

Every day is a ratio of means like "recovered by day N", so its interval is by customer as well. The intervals are for
one day each; curves are for looking at, and verdicts are about the day that was agreed.
"""

from dataclasses import dataclass

import numpy as np

from experiments.analysis.difference import outcome_variance
from experiments.analysis.intervals import fixed_multiplier
from experiments.analysis.moments import Moments
from experiments.metrics.cohort import Cohort, Flags, Floats
from experiments.metrics.followed import Followed, follow
from experiments.metrics.maturity import Window, mature
from features.errors import InvalidValueError


@dataclass(frozen=True, slots=True)
class RecoveryCurve:
    """One variant; arrays have shape (days,), day d from 1 to the last whole day of the window.

    Args:
        share: Amount recovered within d days and kept to the window's end, per amount failed.
        low, high: Its interval, day by day.
        at_risk: Payments not recovered before day d, that is within d - 1 days.
        payments: Of the variant's mature units.
    """

    variant: str
    share: Floats
    low: Floats
    high: Floats
    at_risk: tuple[int, ...]
    payments: int


def recovery_curves(
    cohort: Cohort, window: Window, as_of: np.datetime64, alpha: float = 0.05
) -> tuple[RecoveryCurve, ...]:
    """A curve for every variant with at least two mature units.

    Raises:
        InvalidValueError: The window is shorter than a day.
    """
    if window.outcome_days < 1:
        raise InvalidValueError("outcome_days", window.outcome_days, "at least one day for a curve by day")
    followed = follow(cohort, window, as_of)
    done = mature(cohort.units.exposed_at, window, as_of)
    chosen = {name: done & (cohort.units.variant == i) for i, name in enumerate(cohort.units.variants)}
    return tuple(_curve(name, followed, units, alpha) for name, units in chosen.items() if units.sum() > 1)


def _curve(name: str, followed: Followed, units: Flags, alpha: float) -> RecoveryCurve:
    payments = followed.cohort.payments
    mine = followed.inside & units[payments.unit]
    after = np.where(followed.recovered, followed.days_open, np.inf)
    days = np.arange(1, int(followed.window.outcome_days) + 1)
    failed = followed.per_unit(payments.amount)[units]
    one = np.ones(len(failed))
    columns = np.stack(
        [
            np.stack([_back(followed, after <= day)[units], failed, np.zeros(len(failed)), one], axis=-1)
            for day in days.tolist()
        ]
    )
    arm = Moments.of(columns)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = arm.mean[:, 0] / arm.mean[:, 1]
        half = fixed_multiplier(alpha) * np.sqrt(outcome_variance(arm)[0] / arm.units)
    at_risk = tuple(int((mine & (after > day - 1)).sum()) for day in days.tolist())
    return RecoveryCurve(name, share, share - half, share + half, at_risk, int(mine.sum()))


def _back(followed: Followed, by_then: Flags) -> Floats:
    return followed.per_unit(np.where(by_then, followed.recovered_amount, 0.0))

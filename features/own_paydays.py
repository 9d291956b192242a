"""When a customer's money comes, inferred from the customer's own recoveries.

A payment that failed on one day and was approved on a later one says that money came on some day in between. Each of
the latest recoveries casts one vote, spread evenly over those days of the month; the votes together are a
distribution of the customer's payday. Where a chance is read from it, it is drawn towards an even one by `STRENGTH`
votes, so that one recovery is a hint and six are a habit.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.calendars import MONTH, day_of_month, month_of
from features.known import Known

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

RECOVERIES = 8
"""The latest ones that vote."""
STRENGTH = 1.0
"""Votes spread evenly over the month."""

DAYS = 31
"""Of a month at most."""
LONGEST = 27
"""Days between failure and approval above which a recovery says nothing."""
_ANGLES = 2 * np.pi * np.arange(DAYS) / DAYS


@dataclass(frozen=True, slots=True)
class OwnPaydays:
    """Inferred paydays of the asked customers; customers of whom the same was known share one entry.

    Args:
        which: Entry of each question, shape (q,).
        day: Middle of the likeliest days of the month, in [0.5, 31.5), NaN without a vote, shape (entries,).
        running: Votes for days of the month up to and including each, 0 before the first, shape (entries, 32).
    """

    which: Int64s
    day: Floats
    running: Floats

    @property
    def support(self) -> Floats:
        """How many recoveries voted, shape (entries,)."""
        return self.running[:, -1]

    def chance_between(self, first: Int64s, last: Int64s) -> Floats:
        """Chance that money came after day `first` and by day `last` (day numbers), shape (q,)."""
        months = month_of(last) - month_of(first)
        before, after = (self.running[self.which, day_of_month(day)] for day in (first, last))
        votes = self.support[self.which]
        mass = np.clip(after - before + months * votes, 0, votes)
        even = np.clip((last - first) / MONTH, 0, 1)
        chance: Floats = (mass + STRENGTH * even) / (votes + STRENGTH)
        return chance


def own_paydays(past: Known, recovered: Flags, failed_day: Int64s, paid_day: Int64s) -> OwnPaydays:
    """Infer the payday of every asked customer.

    Args:
        past: The customers' attempts as known at each question.
        recovered: Which attempts are approvals after a failure of their payment, shape (n,).
        failed_day: Day number of the failure before each of those; read for those only.
        paid_day: Day number of the approval.
    """
    told = recovered & (paid_day - failed_day <= LONGEST)
    _, first, which = np.unique(past.start * (past.order.size + 1) + past.stop, return_index=True, return_inverse=True)
    voters = past.latest(told, RECOVERIES)[:, first]
    votes = np.zeros((first.size, DAYS))
    for voter in voters:
        votes += _vote(voter, failed_day, paid_day)
    running = np.zeros((first.size, DAYS + 1))
    np.cumsum(votes, axis=1, out=running[:, 1:])
    # A recovery's votes add up to one but for rounding.
    running[:, -1] = np.rint(running[:, -1])
    return OwnPaydays(which.astype(np.int64), likeliest(votes), running)


def _vote(voter: Int64s, failed_day: Int64s, paid_day: Int64s) -> Floats:
    """One recovery's vote of each entry, zero where there is none (-1), shape (entries, 31)."""
    votes = np.zeros((voter.size, DAYS))
    given = np.flatnonzero(voter >= 0)
    paid, failed = (day_of_month(days[voter[given]]) - 1 for days in (paid_day, failed_day))
    same = paid_day[voter[given]] == failed_day[voter[given]]
    length = np.where(same, 1, (paid - failed) % DAYS)
    back = (paid[:, None] - np.arange(DAYS)) % DAYS
    votes[given] = (back < length[:, None]) / np.maximum(length, 1)[:, None]
    return votes


def likeliest(votes: Floats) -> Floats:
    """Circular mean of the days with the most votes, as day of the month; NaN without a vote, shape (entries,)."""
    most = votes.max(axis=1)
    best = votes >= most[:, None] - 1e-9
    sine, cosine = ((best * wave(_ANGLES)).sum(axis=1) for wave in (np.sin, np.cos))
    day = np.arctan2(sine, cosine) * DAYS / (2 * np.pi) % DAYS + 1
    # Where the likeliest days lie opposite each other their mean means nothing; take the first.
    scattered = np.hypot(sine, cosine) < 1e-6
    day = np.where(scattered, best.argmax(axis=1) + 1, day)
    return np.where(most > 0, day, np.nan)

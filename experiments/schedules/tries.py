"""A log as a schedule sees it: on which day after the failure each retry was made, and whether it cleared."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.calendars import day_of_month
from features.rows import rows_of_history
from features.table import UNKNOWN_OUTCOME, AttemptTable

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tries:
    """Retries of a log whose outcome is known; arrays have shape (n,).

    Args:
        payment: Which payment, as an integer.
        failed_day: Local day number of the payment's first failure.
        last: Days from that to the latest failure before the retry, 0 where only the first attempt had failed.
        day: Days from the first failure to the retry, above `last`.
        approved: Whether it cleared.
    """

    payment: Int64s
    failed_day: Int64s
    last: Int64s
    day: Int64s
    approved: Floats

    def __len__(self) -> int:
        return int(self.day.size)

    @property
    def due_day(self) -> Int64s:
        """Day of the month of the first failure, 1 to 31."""
        return day_of_month(self.failed_day).astype(np.int64)

    @property
    def month_day(self) -> Int64s:
        """Day of the month of the retry, 1 to 31."""
        return day_of_month(self.failed_day + self.day).astype(np.int64)

    def take(self, rows: Flags) -> "Tries":
        """A subset."""
        return Tries(self.payment[rows], self.failed_day[rows], self.last[rows], self.day[rows], self.approved[rows])


def tries_of(table: AttemptTable, within_days: int) -> Tries:
    """The retries of a history made on a later local day than the failure before, at most so many days after the first.

    Args:
        table: A history, ordered by time.
    """
    rows = rows_of_history(table)
    failed_day = rows.table_day[rows.of_payment.first(table.failed)]
    last = rows.table_day[rows.of_payment.last(table.failed)] - failed_day
    day = rows.day - failed_day
    told = table.outcome[rows.index] != UNKNOWN_OUTCOME
    tries = Tries(
        payment=table.payment.codes[rows.index],
        failed_day=failed_day,
        last=last,
        day=day,
        approved=table.approved[rows.index].astype(np.float64),
    )
    return tries.take(told & (day > last) & (day <= within_days))

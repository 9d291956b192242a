"""Splits rows in time and customers into folds, so that nothing is judged on what it was taught.

Rows are cut by the instant of their decision into three windows: train, calibrate, test. A row teaches a window
only if its outcome was final before the next one began; the others are embargoed. Across that, every customer
has a fold by the hash of its id, and whatever scores a row was fitted without that row's fold: no customer is on
both sides, and yet every row of every window is used (docs/decisions/0050-customer-folds.md).
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.instants import MICROS_PER_DAY

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_DEFAULT_SHARE = 0.2  # of the rows, for the test window and again for the calibration window
_CYCLE_DAYS = 30  # money comes and goes by the month: a window of part of one measures a part of the cycle
_ROOMY_DAYS = 4 * _CYCLE_DAYS  # from this length on, a history can spare two whole cycles


@dataclass(frozen=True, slots=True)
class Split:
    """Which rows are used for what; the flags have shape (n,).

    Args:
        calibrate_from: Start of the calibration window (microseconds, a UTC midnight).
        test_from: Start of the test window.
        train: Decided, and outcome final, before `calibrate_from`.
        calibrate: Decided from `calibrate_from` on, and outcome final before `test_from`.
        test: Decided from `test_from` on.
        before_test: Decided, and outcome final, before `test_from`: all that may be learnt from in the end.
    """

    calibrate_from: int
    test_from: int
    train: Flags
    calibrate: Flags
    test: Flags
    before_test: Flags

    @property
    def embargoed(self) -> int:
        """Rows in no window, because their outcome was not final when the next window began."""
        return int(np.sum(~(self.train | self.calibrate | self.test)))


def split_by_time(
    decided_at: Int64s, final_at: Int64s, *, test_days: int | None = None, calibrate_days: int | None = None
) -> Split:
    """Cut the rows into train, calibrate and test windows at UTC midnights.

    Args:
        decided_at: Microseconds, shape (n,), n > 0.
        final_at: When each outcome was final, shape (n,).
        test_days: Length of the last window; None takes the days that hold about the last fifth of the rows, and
            at least 30 days (a pay cycle) if the rows span 120 or more.
        calibrate_days: Length of the window before it; None chooses likewise.

    Raises:
        InputError: The windows leave no time to train in.
    """
    first, last = int(decided_at.min()), int(decided_at.max())
    least = _CYCLE_DAYS if last - first >= _ROOMY_DAYS * MICROS_PER_DAY else 1
    test_from = _start(decided_at, last, test_days, _DEFAULT_SHARE, least)
    earlier = decided_at[decided_at < test_from]
    if not earlier.size:
        raise InputError(_no_room(first, last, test_days, calibrate_days))
    calibrate_from = _start(earlier, test_from - 1, calibrate_days, _DEFAULT_SHARE / (1 - _DEFAULT_SHARE), least)
    if first >= calibrate_from:
        raise InputError(_no_room(first, last, test_days, calibrate_days))
    return Split(
        calibrate_from=calibrate_from,
        test_from=test_from,
        train=(decided_at < calibrate_from) & (final_at < calibrate_from),
        calibrate=(decided_at >= calibrate_from) & (decided_at < test_from) & (final_at < test_from),
        test=decided_at >= test_from,
        before_test=(decided_at < test_from) & (final_at < test_from),
    )


def customer_folds(customer_ids: Iterable[str], folds: int) -> Int64s:
    """The fold of each customer, 0 … folds - 1, by the SHA-256 of its id: the same in every run and every window."""
    digests = (hashlib.sha256(f"recoup-fold:{name}".encode()).digest() for name in customer_ids)
    return np.array([int.from_bytes(digest[:8]) % folds for digest in digests], dtype=np.int64)


def _start(decided_at: Int64s, last: int, days: int | None, share: float, least: int) -> int:
    """The UTC midnight at which the last `days` days begin: as asked, else the last `share` of the rows and `least`."""
    end = last // MICROS_PER_DAY + 1
    if days is None:
        days = max(least, end - int(np.quantile(decided_at, 1 - share)) // MICROS_PER_DAY)
    return (end - days) * MICROS_PER_DAY


def _no_room(first: int, last: int, test_days: int | None, calibrate_days: int | None) -> str:
    period = (last - first) // MICROS_PER_DAY + 1
    asked = f"test {test_days or 'automatic'}, calibration {calibrate_days or 'automatic'}"
    return f"the retries span {period} days, which leaves none to train in (days asked for: {asked}); ask for fewer"

"""Days of the month on which to retry, learnt from a log.

The same hazards as in `experiments.schedules.hazard`, with the day of the month in place of the days since the failure:

    h = by_month_day(m) · by_gap(days since the latest failure)

The value of a set of days is the mean, over the days on which payments of the log failed, of the chance that a chain of
retries on those days, in the order in which they come after the failure, recovers the payment.
"""

from collections.abc import Callable, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from experiments.schedules.hazard import MOST
from experiments.schedules.tries import Tries
from features.calendars import day_of_month

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

MONTH_DAYS = 31
WIDTHS = (0.5, 1.0, 2.0, 4.0)
_PRIOR_TRIES = 20.0
_PRIOR_APPROVALS = 5.0
_ROUNDS = 4
_FOLDS = 5
_EXACT_UP_TO = 2


def learnt_days(tries: Tries, within_days: int, most: int) -> tuple[int, ...]:
    """The days of the month whose set is worth most over the failures of the log.

    Pairs are all tried; larger sets grow day by day and are then exchanged one for one as long as that gains.
    """
    by_day, by_gap = _curves(tries, within_days)
    failed, weight = np.unique(_failures(tries), return_counts=True)
    wait = _waits(failed, within_days)

    def worth(days: Sequence[int]) -> float:
        return float(np.average(_recovered(wait[:, list(days)], by_day[list(days)], by_gap), weights=weight))

    start = max(combinations(range(MONTH_DAYS), min(most, _EXACT_UP_TO)), key=worth)
    chosen = list(start)
    while len(chosen) < min(most, MONTH_DAYS):
        rest = [day for day in range(MONTH_DAYS) if day not in chosen]
        chosen.append(max(rest, key=lambda day: worth([*chosen, day])))
    return tuple(sorted(day + 1 for day in exchanged(chosen, MONTH_DAYS, worth)))


def exchanged(chosen: list[int], size: int, worth: Callable[[Sequence[int]], float]) -> list[int]:
    """The set after single exchanges, made as long as one gains."""
    best, better = worth(chosen), True
    while better:
        better = False
        for place in range(len(chosen)):
            for day in range(size):
                swapped = [*chosen[:place], day, *chosen[place + 1 :]]
                if day not in chosen and worth(swapped) > best + 1e-12:
                    chosen, best, better = swapped, worth(swapped), True
    return chosen


def _curves(tries: Tries, within_days: int) -> tuple[Floats, Floats]:
    """(by day of the month, shape (31,); by gap, shape (within_days + 1,)), with the width that predicts best."""
    payment = np.unique(tries.payment, return_inverse=True)[1]
    folds = [(tries.take(payment % _FOLDS != fold), tries.take(payment % _FOLDS == fold)) for fold in range(_FOLDS)]

    def loss(width: float) -> float:
        return sum(_loss(asked, *_smoothed(seen, within_days, width)) for seen, asked in folds)

    return _smoothed(tries, within_days, min(WIDTHS, key=loss))


def _smoothed(tries: Tries, within_days: int, width: float) -> tuple[Floats, Floats]:
    """Both curves, found by turns as in `hazard.curves`; the month is a circle."""
    far = np.abs(np.arange(MONTH_DAYS)[:, None] - np.arange(MONTH_DAYS)[None, :])
    over_month = np.exp(-0.5 * (np.minimum(far, MONTH_DAYS - far) / width) ** 2)
    steps = np.arange(within_days + 1)
    over_gap = np.exp(-0.5 * ((steps[:, None] - steps[None, :]) / width) ** 2)
    place, gap = tries.month_day - 1, tries.day - tries.last
    everyone = float(tries.approved.mean()) if len(tries) else 0.0
    cleared = np.bincount(place, weights=tries.approved, minlength=MONTH_DAYS)
    cleared_at = np.bincount(gap, weights=tries.approved, minlength=within_days + 1)
    by_day, by_gap = np.full(MONTH_DAYS, everyone), np.ones(within_days + 1)
    for _ in range(_ROUNDS):
        made = np.bincount(place, weights=by_gap[gap], minlength=MONTH_DAYS)
        by_day = (over_month @ cleared + _PRIOR_TRIES * everyone) / (over_month @ made + _PRIOR_TRIES)
        expected_at = np.bincount(gap, weights=by_day[place], minlength=within_days + 1)
        by_gap = (over_gap @ cleared_at + _PRIOR_APPROVALS) / (over_gap @ expected_at + _PRIOR_APPROVALS)
    return by_day, by_gap


def _loss(asked: Tries, by_day: Floats, by_gap: Floats) -> float:
    p = np.clip(by_day[asked.month_day - 1] * by_gap[asked.day - asked.last], 1e-6, MOST)
    return float(-np.sum(np.where(asked.approved > 0, np.log(p), np.log1p(-p))))


def _failures(tries: Tries) -> Int64s:
    """Day number of the first failure of each payment of the log."""
    return tries.failed_day[np.unique(tries.payment, return_index=True)[1]]


def _waits(failed: Int64s, within_days: int) -> Floats:
    """Days from each failure to the next day of the month of each number; infinite beyond the window; (n, 31)."""
    after = np.arange(1, within_days + 1)
    falls = day_of_month((failed[:, None] + after).ravel()).reshape(len(failed), -1)
    wait = np.full((len(failed), MONTH_DAYS), np.inf)
    for column in reversed(range(within_days)):
        wait[np.arange(len(failed)), falls[:, column] - 1] = after[column]
    return wait


def _recovered(wait: Floats, by_day: Floats, by_gap: Floats) -> Floats:
    """P(recovered) of each failure by a set of days, from the waits to each of them, shape (n,)."""
    order = np.argsort(wait, axis=1, kind="stable")
    waits = np.take_along_axis(wait, order, axis=1)
    before = np.concatenate([np.zeros((len(waits), 1)), waits[:, :-1]], axis=1)
    inside = np.isfinite(waits)
    gap = np.where(inside, waits - np.where(np.isfinite(before), before, 0.0), 0.0).astype(np.int64)
    chance = np.where(inside, np.minimum(by_day[order] * by_gap[gap], MOST), 0.0)
    return np.asarray(1.0 - np.prod(1.0 - chance, axis=1), dtype=np.float64)

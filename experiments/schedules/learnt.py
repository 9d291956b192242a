"""The schedules a merchant could learn: from its own log, and, to see what that costs, from full outcomes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.schedules.calendar_days import MONTH_DAYS, learnt_days
from experiments.schedules.cover import best_cover
from experiments.schedules.hazard import best_days, fitted, fitted_parts
from experiments.schedules.tries import Tries
from features.calendars import day_of_month
from model.schedules import ByDueDay, FixedDays, MonthDays, NamedDays

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

PART_ENDS = (5, 10, 15, 20, 25)
"""Last days of the parts of the month that get a schedule each: six parts of five or six days."""

BEST_FIXED, DUE_DAY, CALENDAR = "best-fixed", "due-day-schedule", "calendar-days"
FULL = "-full-outcomes"


@dataclass(frozen=True, slots=True)
class FullOutcomes:
    """What every retry day would have come to; what no merchant's log holds.

    Args:
        failed_day: Local day number of each first failure, shape (n,).
        clears: Whether a retry so many days later would clear, the first day first, shape (n, days); what was not
            observed counts as not.
    """

    failed_day: Int64s
    clears: Flags


def from_log(tries: Tries, within_days: int, most: Sequence[int]) -> dict[int, tuple[NamedDays, ...]]:
    """The best fixed, due-day and calendar-day schedules of each number of retries, learnt from a log."""
    part = part_of(tries.due_day)
    everyone = fitted(tries, within_days)
    tables = fitted_parts(tries, part, len(PART_ENDS) + 1, everyone)
    return {
        retries: (
            NamedDays(BEST_FIXED, FixedDays(best_days(everyone.hazard, retries))),
            NamedDays(DUE_DAY, ByDueDay(PART_ENDS, tuple(best_days(table, retries) for table in tables))),
            NamedDays(CALENDAR, MonthDays(learnt_days(tries, within_days, retries), within_days)),
        )
        for retries in most
    }


def from_outcomes(outcomes: FullOutcomes, within_days: int, most: Sequence[int]) -> dict[int, tuple[NamedDays, ...]]:
    """The same schedules fitted on full outcomes, under names of their own."""
    clears = outcomes.clears[:, :within_days]
    part = part_of(day_of_month(outcomes.failed_day).astype(np.int64))
    parts = [clears[part == number] for number in range(len(PART_ENDS) + 1)]
    by_month_day = _by_month_day(outcomes.failed_day, clears)
    return {
        retries: (
            NamedDays(BEST_FIXED + FULL, FixedDays(_after(clears, retries))),
            NamedDays(DUE_DAY + FULL, ByDueDay(PART_ENDS, tuple(_after(few, retries) for few in parts))),
            NamedDays(CALENDAR + FULL, MonthDays(_after(by_month_day, retries), within_days)),
        )
        for retries in most
    }


def part_of(due_day: Int64s) -> Int64s:
    """The part of the month a day of the month lies in."""
    return np.searchsorted(np.array(PART_ENDS), due_day, side="left").astype(np.int64)


def _after(clears: Flags, retries: int) -> tuple[int, ...]:
    return tuple(column + 1 for column in best_cover(clears, retries))


def _by_month_day(failed_day: Int64s, clears: Flags) -> Flags:
    """Whether each payment would clear on the next day of the month of each number, shape (n, 31)."""
    days = clears.shape[1]
    falls = day_of_month((failed_day[:, None] + np.arange(1, days + 1)).ravel()).reshape(-1, days)
    found = np.zeros((len(failed_day), MONTH_DAYS), dtype=np.bool_)
    rows, columns = np.nonzero(clears)
    found[rows, falls[rows, columns] - 1] = True
    return found

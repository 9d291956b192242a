"""When issuers and processors are down: hours on a calendar that no request can look ahead of."""

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.draws import Stream, exponential, uniform
from experiments.simulator.settings import Settings

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Flags = NDArray[np.bool_]

_HOURS_A_DAY = 24
_MEAN_HOURS = 4.5
_LONGEST_HOURS = 30
_BAD_MONTH = 9.0  # so many times as often again in the month of outages


def outages(settings: Settings, kind: int, outages_a_day: Float64s) -> Flags:
    """Whether each party is down in each hour of the world's calendar, shape (parties, hours), hours UTC.

    Outages begin at random with the party's rate and last 1 hour to 30, 4.5 on average.

    Args:
        kind: Tells parties of one kind (issuers, processors) from those of another.
        outages_a_day: Shape (parties,).
    """
    hours = np.arange(settings.calendar_days * _HOURS_A_DAY)
    party = np.arange(outages_a_day.size)[:, None]
    draws = uniform(settings.seed, Stream.OUTAGE, kind, party, hours[None, :])
    often = _BAD_MONTH * _in_bad_month(settings, hours) + 1.0
    begins, at = np.nonzero(draws < outages_a_day[:, None] * often / _HOURS_A_DAY)
    length = exponential(settings.seed, Stream.OUTAGE, kind + 100, begins, at) * (_MEAN_HOURS - 1) + 1
    down = np.zeros(draws.shape, dtype=np.bool_)
    for index, hour, hours_long in zip(begins, at, length, strict=True):
        down[index, hour : hour + min(int(hours_long), _LONGEST_HOURS)] = True
    return down


def _in_bad_month(settings: Settings, hours: Int64s) -> Flags:
    """Whether each hour of the calendar lies in the month of outages, shape of `hours`."""
    month = settings.shift.outage_month
    if month == 0:
        return np.zeros(hours.shape, dtype=np.bool_)
    first, last = settings.month_day(month - 1), settings.month_day(month)
    day = settings.calendar_first + hours // _HOURS_A_DAY
    return (day >= first) & (day < last)

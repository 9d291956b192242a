"""When simulated people are paid: one calendar a custom and phase, tabulated by day.

The truth is a distribution around the market's custom (data/markets.toml), not the custom that `features.calendars`
knows: people follow different rules, some any day of the month, and employers pay a day early or late.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.markets import PaydayCustom, markets
from experiments.simulator.settings import Settings
from features.calendars import day_of_month, days_to_month_end, is_banking_day
from features.markets import PaydayRule
from features.time_zones import weekday

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]
Flags = NDArray[np.bool_]

_MARGIN = 45
_ANY_DAYS = 28


@dataclass(frozen=True, slots=True)
class PayCalendars:
    """Every pay calendar of every market, by day.

    Args:
        market: Market index of each calendar, shape (calendars,).
        weight: Share of the market's people on it, shape (calendars,).
        latest: Day number of the latest payday at or before each day, shape (calendars, days).
        following: Day number of the first payday after each day, shape (calendars, days).
        first_day: Day number of column 0.
    """

    market: Int64s
    weight: Float64s
    latest: Int64s
    following: Int64s
    first_day: int


def pay_calendars(settings: Settings) -> PayCalendars:
    """Tabulate every custom of every market over the world's days."""
    days = np.arange(settings.calendar_first, settings.calendar_first + settings.calendar_days, dtype=np.int64)
    wide = np.arange(days[0] - _MARGIN, days[-1] + _MARGIN + 1, dtype=np.int64)
    market_of, weights, latest, following = [], [], [], []
    for index, market in enumerate(markets()):
        for custom in market.paydays:
            for weight, usual in _phases(market.country, custom, wide):
                paydays = usual + settings.shift.paydays
                position = np.searchsorted(paydays, days, side="right")
                market_of.append(index)
                weights.append(weight)
                latest.append(paydays[position - 1])
                following.append(paydays[position])
    return PayCalendars(np.array(market_of), np.array(weights), np.array(latest), np.array(following), int(days[0]))


def _phases(country: str, custom: PaydayCustom, days: Int64s) -> Iterator[tuple[float, Int64s]]:
    """The calendars of one custom with their weights: two for a fortnightly payday, 28 for any day."""
    if custom.any_day:
        for day in range(1, _ANY_DAYS + 1):
            yield custom.weight / _ANY_DAYS, _paydays(country, (PaydayRule(day=day),), days)
        return
    paydays = _paydays(country, custom.rules, days)
    for phase in range(custom.every):
        yield custom.weight / custom.every, paydays[phase :: custom.every]


def _paydays(country: str, rules: tuple[PaydayRule, ...], days: Int64s) -> Int64s:
    banking = is_banking_day(country, days)
    found = [_moved(np.flatnonzero(_falls_on(rule, days, banking)), banking, rule.adjust == "after") for rule in rules]
    return np.unique(days[np.concatenate(found)])


def _falls_on(rule: PaydayRule, days: Int64s, banking: Flags) -> Flags:
    chosen: Flags
    if rule.weekday is not None:
        chosen = weekday(days) == rule.weekday
    elif rule.day is not None:
        chosen = days_to_month_end(days) == 0 if rule.day == 0 else day_of_month(days) == rule.day
    else:
        chosen = _working_days(days, banking, (rule.working_day or 0) - 1)
    return chosen


def _working_days(days: Int64s, banking: Flags, nth: int) -> Flags:
    """The n-th banking day of every whole month (0 the first, -1 the last)."""
    chosen = np.zeros(days.shape, dtype=np.bool_)
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    for month in np.unique(months):
        if _is_whole(int(days[0]), int(days[-1]), int(month)):
            chosen[np.flatnonzero(banking & (months == month))[nth]] = True
    return chosen


def _is_whole(first: int, last: int, month: int) -> bool:
    starts = np.datetime64(month, "M").astype("datetime64[D]").astype(np.int64)
    ends = np.datetime64(month + 1, "M").astype("datetime64[D]").astype(np.int64) - 1
    return bool(first <= starts and ends <= last)


def _moved(positions: Int64s, banking: Flags, after: bool) -> Int64s:
    """Each position moved to the nearest banking day at or before it (or at or after it)."""
    open_days = np.flatnonzero(banking)
    if after:
        return open_days[np.minimum(np.searchsorted(open_days, positions), open_days.size - 1)]
    return open_days[np.maximum(np.searchsorted(open_days, positions, side="right") - 1, 0)]

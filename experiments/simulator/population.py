"""The simulated customers: where they live, what they pay, when they are paid and how they leave."""

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.draws import Stream, exponential, normal, pick, uniform
from experiments.simulator.landscape import Landscape
from experiments.simulator.markets import markets

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

_ALREADY_THERE = 0.55  # share of customers who joined before billing begins
_TENURE_DAYS = 420
_STAY_DAYS = 1_300  # mean time to a voluntary end
_USAGE_SHARE = 0.12  # customers billed by usage: the amount differs from month to month
_RUN_SHARE = 0.45  # customers billed in the merchant's daily run rather than at the hour they joined
_RUN_HOUR = 6
_FIRST_OF_MONTH = 0.22  # customers billed on the 1st
_PAY_SHIFTS = np.array([-1, 0, 1, 2])
_PAY_SHIFT_WEIGHTS = np.array([0.06, 0.70, 0.16, 0.08])
_COMFORT, _COMFORT_SPREAD = 7.6, 4.7  # probit units: ease of paying on a payday
_SPENDING, _SPENDING_SPREAD = 1.5, 0.6  # lost per 14 days since the payday; median, spread of its logarithm


@dataclass(frozen=True, slots=True)
class Customers:
    """One position a customer.

    Args:
        number: Customer numbers; every draw about a customer depends on its number only.
        market: Market index.
        zone: Zone index of the customer's clock.
        joined_day: Day number of joining.
        left_day: Day number of a voluntary end.
        amount: Usual amount in minor units.
        usage: 1 where the amount differs from month to month.
        due_day: Day of the month of billing, 1 to 28.
        due_hour: Local hour of billing.
        pay_calendar: Position in the pay calendars.
        pay_shift: Days that wages come after the calendar's payday (-1 is a day before).
        salary_hour: Local hour at which wages are booked.
        comfort: Ease of paying the usual amount on a payday, probit units.
        spending: Ease lost in 14 days since the payday.
    """

    number: Int64s
    market: Int64s
    zone: Int64s
    joined_day: Int64s
    left_day: Int64s
    amount: Int64s
    usage: Int64s
    due_day: Int64s
    due_hour: Int64s
    pay_calendar: Int64s
    pay_shift: Int64s
    salary_hour: Int64s
    comfort: Float64s
    spending: Float64s

    def take(self, positions: Int64s) -> "Customers":
        """The customers at those positions."""
        return Customers(**{f.name: getattr(self, f.name)[positions] for f in fields(self)})


def customers(land: Landscape, number: Int64s) -> Customers:
    """Draw the customers of those numbers."""
    seed, settings = land.settings.seed, land.settings

    def draw(part: int) -> Float64s:
        return uniform(seed, Stream.CUSTOMER, number, part)

    market = pick(draw(0), np.array([m.share for m in markets()]))
    joined = _joined(land, number, draw(1))
    active_from = np.maximum(joined, settings.first_day)
    return Customers(
        number=number,
        market=market,
        zone=_zone(land, market, draw(2)),
        joined_day=joined,
        left_day=active_from + (_STAY_DAYS * exponential(seed, Stream.CUSTOMER, number, 3)).astype(np.int64) + 1,
        amount=_amount(market, draw(4)),
        usage=(draw(5) < _USAGE_SHARE).astype(np.int64),
        due_day=np.where(draw(6) < _FIRST_OF_MONTH, 1, 1 + (28 * draw(7)).astype(np.int64)),
        due_hour=np.where(draw(8) < _RUN_SHARE, _RUN_HOUR, (24 * draw(9)).astype(np.int64)),
        pay_calendar=_pay_calendar(land, market, draw(10)),
        pay_shift=_PAY_SHIFTS[pick(draw(11), _PAY_SHIFT_WEIGHTS)],
        salary_hour=_salary_hour(market, draw(12)),
        comfort=_COMFORT + _COMFORT_SPREAD * normal(seed, Stream.CUSTOMER, number, 13),
        spending=_SPENDING * np.exp(_SPENDING_SPREAD * normal(seed, Stream.CUSTOMER, number, 14)),
    )


def _joined(land: Landscape, number: Int64s, draws: Float64s) -> Int64s:
    settings = land.settings
    before = _TENURE_DAYS * exponential(settings.seed, Stream.CUSTOMER, number, 15)
    share_into = (draws - _ALREADY_THERE) / (1 - _ALREADY_THERE)
    during = (settings.last_day - settings.first_day) * share_into
    return (settings.first_day + np.where(draws < _ALREADY_THERE, -1 - before, during)).astype(np.int64)


def _zone(land: Landscape, market: Int64s, draws: Float64s) -> Int64s:
    weights = np.zeros((len(markets()), len(land.issuers.zones)))
    for index, description in enumerate(markets()):
        for zone, weight in description.zones.items():
            weights[index, land.issuers.zones.index(zone)] = weight
    return pick(draws, weights[market])


def _amount(market: Int64s, draws: Float64s) -> Int64s:
    prices = np.array([m.prices for m in markets()])
    return prices[market, pick(draws, np.array([0.34, 0.33, 0.22, 0.11]))].astype(np.int64)


def _pay_calendar(land: Landscape, market: Int64s, draws: Float64s) -> Int64s:
    calendars = land.paydays
    weights = np.where(calendars.market[None, :] == np.arange(len(markets()))[:, None], calendars.weight[None, :], 0.0)
    found = np.zeros(market.size, dtype=np.int64)
    for index in range(len(markets())):
        of_market = market == index
        found[of_market] = pick(draws[of_market], weights[index])
    return found


def _salary_hour(market: Int64s, draws: Float64s) -> Int64s:
    early = np.array([m.salary_hours[0] for m in markets()])[market]
    late = np.array([m.salary_hours[1] for m in markets()])[market]
    result: Int64s = (early + (late - early + 1) * draws).astype(np.int64)
    return result

"""Whether the money is there: a balance that fills on paydays, drains between them and is never seen.

A payment of amount a on day t is covered when

    comfort + ease - spending · cycle · min(d, 31) / 14 - slope · ln(a / usual) + noise  >  0

in probit units, with d the days since wages were booked (for credit cards since the statement was settled, a few days
after the payday) and noise ~ N(0, 1) made of three shared parts: the pay cycle (a bad month), the day and the hour.
So a customer who could not pay at noon can hardly pay at one, may pay tomorrow, and probably can after the payday.
"""

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.draws import Stream, normal
from experiments.simulator.landscape import Landscape
from experiments.simulator.methods import PRIMARY, REPLACEMENT, SLOTS, Methods
from experiments.simulator.population import Customers
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

CYCLE_SHARE, DAY_SHARE, HOUR_SHARE = 0.72, 0.20, 0.08  # of the noise's variance
_SPELL_DAYS = 14
_LONGEST_DAYS = 31
_AMOUNT_SLOPE = 0.9


def funds_mean(
    land: Landscape, people: Customers, them: Methods, customer: Int64s, slot: Int64s, hour: Int64s, amount: Int64s
) -> Float64s:
    """What is left of the ease of paying in each hour, before noise; the funds are there with Φ of it.

    Args:
        customer: Positions in the customers, shape (n,).
        slot: Method slots.
        hour: UTC hours since 1970.
        amount: Minor units.
    """
    position = customer * SLOTS + slot
    since = np.minimum(days_since_pay(land, people, them, customer, slot, hour)[0], _LONGEST_DAYS)
    drained = people.spending[customer] * them.cycle[position] * since / _SPELL_DAYS
    dearer = _AMOUNT_SLOPE * np.log(amount / people.amount[customer])
    result: Float64s = people.comfort[customer] + them.ease[position] - drained - dearer
    return result


def funds_noise(
    land: Landscape, people: Customers, them: Methods, customer: Int64s, slot: Int64s, hour: Int64s
) -> Float64s:
    """The balance's noise, N(0, 1): shared within a pay cycle, a local day and an hour."""
    seed, number = land.settings.seed, people.number[customer]
    cycle = days_since_pay(land, people, them, customer, slot, hour)[1]
    day = land.local(people.zone[customer], hour * MICROS_PER_HOUR) // MICROS_PER_DAY
    account = np.where(slot == REPLACEMENT, PRIMARY, slot)  # a new card, the same account
    result: Float64s = (
        np.sqrt(CYCLE_SHARE) * normal(seed, Stream.MONEY_CYCLE, number, account, cycle)
        + np.sqrt(DAY_SHARE) * normal(seed, Stream.MONEY_DAY, number, account, day)
        + np.sqrt(HOUR_SHARE) * normal(seed, Stream.MONEY_HOUR, number, account, hour)
    )
    return result


def days_since_pay(
    land: Landscape, people: Customers, them: Methods, customer: Int64s, slot: Int64s, hour: Int64s
) -> tuple[Int64s, Int64s]:
    """Local days since the method's cycle began, and the day number on which it began."""
    day, shift = _pay_day(land, people, them, customer, slot, hour)
    latest = land.paydays.latest[people.pay_calendar[customer], land.day_column(day)]
    return np.maximum(day - latest, 0), latest + shift


def days_to_pay(
    land: Landscape, people: Customers, them: Methods, customer: Int64s, slot: Int64s, hour: Int64s
) -> Int64s:
    """Local days until the method's next cycle begins, at least 1."""
    day, _ = _pay_day(land, people, them, customer, slot, hour)
    following = land.paydays.following[people.pay_calendar[customer], land.day_column(day)]
    result: Int64s = np.maximum(following - day, 1)
    return result


def _pay_day(
    land: Landscape, people: Customers, them: Methods, customer: Int64s, slot: Int64s, hour: Int64s
) -> tuple[Int64s, Int64s]:
    """The day to look up in the pay calendar: before the hour of booking, the day before."""
    local = land.local(people.zone[customer], hour * MICROS_PER_HOUR) - people.salary_hour[customer] * MICROS_PER_HOUR
    shift = people.pay_shift[customer] + them.statement_day[customer * SLOTS + slot]
    return local // MICROS_PER_DAY - shift, shift

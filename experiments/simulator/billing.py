"""Monthly billing: what falls due, with which method and through which processor it is first tried."""

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.answers import Asks
from experiments.simulator.draws import Stream, normal, uniform
from experiments.simulator.landscape import Landscape
from experiments.simulator.methods import NEVER, PRIMARY, REPLACEMENT, SECOND, SLOTS, THIRD, Methods
from experiments.simulator.population import Customers
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR, MICROS_PER_SECOND

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

PREFERENCE = (REPLACEMENT, PRIMARY, SECOND, THIRD)  # a replacement on file is charged before what it replaces
DEBIT_HOUR = 8  # local hour at which debits are submitted
_USAGE_SPREAD = 0.35
_SECONDS_AN_HOUR = 3_600


def bill(
    land: Landscape, people: Customers, them: Methods, usable_from: Int64s, month: int, active: Flags
) -> tuple[Asks, Int64s]:
    """The first attempts of a month of billing and when each fell due (UTC microseconds).

    Args:
        usable_from: Hour from which each method may be charged again, shape (customers * SLOTS,); 0 if it always may.
        active: Whether each customer still subscribes.
    """
    day = land.settings.month_day(month) + people.due_day - 1
    customer = np.flatnonzero(active & (people.joined_day <= day) & (day < people.left_day))
    due = land.utc(people.zone[customer], day[customer] * MICROS_PER_DAY + people.due_hour[customer] * MICROS_PER_HOUR)
    slot = first_usable(them, usable_from, customer, due // MICROS_PER_HOUR)
    customer, due, slot = (values[slot >= 0] for values in (customer, due, slot))
    due = _debit_due(land, people, them, customer, slot, due)
    asks = Asks(
        customer=customer,
        payment=np.full(customer.size, month, dtype=np.int64),
        slot=slot,
        processor=default_processor(land, people, them, customer, slot),
        at=due + within_hour(land, people.number[customer], month, 0),
        amount=_amount(land, people, customer, month),
        gone_hour=np.full(customer.size, NEVER, dtype=np.int64),
    )
    return asks, due


def first_usable(them: Methods, usable_from: Int64s, customer: Int64s, hour: Int64s) -> Int64s:
    """The slot the merchant charges by default in an hour, or -1 where no method may be charged."""
    slot = np.full(customer.size, -1, dtype=np.int64)
    for candidate in reversed(PREFERENCE):
        position = customer * SLOTS + candidate
        usable = (them.added_hour[position] <= hour) & (usable_from[position] <= hour)
        slot[usable] = candidate
    return slot


def default_processor(land: Landscape, people: Customers, them: Methods, customer: Int64s, slot: Int64s) -> Int64s:
    """The first processor that carries the method in its market; every method has one."""
    carries = land.carries[:, people.market[customer], them.network[customer * SLOTS + slot]]
    first: Int64s = np.argmax(carries, axis=0)
    return first


def within_hour(land: Landscape, number: Int64s, payment: Int64s | int, order: Int64s | int) -> Int64s:
    """Microseconds into the hour at which an attempt is made, in whole seconds."""
    draws = uniform(land.settings.seed, Stream.MINUTE, number, payment, order)
    return (draws * _SECONDS_AN_HOUR).astype(np.int64) * MICROS_PER_SECOND


def _debit_due(
    land: Landscape, people: Customers, them: Methods, customer: Int64s, slot: Int64s, due: Int64s
) -> Int64s:
    """Debits fall due in the morning of the first banking day at or after the day."""
    debit = land.is_debit[them.network[customer * SLOTS + slot]]
    market, zone = people.market[customer], people.zone[customer]
    day = land.local(zone, due) // MICROS_PER_DAY
    moved = due.copy()
    for index, open_days in enumerate(land.banking_days):
        chosen = debit & (market == index)
        open_day = open_days[np.searchsorted(open_days, day[chosen])]
        moved[chosen] = land.utc(zone[chosen], open_day * MICROS_PER_DAY + DEBIT_HOUR * MICROS_PER_HOUR)
    return moved


def _amount(land: Landscape, people: Customers, customer: Int64s, month: int) -> Int64s:
    usual = people.amount[customer]
    factor = np.exp(_USAGE_SPREAD * normal(land.settings.seed, Stream.AMOUNT, people.number[customer], month))
    return np.where(people.usage[customer] == 1, np.maximum(usual * factor, 100), usual).astype(np.int64)

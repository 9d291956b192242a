"""What each retry is worth in money: the gain if it is approved, what it costs, and what remains on average.

For a retry in a slot that starts `d` days from now, with probability of approval `p`:

    gain        = amount · margin · (1 + later_invoices) · 0.5^(d / half_life_days) − amount · delay_per_day · d
    cost        = p · fee_approved + (1 − p) · (fee_declined + harm + decline_price)
    net         = p · gain − cost
    break-even  = p · gain: an attempt that costs this much whatever its outcome is worth nothing

What a network charges for an attempt over a limit is no part of it, because such attempts are never made.
The survival factor is P(customer still there at the slot | there now). Sources of the figures: the economics file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import MICROS_PER_DAY, to_micros
from features.known import distinct
from features.money import Money
from features.proposed import Proposed
from model.economics import Economics, Fee

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Value:
    """The value of one retry, rounded to the minor unit of the payment's currency."""

    gain: Money
    cost: Money
    net: Money
    break_even_cost: Money


@dataclass(frozen=True, slots=True)
class Values:
    """The values of many retries in minor units of `currency`, each of shape (n,), not rounded.

    Args:
        approved_cost, declined_cost: What the attempt costs by its outcome; `cost` is their mean by its chance.
    """

    gain: Floats
    approved_cost: Floats
    declined_cost: Floats
    cost: Floats
    net: Floats
    break_even_cost: Floats
    currency: str

    def __getitem__(self, index: int) -> Value:
        return Value(
            gain=self._money(self.gain[index]),
            cost=self._money(self.cost[index]),
            net=self._money(self.net[index]),
            break_even_cost=self._money(self.break_even_cost[index]),
        )

    def at(self, places: Int64s, probability: Floats) -> "Values":
        """The values of some of the retries if their chances were others, shape of both (k,)."""
        gain, approved, declined = self.gain[places], self.approved_cost[places], self.declined_cost[places]
        return _values(gain, approved, declined, probability, self.currency)

    def _money(self, minor: float) -> Money:
        return Money(round(float(minor)), self.currency)


def values(
    context: Context,
    retries: Sequence[Retry],
    probability: Floats,
    economics: Economics,
) -> Values:
    """The values of the retries at the context's instant.

    Args:
        probability: P(approved) of each retry, shape (n,).

    Raises:
        InvalidValueError: A fee is in a currency without a rate to the payment's.
    """
    amount = context.payment.amount
    days = (Proposed.of(retries).start - to_micros(context.as_of)) / MICROS_PER_DAY
    approved, declined = costs_by_outcome(context, retries, economics)
    return _values(gains(amount, days, economics), approved, declined, probability, amount.currency)


def _values(gain: Floats, approved: Floats, declined: Floats, probability: Floats, currency: str) -> Values:
    cost = probability * approved + (1.0 - probability) * declined
    won = probability * gain
    return Values(gain, approved, declined, cost, won - cost, won, currency)


def gains(amount: Money, days: Floats, economics: Economics) -> Floats:
    """What an approval is worth that many days from now, in minor units, shape of `days`."""
    worth = amount.amount_minor * economics.margin * (1.0 + economics.later_invoices)
    survival = np.exp2(-days / economics.half_life_days)
    gain: Floats = worth * survival - amount.amount_minor * economics.delay_per_day * days
    return gain


def costs_by_outcome(context: Context, retries: Sequence[Retry], economics: Economics) -> tuple[Floats, Floats]:
    """(cost if approved, cost if declined) of each retry in minor units, each of shape (n,)."""
    amount, proposed = context.payment.amount, Proposed.of(retries)
    of_route = np.zeros((len(proposed.routes), 2))
    for number in distinct(proposed.route).tolist():
        method_id, processor = proposed.routes[number]
        fees = economics.fees_of(processor)
        harm = _minor(economics.harm_on(context.method(method_id).rail), amount.currency, economics)
        harm += _minor(economics.decline_price, amount.currency, economics)
        of_route[number] = _fee(fees.approved, amount, economics), _fee(fees.declined, amount, economics) + harm
    pairs = of_route[proposed.route]
    return pairs[:, 0], pairs[:, 1]


def _fee(fee: Fee, amount: Money, economics: Economics) -> float:
    return _minor(fee.fixed, amount.currency, economics) + fee.share * amount.amount_minor


def _minor(money: Money, currency: str, economics: Economics) -> float:
    return economics.exchange.minor_units(money, currency)

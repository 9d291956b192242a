"""What episodes came to, as arrays: recovered money, attempts, costs and net value, one position an episode.

The net value of an episode uses the formula of `model.valuation` with what happened in place of probabilities:

    net = gain(days from the first failure to the approval) - fee of the approval - (fee + harm) of every decline

in minor units of the economics' base currency, so that markets can be added up. What customers paid by hand is a gain
at that day without a cost; it is kept apart, because a retry only brings it forward.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from experiments.replay import End, Episode
from features.attempt import Attempt
from features.context import Context
from features.instants import MICROS_PER_DAY, MICROSECOND
from features.money import Money
from features.vocabulary import Outcome
from model.economics import Economics
from model.valuation import gains

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]


_ARRAYS = (
    "amount",
    "recovered",
    "days",
    "attempts",
    "fees",
    "harm",
    "gain",
    "gain_by_hand",
    "breaches",
    "end",
    "ended_after",
)


@dataclass(frozen=True, slots=True)
class Results:
    """Episodes of one policy in the order they were played; arrays have shape (n,).

    Money is in minor units of `currency`.

    Args:
        payment_ids: Which payments.
        customers: Who owes, merchant and customer in one text.
        amount: What was owed.
        recovered: Whether a retry was approved.
        days: From the first failure to the approval, NaN where there was none.
        attempts: Retries made.
        fees, harm: What they cost.
        gain: What the approval is worth, zero without one.
        gain_by_hand: What a payment by hand is worth, zero without one.
        breaches: Retries that a rule forbade.
        end: How each ended, `End`.
        ended_after: Days from the first failure to that.
    """

    policy: str
    payment_ids: tuple[str, ...]
    customers: tuple[str, ...]
    amount: Floats
    recovered: Flags
    days: Floats
    attempts: Int64s
    fees: Floats
    harm: Floats
    gain: Floats
    gain_by_hand: Floats
    breaches: Int64s
    end: Int64s
    ended_after: Floats
    currency: str

    def __len__(self) -> int:
        return len(self.payment_ids)

    @property
    def cost(self) -> Floats:
        """Fees and harm of every retry."""
        return self.fees + self.harm

    @property
    def net(self) -> Floats:
        """What the retries brought, less what they cost."""
        return self.gain - self.cost

    @property
    def net_with_hand(self) -> Floats:
        """The same with what customers paid by hand: what the merchant ends up with."""
        return self.net + self.gain_by_hand

    @property
    def stopped(self) -> Flags:
        """Where the policy gave up by choice: a retry was allowed, and it judged that none pays."""
        return np.equal(self.end, End.STOPPED)

    def costing(self, factor: float) -> Floats:
        """Net value if every attempt had cost so many times as much, shape (n,)."""
        return self.gain - factor * self.cost


def joined(parts: Sequence[Results]) -> Results:
    """The results of one policy played on several sets of payments, one after the other."""
    first = parts[0]
    return Results(
        policy=first.policy,
        payment_ids=tuple(chain.from_iterable(part.payment_ids for part in parts)),
        customers=tuple(chain.from_iterable(part.customers for part in parts)),
        currency=first.currency,
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in _ARRAYS},
    )


def results_of(policy: str, episodes: Sequence[Episode], economics: Economics) -> Results:
    """The results of played episodes.

    Raises:
        InvalidValueError: A currency has no rate in the economics.
    """
    rows = [_row(episode, economics) for episode in episodes]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 7)
    return Results(
        policy=policy,
        payment_ids=tuple(e.context.payment.payment_id for e in episodes),
        customers=tuple(f"{e.context.payment.merchant_id}/{e.context.payment.customer_id}" for e in episodes),
        amount=table[:, 0],
        recovered=np.array([e.end is End.RECOVERED for e in episodes], dtype=np.bool_),
        days=table[:, 1],
        attempts=table[:, 2].astype(np.int64),
        fees=table[:, 3],
        harm=table[:, 4],
        gain=table[:, 5],
        gain_by_hand=table[:, 6],
        breaches=np.array([e.breaches for e in episodes], dtype=np.int64),
        end=np.array([-1 if e.end is None else int(e.end) for e in episodes], dtype=np.int64),
        ended_after=np.array([_days(e.context, e.ended_at or e.context.as_of) for e in episodes], dtype=np.float64),
        currency=economics.exchange.base,
    )


def _row(episode: Episode, economics: Economics) -> tuple[float, ...]:
    """(amount, days, attempts, fees, harm, gain, gain by hand) of one episode."""
    context = episode.context
    amount = economics.exchange.minor_units(context.payment.amount, economics.exchange.base)
    fees = sum(_fee(attempt, amount, economics) for attempt in episode.attempts)
    harm = sum(_harm(attempt, context, economics) for attempt in episode.attempts)
    days, gain, by_hand = np.nan, 0.0, 0.0
    if episode.end is End.RECOVERED:
        days = _days(context, episode.attempts[-1].at)
        gain = _gain(context, amount, days, economics)
    if episode.settled_at is not None:
        by_hand = _gain(context, amount, _days(context, episode.settled_at), economics)
    return amount, days, len(episode.attempts), fees, harm, gain, by_hand


def _fee(attempt: Attempt, amount: float, economics: Economics) -> float:
    fees = economics.fees_of(attempt.processor)
    fee = fees.approved if attempt.outcome is Outcome.APPROVED else fees.declined
    return _base(fee.fixed, economics) + fee.share * amount


def _harm(attempt: Attempt, context: Context, economics: Economics) -> float:
    if attempt.outcome is Outcome.APPROVED:
        return 0.0
    return _base(economics.harm_on(context.method(attempt.method_id).rail), economics)


def _base(money: Money, economics: Economics) -> float:
    return economics.exchange.minor_units(money, economics.exchange.base)


def _gain(context: Context, amount: float, days: float, economics: Economics) -> float:
    """What an approval so many days after the first failure is worth, in the base currency."""
    in_own = float(gains(context.payment.amount, np.array([days]), economics)[0])
    return in_own * amount / context.payment.amount.amount_minor


def _days(context: Context, at: datetime) -> float:
    """Days from the first failure, never below zero."""
    return max(0.0, (at - context.as_of) // MICROSECOND / MICROS_PER_DAY)

"""The compact log of a world's attempts: numbers only, turned into the history format at the end."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.answers import Asks, Replies

Int64s = NDArray[np.int64]
Float64s = NDArray[np.float64]

NO_POLICY = -1


@dataclass(frozen=True, slots=True)
class Journal:
    """One position an attempt, shape (n,).

    Args:
        customer: Customer numbers.
        payment: Month of billing; with the customer it identifies the payment.
        order: Place of the attempt within its payment, from 0.
        by_customer: 1 where the customer paid by hand.
        policy: Position in the policies' names, or `NO_POLICY` for a first attempt and a customer's own.
        propensity: Probability with which the policy chose the action; NaN without a policy.
    """

    customer: Int64s
    payment: Int64s
    order: Int64s
    slot: Int64s
    processor: Int64s
    at: Int64s
    known_at: Int64s
    due_at: Int64s
    amount: Int64s
    cause: Int64s
    code: Int64s
    advice: Int64s
    by_customer: Int64s
    policy: Int64s
    propensity: Float64s

    def take(self, positions: Int64s) -> "Journal":
        """The attempts at those positions."""
        return Journal(**{f.name: getattr(self, f.name)[positions] for f in fields(self)})

    def __len__(self) -> int:
        return int(self.customer.size)


def entries(number: Int64s, asks: Asks, replies: Replies, order: Int64s, due_at: Int64s) -> Journal:
    """Journal entries of first attempts: no policy chose them."""
    nothing = np.zeros_like(order)
    return Journal(
        customer=number,
        payment=asks.payment,
        order=order,
        slot=asks.slot,
        processor=asks.processor,
        at=asks.at,
        known_at=replies.known_at,
        due_at=due_at,
        amount=asks.amount,
        cause=replies.cause,
        code=replies.code,
        advice=replies.advice,
        by_customer=nothing,
        policy=nothing + NO_POLICY,
        propensity=np.full(order.shape, np.nan),
    )


def joined(journals: Sequence[Journal]) -> Journal:
    """The journals one after the other."""
    return Journal(**{f.name: np.concatenate([getattr(j, f.name) for j in journals]) for f in fields(Journal)})


def by_time(journal: Journal) -> Journal:
    """The attempts in the order in which they were made."""
    return journal.take(np.lexsort((journal.order, journal.payment, journal.customer, journal.at)))

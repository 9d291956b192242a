"""Customers whose payments fail, with a truth that is known: the only world the validation draws from.

A customer owes some failed payments of one amount, as subscriptions do, and is more or less willing to pay; payments
of one customer are alike in both. The true value of "recovered amount per failed amount" is the mean willingness plus
the lift of the variant, exactly, because willingness, amount and number of payments are independent.
"""

from dataclasses import dataclass

import numpy as np

from experiments.metrics.cohort import Floats, Int64s


@dataclass(frozen=True, slots=True)
class Customers:
    """Arrays share one shape, that of the draw.

    Args:
        payments: How many failed.
        amount: Of each of them, in minor units.
        won: How many were recovered.
        past_payments, past_won: The same before the experiment.
    """

    payments: Int64s
    amount: Floats
    won: Int64s
    past_payments: Int64s
    past_won: Int64s

    @property
    def columns(self) -> Floats:
        """Recovered and failed amount, past recoveries and past failures, shape (..., 4)."""
        parts = (self.won * self.amount, self.payments * self.amount, self.past_won, self.past_payments)
        return np.stack([np.asarray(part, dtype=np.float64) for part in parts], axis=-1)

    @property
    def as_payments(self) -> Floats:
        """One row a payment instead of one a customer, without a past, shape (payments, 4): what must not be done."""
        amount = np.repeat(self.amount, self.payments)
        first = np.repeat(np.cumsum(self.payments) - self.payments, self.payments)
        won = np.arange(len(amount)) - first < np.repeat(self.won, self.payments)
        return np.stack([amount * won, amount, np.zeros(len(amount)), np.ones(len(amount))], axis=1)


def draw(rng: np.random.Generator, shape: int | tuple[int, ...], lift: float | Floats = 0.0) -> Customers:
    """Customers with so much more willingness; `lift` from -0.1 to 0.2, one for all or one for each."""
    willing = 0.1 + 0.7 * rng.beta(0.7, 0.7, shape)
    payments = 1 + rng.poisson(2.5, shape)
    past = 1 + rng.poisson(5.0, shape)
    return Customers(
        payments=payments,
        amount=rng.lognormal(7.0, 0.7, shape),
        won=rng.binomial(payments, willing + lift),
        past_payments=past,
        past_won=rng.binomial(past, willing),
    )

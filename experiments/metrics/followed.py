"""What became of payments and payers within the window, and no later: the facts that every metric is made of.

A payment counts as recovered when it was paid within `outcome_days` of its first failure and not taken back within the
same days. Retries, fees and giving up count within those days too; retries after the payment do not exist by
definition. Per-payer facts count from exposure. Nothing known only after `as_of` counts.
"""

from dataclasses import dataclass

import numpy as np

from experiments.metrics.cohort import Cohort, Event, Flags, Floats, Instants, Int64s
from experiments.metrics.maturity import Window, days

_MICROS_PER_DAY = 86_400_000_000.0


@dataclass(frozen=True, slots=True)
class Followed:
    """A cohort seen through a window at an instant.

    Per-payment arrays have shape (payments,), those per unit (units,). Payments that failed after their unit's joining
    days are outside: `inside` is false, and sums leave them out.

    Args:
        recovered: Paid in time and kept.
        by_customer: Of the recovered, those paid by hand.
        given_up: Closed as lost in time, and not recovered.
        recovered_amount: What was paid of the recovered, else zero.
        days_open: From failure to recovery, or the whole window.
        retries, fees: Number and cost of the retries in time.
    """

    cohort: Cohort
    window: Window
    as_of: np.datetime64
    inside: Flags
    recovered: Flags
    by_customer: Flags
    given_up: Flags
    recovered_amount: Floats
    days_open: Floats
    retries: Floats
    fees: Floats

    def per_unit(self, values: Floats) -> Floats:
        """Sum over each unit's payments inside the window; `values` has shape (payments,), the answer (units,)."""
        payments = self.cohort.payments
        return sums(payments.unit, np.where(self.inside, values, 0.0), len(self.cohort.units))

    def happened(self, kind: Event, within_days: float | None = None) -> Floats:
        """How often it happened to each unit from exposure on, at most `within_days` later, shape (units,)."""
        return self._events(kind, within_days, np.ones(len(self.cohort.events.unit)))

    def value(self, within_days: float | None = None) -> Floats:
        """What each unit paid from exposure on, shape (units,), in minor units."""
        return self._events(Event.PAID, within_days, self.cohort.events.value)

    def _events(self, kind: Event, within_days: float | None, weights: Floats) -> Floats:
        units, events = self.cohort.units, self.cohort.events
        start = units.exposed_at[events.unit]
        until = start + days(self.window.outcome_days if within_days is None else within_days)
        counted = (events.kind == kind) & (events.at >= start) & (events.at <= until) & (events.at <= self.as_of)
        return sums(events.unit[counted], weights[counted], len(units))


def follow(cohort: Cohort, window: Window, as_of: np.datetime64) -> Followed:
    """Cut the facts at the window's end and at `as_of`."""
    payments, retries = cohort.payments, cohort.retries
    exposed_at = cohort.units.exposed_at[payments.unit]
    until = payments.failed_at + days(window.outcome_days)
    recovered = _by(payments.paid_at, until, as_of) & ~_by(payments.taken_back_at, until, as_of)
    timely = _by(retries.at, until[retries.payment], as_of)
    weights = np.where(timely, 1.0, 0.0)
    taken = (np.where(recovered, payments.paid_at, until) - payments.failed_at).astype(np.float64)
    return Followed(
        cohort=cohort,
        window=window,
        as_of=as_of,
        inside=(payments.failed_at <= exposed_at + days(window.joining_days)) & (payments.failed_at <= as_of),
        recovered=recovered,
        by_customer=recovered & payments.paid_by_customer,
        given_up=_by(payments.given_up_at, until, as_of) & ~recovered,
        recovered_amount=np.where(recovered, payments.paid_amount, 0.0),
        days_open=taken / _MICROS_PER_DAY,
        retries=sums(retries.payment, weights, len(payments)),
        fees=sums(retries.payment, weights * retries.fee, len(payments)),
    )


def sums(owner: Int64s, values: Floats, owners: int) -> Floats:
    """Sum of the values of each owner, shape (owners,)."""
    found: Floats = np.bincount(owner, values, minlength=owners).astype(np.float64)
    return found


def _by(at: Instants, until: Instants, as_of: np.datetime64) -> Flags:
    """Whether it happened in time and is known; NaT never did."""
    found: Flags = (at <= until) & (at <= as_of)
    return found

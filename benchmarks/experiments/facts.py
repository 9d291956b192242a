"""Customers of the validation as facts of an experiment, with times: what `analyse` is given in earnest."""

import numpy as np

from benchmarks.experiments.customers import Customers
from experiments.metrics.cohort import Cohort, Events, FailedPayments, Floats, Instants, Int64s, Retries, Units

START = np.datetime64("2026-01-01", "us")
VARIANTS = ("control", "treatment")
_MICROS_PER_DAY = 86_400_000_000


def instants(days: Floats) -> Instants:
    """Days after the start; NaN never happened."""
    micros = np.where(np.isnan(days), 0.0, days) * _MICROS_PER_DAY
    found = START + micros.astype(np.int64).astype("timedelta64[us]")
    return np.where(np.isnan(days), np.datetime64("NaT"), found).astype("datetime64[us]")


def instant(day: float) -> np.datetime64:
    """One instant, days after the start."""
    return START + np.timedelta64(round(day * _MICROS_PER_DAY), "us")


def cohort(customers: Customers, variant: Int64s, exposed: Floats, delay: Floats) -> Cohort:
    """Facts of customers exposed on a day, all of whose payments fail then; the won are paid `delay` days later."""
    owner = np.repeat(np.arange(len(variant)), customers.payments)
    first = np.repeat(np.cumsum(customers.payments) - customers.payments, customers.payments)
    won = np.arange(len(owner)) - first < customers.won[owner]
    amount = customers.amount[owner]
    never = instants(np.full(len(owner), np.nan))
    units = Units(
        variants=VARIANTS,
        variant=variant,
        exposed_at=instants(exposed),
        propensity=np.full(len(variant), 0.5),
        covariates={},
        segments={},
    )
    payments = FailedPayments(
        unit=owner,
        failed_at=instants(exposed)[owner],
        amount=amount,
        paid_at=instants(np.where(won, exposed[owner] + delay[owner], np.nan)),
        paid_amount=np.where(won, amount, 0.0),
        paid_by_customer=np.zeros(len(owner), dtype=np.bool_),
        taken_back_at=never,
        given_up_at=never,
        incentive=np.zeros(len(owner)),
        attempts_allowed=np.full(len(owner), 15),
    )
    nothing = np.zeros(0, dtype=np.int64)
    return Cohort(
        units,
        payments,
        Retries(nothing, instants(np.zeros(0)), np.zeros(0)),
        Events(nothing, instants(np.zeros(0)), nothing, np.zeros(0)),
    )

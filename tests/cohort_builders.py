"""Small cohorts of an experiment, column by column, with times in days after a start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.metrics.cohort import Cohort, Event, Events, FailedPayments, Floats, Instants, Retries, Units

START = np.datetime64("2026-01-01T00:00", "us")
NEVER = float("nan")


def instants(days: Sequence[float] | Floats) -> Instants:
    """Days after the start as instants; NaN never happened."""
    found = np.full(len(days), np.datetime64("NaT"), dtype="datetime64[us]")
    for i, day in enumerate(days):
        if not np.isnan(day):
            found[i] = START + np.timedelta64(round(day * 86_400_000_000), "us")
    return found


def instant(day: float) -> np.datetime64:
    """One instant, days after the start."""
    return START + np.timedelta64(round(day * 86_400_000_000), "us")


@dataclass(frozen=True, slots=True)
class Owed:
    """One failed payment; days after the start."""

    unit: int
    amount: float = 1_000.0
    failed: float = 0.0
    paid: float = NEVER
    by_customer: bool = False
    taken_back: float = NEVER
    given_up: float = NEVER
    incentive: float = 0.0
    allowed: int = 15
    retries: tuple[float, ...] = ()
    fee: float = 10.0


def cohort(
    owed: Sequence[Owed],
    variant: Sequence[int],
    exposed: Sequence[float],
    events: Sequence[tuple[int, float, Event, float]] = (),
    covariates: Mapping[str, Floats] | None = None,
) -> Cohort:
    """A cohort of variants "control" and "treatment"."""
    retries = [(i, at, one.fee) for i, one in enumerate(owed) for at in one.retries]
    units = Units(
        variants=("control", "treatment"),
        variant=np.array(variant, dtype=np.int64),
        exposed_at=instants(exposed),
        propensity=np.full(len(variant), 0.5),
        covariates=covariates or {},
        segments={},
    )
    payments = FailedPayments(
        unit=np.array([one.unit for one in owed], dtype=np.int64),
        failed_at=instants([one.failed for one in owed]),
        amount=np.array([one.amount for one in owed]),
        paid_at=instants([one.paid for one in owed]),
        paid_amount=np.array([0.0 if np.isnan(one.paid) else one.amount for one in owed]),
        paid_by_customer=np.array([one.by_customer for one in owed], dtype=np.bool_),
        taken_back_at=instants([one.taken_back for one in owed]),
        given_up_at=instants([one.given_up for one in owed]),
        incentive=np.array([one.incentive for one in owed]),
        attempts_allowed=np.array([one.allowed for one in owed], dtype=np.int64),
    )
    tried = Retries(
        payment=np.array([one[0] for one in retries], dtype=np.int64),
        at=instants([one[1] for one in retries]),
        fee=np.array([one[2] for one in retries], dtype=np.float64),
    )
    happened = Events(
        unit=np.array([one[0] for one in events], dtype=np.int64),
        at=instants([one[1] for one in events]),
        kind=np.array([one[2] for one in events], dtype=np.int64),
        value=np.array([one[3] for one in events], dtype=np.float64),
    )
    return Cohort(units, payments, tried, happened)

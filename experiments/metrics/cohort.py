"""Facts of one experiment in columns: its units, their failed payments, the retries, and what else befell the payer.

Money is in minor units of one base currency. Instants are `datetime64[us]` in UTC; what did not happen is NaT.
Units whose variant was overridden (testers) do not belong here, nor do payments that failed before the unit's exposure
and were not decided on in the experiment: leave them out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from features.errors import InvalidValueError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Int64s = NDArray[np.int64]
Instants = NDArray[np.datetime64]
Words = NDArray[np.str_]


class Event(IntEnum):
    """What befalls a payer besides attempts; PAID is a payment of any kind with its value, refunds negative."""

    COMPLAINT = 0
    UNSUBSCRIBE = 1
    CHARGEBACK = 2
    ENDED_UNPAID = 3
    ENDED_BY_CHOICE = 4
    PAID = 5


@dataclass(frozen=True, slots=True)
class Units:
    """What was assigned, usually customers; arrays have shape (n,).

    Args:
        variant: Position in `variants`.
        exposed_at: When the unit's first decision under its variant was made.
        propensity: With what probability it got its variant among those it could get; constant unless weights changed.
        covariates: By name, what was known of the unit before its failure, finite (fill what is unknown with one
            value for all); a name carries its unit.
        segments: By name, labels known before the failure (market, rail, decline category).
        divided_since: Since when the buckets had been divided as they were when the unit was assigned; None where no
            unit's is known, which then is when it was exposed.
    """

    variants: tuple[str, ...]
    variant: Int64s
    exposed_at: Instants
    propensity: Floats
    covariates: Mapping[str, Floats]
    segments: Mapping[str, Words]
    divided_since: Instants | None = None

    def __len__(self) -> int:
        return len(self.variant)

    @property
    def assigned_under(self) -> Instants:
        """An instant at which the weights were those that the unit was assigned by, shape (n,)."""
        return self.exposed_at if self.divided_since is None else self.divided_since


@dataclass(frozen=True, slots=True)
class FailedPayments:
    """Payments whose first attempt failed; arrays have shape (m,).

    Args:
        unit: Position of who owes it in `Units`.
        failed_at: Of the first failure.
        amount: What was owed.
        paid_at: When it was paid, by whatever means.
        paid_amount: What was paid then; zero where nothing was.
        paid_by_customer: Whether the customer paid by hand rather than by a retry.
        taken_back_at: When the payment was refunded, returned or charged back.
        given_up_at: When the merchant wrote it off or stopped trying for good.
        incentive: What was given away to get it paid (discount, credit).
        attempts_allowed: Retries that the tightest cap allowed in the window.
    """

    unit: Int64s
    failed_at: Instants
    amount: Floats
    paid_at: Instants
    paid_amount: Floats
    paid_by_customer: Flags
    taken_back_at: Instants
    given_up_at: Instants
    incentive: Floats
    attempts_allowed: Int64s

    def __len__(self) -> int:
        return len(self.unit)


@dataclass(frozen=True, slots=True)
class Retries:
    """Attempts after the first failure; arrays have shape (k,).

    Args:
        payment: Position in `FailedPayments`.
        fee: Of processor and network, for this attempt.
    """

    payment: Int64s
    at: Instants
    fee: Floats


@dataclass(frozen=True, slots=True)
class Events:
    """What befell the payers; arrays have shape (j,); `value` counts for PAID only."""

    unit: Int64s
    at: Instants
    kind: Int64s
    value: Floats


@dataclass(frozen=True, slots=True)
class Cohort:
    """All facts of one experiment.

    Raises:
        InvalidValueError: Columns differ in length, a position points nowhere, a required instant is missing, an amount
            is negative or not finite, or a covariate is not finite.
    """

    units: Units
    payments: FailedPayments
    retries: Retries
    events: Events

    def __post_init__(self) -> None:
        units, payments, retries, events = self.units, self.payments, self.retries, self.events
        named = {
            "exposed_at": units.exposed_at,
            "assigned_under": units.assigned_under,
            "propensity": units.propensity,
            **units.covariates,
            **units.segments,
        }
        _same_length("units", len(units), named.items())
        for name, table in (("payments", payments), ("retries", retries), ("events", events)):
            columns = [(field, getattr(table, field)) for field in table.__slots__]
            _same_length(name, len(columns[0][1]), columns)
        _positions("units.variant", units.variant, len(units.variants))
        _positions("payments.unit", payments.unit, len(units))
        _positions("retries.payment", retries.payment, len(payments))
        _positions("events.unit", events.unit, len(units))
        _positions("events.kind", events.kind, len(Event))
        for name, instants in (
            ("units.exposed_at", units.exposed_at),
            ("units.divided_since", units.assigned_under),
            ("payments.failed_at", payments.failed_at),
            ("retries.at", retries.at),
            ("events.at", events.at),
        ):
            if np.isnat(instants).any():
                raise InvalidValueError(name, "NaT", "an instant in every row")
        for name, money in (
            ("payments.amount", payments.amount),
            ("payments.paid_amount", payments.paid_amount),
            ("payments.incentive", payments.incentive),
            ("retries.fee", retries.fee),
        ):
            _finite(name, money)
            if (money < 0).any():
                raise InvalidValueError(name, float(money.min()), "no negative amount")
        wrong = units.propensity[~((units.propensity > 0) & (units.propensity <= 1))]
        if len(wrong):
            raise InvalidValueError("units.propensity", float(wrong[0]), "a probability above 0 and at most 1")
        for name, covariate in units.covariates.items():
            _finite(f"units.covariates[{name}]", covariate)


def _same_length(table: str, length: int, columns: Iterable[tuple[str, NDArray[np.generic]]]) -> None:
    for name, column in columns:
        if column.shape != (length,):
            raise InvalidValueError(f"{table}.{name}", column.shape, f"the shape ({length},) of the other columns")


def _positions(name: str, positions: Int64s, size: int) -> None:
    wrong = positions[(positions < 0) | (positions >= size)]
    if len(wrong):
        raise InvalidValueError(name, int(wrong[0]), f"a position from 0 to {size - 1}")


def _finite(name: str, values: Floats) -> None:
    wrong = values[~np.isfinite(values)]
    if len(wrong):
        raise InvalidValueError(name, float(wrong[0]), "a finite number in every row")

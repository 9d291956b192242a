"""Payments of an experiment, as the ledger tells of them, in the columns that every metric is computed from.

A unit is in once, from its first exposure on, in the variant that answered it first. Its payments that had failed by
then count, each with what became of it within the window; what fails later is in no figure, since a policy may change
how much fails later.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from experiments.metrics.cohort import Cohort, Events, FailedPayments, Floats, Instants, Retries, Units
from experiments.outcomes import PaymentOutcome, RecoveredBy, Retry
from features.errors import InvalidValueError
from features.instants import to_micros
from features.money import Money
from model.economics import Economics

SEGMENTS = ("market", "rail", "decline_category")
UNTOLD = frozenset(
    {
        *("cap_use", "involuntary_churn", "complaints", "unsubscribes", "chargebacks"),
        *(f"{name}_{days}" for name in ("retention", "value") for days in (30, 60, 90)),
    }
)
"""Metrics whose facts are not among those below; with nothing told of them they would all read as nothing happened."""

_NOT_BY_US = frozenset({RecoveredBy.CUSTOMER, RecoveredBy.ITSELF})
_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class ObservedPayment:
    """A payment that a variant answered for, with what became of it.

    Args:
        unit: Merchant and id of what was assigned.
        propensity: With what probability it got its variant.
        divided_since: Since when the buckets had been divided as they were then; None where that is not known.
        exposed_at, failed_at: First answer, and the first failure before it.
        segments: Labels by `SEGMENTS`, as of the first failure.
    """

    unit: tuple[str, str]
    variant: str
    propensity: float
    exposed_at: datetime
    failed_at: datetime
    amount: Money
    segments: Mapping[str, str]
    outcome: PaymentOutcome
    divided_since: datetime | None = None


def cohort_of(payments: Iterable[ObservedPayment], variants: Sequence[str], economics: Economics) -> Cohort:
    """The columns of all payments, in minor units of the economics' base currency.

    Incentives and events of payers are not told, nor is how many attempts the caps allowed: see `UNTOLD`.

    Raises:
        InvalidValueError: A payment has a variant that is not among those given, or a currency without a rate.
    """
    observed = list(payments)
    first: dict[tuple[str, str], ObservedPayment] = {}
    for one in observed:
        known = first.setdefault(one.unit, one)
        if one.exposed_at < known.exposed_at:
            first[one.unit] = one
    position = {unit: number for number, unit in enumerate(first)}
    return Cohort(
        units=_units(tuple(first.values()), tuple(variants)),
        payments=_payments(observed, [position[one.unit] for one in observed], economics),
        retries=_retries(observed, economics),
        events=Events(_whole(()), _instants(()), _whole(()), _floats(())),
    )


def _units(first: Sequence[ObservedPayment], variants: tuple[str, ...]) -> Units:
    for one in first:
        if one.variant not in variants:
            raise InvalidValueError("variant", one.variant, f"one of the definition's: {', '.join(variants)}")
    return Units(
        variants=variants,
        variant=_whole([variants.index(one.variant) for one in first]),
        exposed_at=_instants([one.exposed_at for one in first]),
        propensity=_floats([one.propensity for one in first]),
        covariates={},
        segments={name: np.array([one.segments[name] for one in first], dtype=np.str_) for name in SEGMENTS},
        divided_since=_instants([one.divided_since or one.exposed_at for one in first]),
    )


def _payments(observed: Sequence[ObservedPayment], unit: Sequence[int], economics: Economics) -> FailedPayments:
    outcomes = [one.outcome for one in observed]
    currencies = [one.amount.currency for one in observed]
    paid = [Money(outcome.recovered_minor, code) for outcome, code in zip(outcomes, currencies, strict=True)]
    return FailedPayments(
        unit=_whole(unit),
        failed_at=_instants([one.failed_at for one in observed]),
        amount=_floats([_in_base(one.amount, economics) for one in observed]),
        paid_at=_instants([outcome.paid_at for outcome in outcomes]),
        paid_amount=_floats([_in_base(money, economics) for money in paid]),
        paid_by_customer=np.array([outcome.by in _NOT_BY_US for outcome in outcomes], dtype=np.bool_),
        taken_back_at=_instants([outcome.taken_back_at for outcome in outcomes]),
        given_up_at=_instants([outcome.given_up_at for outcome in outcomes]),
        incentive=np.zeros(len(observed)),
        attempts_allowed=np.zeros(len(observed), dtype=np.int64),
    )


def _retries(observed: Sequence[ObservedPayment], economics: Economics) -> Retries:
    made = [(i, one.amount.currency, made) for i, one in enumerate(observed) for made in one.outcome.retried]
    return Retries(
        payment=_whole([i for i, _, _ in made]),
        at=_instants([one.at for _, _, one in made]),
        fee=_floats([_fee(one, currency, economics) for _, currency, one in made]),
    )


def _fee(made: Retry, currency: str, economics: Economics) -> float:
    """What the processor takes for an attempt, in minor units of the base currency."""
    fees = economics.fees_of(made.processor)
    fee = fees.approved if made.approved else fees.declined
    return _in_base(fee.fixed, economics) + fee.share * _in_base(Money(made.amount_minor, currency), economics)


def _in_base(money: Money, economics: Economics) -> float:
    return economics.exchange.minor_units(money, economics.exchange.base)


def _instants(found: Sequence[datetime | None]) -> Instants:
    """NaT for what did not happen."""
    micros = [_NEVER if one is None else to_micros(one) for one in found]
    instants: Instants = np.array(micros, dtype=np.int64).astype("datetime64[us]")
    return instants


def _floats(found: Sequence[float]) -> Floats:
    return np.array(found, dtype=np.float64)


def _whole(found: Sequence[int]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    return np.array(found, dtype=np.int64)

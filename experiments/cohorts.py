"""Payments of an experiment, as the ledger tells of them, in the columns that every metric is computed from.

A unit is in once, from its first exposure on, in the variant that answered it first. Its payments that had failed by
then count, each with what became of it within the window; what fails later is in no figure, since a policy may change
how much fails later.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from experiments.covariates import EXPECTED_AMOUNT, EXPECTED_PAYMENTS, FAILED_AMOUNT, FAILED_PAYMENTS
from experiments.metrics.cohort import Cohort, Event, Events, FailedPayments, Floats, Instants, Retries, Units
from experiments.metrics.followed import sums
from experiments.outcomes import PaymentOutcome, RecoveredBy, Retry
from experiments.payers import PayerEvent, unmeasured
from features.errors import InvalidValueError
from features.instants import to_micros
from features.money import Money
from model.economics import Economics

SEGMENTS = ("market", "rail", "decline_category")
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
        attempts_allowed: How many retries the tightest limit allowed at the exposure; None where that is not known.
        befell: What was told of who owes it.
        expected: Share of it that was to be expected back before it was answered, as `experiments.covariates` says.
    """

    unit: tuple[str, str]
    variant: str
    propensity: float
    exposed_at: datetime
    failed_at: datetime
    amount: Money
    segments: Mapping[str, str]
    outcome: PaymentOutcome
    attempts_allowed: int | None = None
    befell: Sequence[PayerEvent] = ()
    expected: float = 0.0
    divided_since: datetime | None = None


def unmeasured_in(payments: Iterable[ObservedPayment], as_of: datetime) -> AbstractSet[str]:
    """The metrics of which nothing was told until an instant."""
    kinds: set[Event] = set()
    limits_known = True
    for one in payments:
        kinds.update(event.kind for event in one.befell if one.exposed_at <= event.at <= as_of)
        limits_known &= one.attempts_allowed is not None
    return unmeasured(kinds, limits_known=limits_known)


def cohort_of(payments: Iterable[ObservedPayment], variants: Sequence[str], economics: Economics) -> Cohort:
    """The columns of all payments, in minor units of the economics' base currency.

    Incentives are not told and count as none; of what is not told of payers see `unmeasured_in`.

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
    unit = [position[one.unit] for one in observed]
    units = _units(tuple(first.values()), tuple(variants))
    failed = _payments(observed, unit, economics)
    return Cohort(
        units=replace(units, covariates=_covariates(units, failed, observed)),
        payments=failed,
        retries=_retries(observed, economics),
        events=_events(observed, position, economics),
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


def _covariates(units: Units, payments: FailedPayments, observed: Sequence[ObservedPayment]) -> Mapping[str, Floats]:
    """What was expected of the payments that brought each unit in: amounts and payments, shape (units,)."""
    expected = _floats([one.expected for one in observed])
    counted = np.where(payments.failed_at <= units.exposed_at[payments.unit], 1.0, 0.0)

    def per_unit(values: Floats) -> Floats:
        return sums(payments.unit, values * counted, len(units))

    return {
        EXPECTED_AMOUNT: per_unit(expected * payments.amount),
        FAILED_AMOUNT: per_unit(payments.amount),
        EXPECTED_PAYMENTS: per_unit(expected),
        FAILED_PAYMENTS: per_unit(np.ones(len(observed))),
    }


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
        attempts_allowed=_whole([one.attempts_allowed or 0 for one in observed]),
    )


def _retries(observed: Sequence[ObservedPayment], economics: Economics) -> Retries:
    made = [(i, one.amount.currency, made) for i, one in enumerate(observed) for made in one.outcome.retried]
    return Retries(
        payment=_whole([i for i, _, _ in made]),
        at=_instants([one.at for _, _, one in made]),
        fee=_floats([_fee(one, currency, economics) for _, currency, one in made]),
    )


def _events(
    observed: Sequence[ObservedPayment], position: Mapping[tuple[str, str], int], economics: Economics
) -> Events:
    """Each once a unit, whichever of its payments it was found with."""
    told = {(position[one.unit], event.event_id): event for one in observed for event in one.befell}
    return Events(
        unit=_whole([unit for unit, _ in told]),
        at=_instants([event.at for event in told.values()]),
        kind=_whole([int(event.kind) for event in told.values()]),
        value=_floats([_value(event, economics) for event in told.values()]),
    )


def _value(event: PayerEvent, economics: Economics) -> float:
    if event.amount is None:
        return 0.0
    value = _in_base(event.amount, economics)
    return -value if event.given_back else value


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

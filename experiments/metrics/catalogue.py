"""Every metric of an experiment. Sums are over payments and units inside the window; what is taken back does not count.

"Recovery rate" means at least six things in the trade; all six are here under names that say which. As guard-rail or
claim an experiment should prefer metrics whose denominator the policy cannot move: what failed, or the units.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from experiments.metrics.cohort import Event, Floats
from experiments.metrics.followed import Followed
from experiments.metrics.spec import Direction, Kind, MetricSpec

PRIMARY = "recovered_value"

Part = Callable[[Followed], Floats]


def _units(f: Followed) -> Floats:
    return np.ones(len(f.cohort.units))


def _failed_amount(f: Followed) -> Floats:
    return f.per_unit(f.cohort.payments.amount)


def _failed(f: Followed) -> Floats:
    return f.per_unit(np.ones(len(f.cohort.payments)))


def _recovered_amount(f: Followed) -> Floats:
    return f.per_unit(f.recovered_amount)


def _retried_amount(f: Followed) -> Floats:
    return f.per_unit(np.where(f.by_customer, 0.0, f.recovered_amount))


def _by_hand_amount(f: Followed) -> Floats:
    return f.per_unit(np.where(f.by_customer, f.recovered_amount, 0.0))


def _recovered(f: Followed) -> Floats:
    return f.per_unit(f.recovered.astype(np.float64))


def _retried(f: Followed) -> Floats:
    return f.per_unit((f.recovered & ~f.by_customer).astype(np.float64))


def _closed(f: Followed) -> Floats:
    return f.per_unit((f.recovered | f.given_up).astype(np.float64))


def _tried_amount(f: Followed) -> Floats:
    return f.per_unit(np.where(f.retries > 0, f.cohort.payments.amount, 0.0))


def _tried(f: Followed) -> Floats:
    return f.per_unit((f.retries > 0).astype(np.float64))


def _tried_recovered(f: Followed) -> Floats:
    return f.per_unit((f.recovered & (f.retries > 0)).astype(np.float64))


def _retries(f: Followed) -> Floats:
    return f.per_unit(f.retries)


def _net(f: Followed) -> Floats:
    return f.per_unit(f.recovered_amount - f.fees - np.where(f.recovered, f.cohort.payments.incentive, 0.0))


def _days_of_recovered(f: Followed) -> Floats:
    return f.per_unit(np.where(f.recovered, f.days_open, 0.0))


def _days_open(f: Followed) -> Floats:
    return f.per_unit(f.days_open)


def _allowed(f: Followed) -> Floats:
    return f.per_unit(f.cohort.payments.attempts_allowed.astype(np.float64))


def _share_with(kind: Event) -> Part:
    """Of each unit, whether it ever happened."""
    return lambda f: (f.happened(kind) > 0).astype(np.float64)


def _stayed(within_days: float) -> Part:
    def stayed(f: Followed) -> Floats:
        left = f.happened(Event.ENDED_UNPAID, within_days) + f.happened(Event.ENDED_BY_CHOICE, within_days)
        return np.where(left > 0, 0.0, 1.0)

    return stayed


def _paid(within_days: float) -> Part:
    return lambda f: f.value(within_days)


_HIGHER, _LOWER = Direction.HIGHER, Direction.LOWER
_AMOUNT, _COUNT, _UNIT = "amount that failed", "payments that failed", "units"


def _ratio(
    name: str, question: str, above: tuple[str, Part], below: tuple[str, Part], better: Direction = _HIGHER
) -> MetricSpec:
    return MetricSpec(name, question, above[0], below[0], better, Kind.RATIO, above[1], below[1])


def _mean(
    name: str, question: str, above: tuple[str, Part], better: Direction, days: float, kind: Kind = Kind.MEAN
) -> MetricSpec:
    return MetricSpec(name, question, above[0], _UNIT, better, kind, above[1], _units, days)


def _event(name: str, question: str, above: tuple[str, Part]) -> MetricSpec:
    return MetricSpec(name, question, above[0], _UNIT, _LOWER, Kind.EVENT, above[1], _units)


_FAILED_AMOUNT, _FAILED = (_AMOUNT, _failed_amount), (_COUNT, _failed)


def _of_amounts(
    name: str, question: str, above: tuple[str, Part], below: tuple[str, Part] = _FAILED_AMOUNT
) -> MetricSpec:
    return replace(_ratio(name, question, above, below), of_amounts=True)


_VALUE = (
    _of_amounts(
        PRIMARY,
        "How much of each unit of money that failed is back by day N, by whatever means?",
        ("amount recovered by day N and kept", _recovered_amount),
    ),
    _of_amounts(
        "recovered_value_by_retry",
        "How much of it came back through retries?",
        ("amount recovered by a retry", _retried_amount),
    ),
    _of_amounts(
        "recovered_value_by_customer",
        "How much of it did customers pay by hand, with or without being asked?",
        ("amount that customers paid by hand", _by_hand_amount),
    ),
    _of_amounts(
        "net_value",
        "How much of each unit of money that failed is left after fees and incentives?",
        ("amount recovered less fees of every retry and incentives of the recovered", _net),
    ),
)

_RATES = (
    _of_amounts(
        "rate_amount_any_means",
        "What share of the amount that failed at first was recovered by any means?",
        ("amount recovered", _recovered_amount),
    ),
    _ratio(
        "rate_cohort_open_counted",
        "What share of all failed payments was recovered, those still in progress counted as not?",
        ("payments recovered", _recovered),
        _FAILED,
    ),
    _ratio(
        "rate_closed_only",
        "What share of the payments that came to an end was recovered?",
        ("payments recovered", _recovered),
        ("payments recovered or given up", _closed),
    ),
    _of_amounts(
        "rate_attempted_amount",
        "What share of the amount that was retried did retries recover?",
        ("amount recovered by a retry", _retried_amount),
        ("amount of payments retried at least once", _tried_amount),
    ),
    _ratio(
        "rate_documents_collected",
        "What share of the payments retried was collected, by any means?",
        ("payments retried and recovered", _tried_recovered),
        ("payments retried at least once", _tried),
    ),
    _ratio(
        "rate_recovery_events",
        "What share of retries recovered a payment?",
        ("payments recovered by a retry", _retried),
        ("retries", _retries),
    ),
)

_EFFORT = (
    _ratio(
        "attempts_per_recovery",
        "How many retries does one recovered payment cost?",
        ("retries", _retries),
        ("payments recovered", _recovered),
        _LOWER,
    ),
    _ratio(
        "attempts_per_payment", "How many retries does a failed payment get?", ("retries", _retries), _FAILED, _LOWER
    ),
    _ratio(
        "cap_use",
        "How much of what the caps allow is used?",
        ("retries", _retries),
        ("retries that the tightest cap allowed", _allowed),
        _LOWER,
    ),
    _ratio(
        "days_to_recovery",
        "How long do the recovered take? (Only of the recovered: read it beside the recovery rate.)",
        ("days from failure to recovery", _days_of_recovered),
        ("payments recovered", _recovered),
        _LOWER,
    ),
    _ratio(
        "days_unpaid",
        "How many of the N days is a failed payment unpaid?",
        ("days from failure to recovery, N where there was none", _days_open),
        _FAILED,
        _LOWER,
    ),
)

_PAYER = (
    MetricSpec(
        "involuntary_churn",
        "What share of payers was lost because a payment failed?",
        "units ended for want of payment",
        _UNIT,
        _LOWER,
        Kind.MEAN,
        _share_with(Event.ENDED_UNPAID),
        _units,
    ),
    *(
        _mean(
            f"retention_{at}",
            f"What share of payers is still there {at} days after the failure?",
            (f"units not ended by day {at}", _stayed(at)),
            _HIGHER,
            at,
        )
        for at in (30, 60, 90)
    ),
    *(
        _mean(
            f"value_{at}",
            f"What does a payer pay in the {at} days after the failure?",
            (f"everything paid by day {at} less refunds, in minor units", _paid(at)),
            _HIGHER,
            at,
        )
        for at in (30, 60, 90)
    ),
)

_HARM = (
    _event(
        "complaints",
        "What share of payers complains?",
        ("units that complained by day N", _share_with(Event.COMPLAINT)),
    ),
    _event(
        "unsubscribes",
        "What share of payers no longer wants messages?",
        ("units that unsubscribed by day N", _share_with(Event.UNSUBSCRIBE)),
    ),
    _event(
        "chargebacks",
        "What share of payers disputes a charge?",
        ("units with a chargeback by day N", _share_with(Event.CHARGEBACK)),
    ),
)

METRICS: Mapping[str, MetricSpec] = {spec.name: spec for spec in (*_VALUE, *_RATES, *_EFFORT, *_PAYER, *_HARM)}

"""Payments become columns: a unit once, in the variant that answered it first, in one currency."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from experiments.cohorts import SEGMENTS, ObservedPayment, cohort_of, unmeasured_in
from experiments.metrics.catalogue import METRICS
from experiments.metrics.cohort import Event
from experiments.metrics.maturity import Window
from experiments.metrics.unit_rows import unit_rows
from experiments.outcomes import Followed, Try, outcome_of
from experiments.payers import PayerEvent
from features.errors import InvalidValueError
from features.instants import to_micros
from features.money import Money
from features.vocabulary import Initiator, Outcome
from model.economics import Economics

FAILED = datetime(2026, 1, 1, tzinfo=UTC)
LATER = FAILED + timedelta(days=92)
ECONOMICS = Economics.default()
VARIANTS = ("fixed", "plan")


def tried(days: float, outcome: Outcome, minor: int, by: Initiator = Initiator.MERCHANT) -> Try:
    return Try(FAILED + timedelta(days=days), outcome, by, minor, processor="north")


def observed(
    unit: str, *tries: Try, variant: str = "plan", hours: float = 1, money: Money | None = None
) -> ObservedPayment:
    amount = money or Money(1_000, "EUR")
    return ObservedPayment(
        unit=("acme", unit),
        variant=variant,
        propensity=0.5,
        exposed_at=FAILED + timedelta(hours=hours),
        failed_at=FAILED,
        amount=amount,
        segments=dict.fromkeys(SEGMENTS, "any"),
        outcome=outcome_of(Followed(FAILED, amount.amount_minor, tries), 30, LATER),
    )


def ratio(name: str, *payments: ObservedPayment) -> float:
    """A metric of all payments together, when even ninety days are over."""
    cohort = cohort_of(payments, VARIANTS, ECONOMICS)
    rows = unit_rows(METRICS[name], cohort, Window(30), np.datetime64(to_micros(LATER), "us"))
    return float(rows.columns[:, 0].sum() / rows.columns[:, 1].sum())


def test_a_unit_is_in_once_from_its_first_exposure_in_the_variant_of_it() -> None:
    payments = (observed("a", hours=5, variant="fixed"), observed("a", hours=2), observed("b", variant="fixed"))
    units = cohort_of(payments, VARIANTS, ECONOMICS).units
    assert [units.variants[i] for i in units.variant] == ["plan", "fixed"]
    assert units.exposed_at[0] == np.datetime64("2026-01-01T02:00", "us")


def test_what_fails_after_the_exposure_counts_nowhere() -> None:
    back = observed("a", tried(3, Outcome.APPROVED, 1_000))
    later = replace(observed("a"), failed_at=FAILED + timedelta(days=9), exposed_at=FAILED + timedelta(days=9))
    assert ratio("recovered_value", back, later) == ratio("recovered_value", back) == 1.0
    assert ratio("recovered_value", back, observed("a", hours=2)) == 0.5


def test_money_is_weighed_in_one_currency_and_every_retry_has_its_fee() -> None:
    dollars = Money(1_000, "USD")
    rate = ECONOMICS.exchange.minor_units(Money(1, "USD"), "EUR")
    in_dollars = observed("a", tried(3, Outcome.APPROVED, 1_000), money=dollars)
    assert ratio("recovered_value", in_dollars, observed("b")) == pytest.approx(rate / (1 + rate))
    declined = observed("a", tried(2, Outcome.DECLINED, 1_000), tried(3, Outcome.APPROVED, 1_000))
    assert ratio("net_value", declined) == pytest.approx((1_000 - 5 - 10 - 14) / 1_000)
    by_hand = observed("a", tried(3, Outcome.APPROVED, 1_000, Initiator.CUSTOMER))
    assert (ratio("net_value", by_hand), ratio("recovered_value_by_customer", by_hand)) == (1.0, 1.0)


def test_a_variant_that_the_definition_does_not_name_is_refused() -> None:
    with pytest.raises(InvalidValueError, match=r"variant: 'other' is not accepted; expected one .*: fixed, plan"):
        cohort_of([observed("a", variant="other")], VARIANTS, ECONOMICS)


def befell(kind: Event, days: float, minor: int | None = None, *, back: bool = False, name: str = "") -> PayerEvent:
    amount = None if minor is None else Money(minor, "EUR")
    return PayerEvent(name or f"{kind} {days}", kind, FAILED + timedelta(days=days), amount, back)


def test_every_metric_of_units_is_measured_once_its_kind_was_told_of_anybody_and_not_before() -> None:
    silent = (observed("a"), observed("b", variant="fixed"))
    of_units = {name for name, spec in METRICS.items() if spec.denominator == "units"}
    assert unmeasured_in(silent, LATER) == {*of_units, "cap_use"}
    for kind, measured in (
        (Event.COMPLAINT, {"complaints"}),
        (Event.UNSUBSCRIBE, {"unsubscribes"}),
        (Event.CHARGEBACK, {"chargebacks"}),
        (Event.ENDED_UNPAID, {"involuntary_churn", "retention_30", "retention_60", "retention_90"}),
        (Event.ENDED_BY_CHOICE, {"retention_30", "retention_60", "retention_90"}),
        (Event.PAID, {"value_30", "value_60", "value_90"}),
    ):
        told = (replace(silent[0], befell=(befell(kind, 5),)), silent[1])
        assert unmeasured_in(silent, LATER) - unmeasured_in(told, LATER) == measured
        assert unmeasured_in(told, FAILED + timedelta(days=4)) == unmeasured_in(silent, LATER)
    assert "cap_use" not in unmeasured_in([replace(one, attempts_allowed=8) for one in silent], LATER)
    assert "cap_use" in unmeasured_in([replace(silent[0], attempts_allowed=8), silent[1]], LATER)


def test_what_befell_a_unit_counts_once_whichever_of_its_payments_it_is_told_with() -> None:
    events = (befell(Event.PAID, 20, 500), befell(Event.PAID, 70, 300), befell(Event.PAID, 21, 200, back=True))
    twice = [replace(observed("a", hours=hours), befell=events) for hours in (1, 2)]
    assert [ratio(f"value_{days}", *twice) for days in (30, 60, 90)] == [300.0, 300.0, 600.0]


def test_a_payer_who_left_is_retained_until_then_and_lost_only_for_want_of_payment() -> None:
    left, lost = befell(Event.ENDED_BY_CHOICE, 45), befell(Event.ENDED_UNPAID, 20)
    payments = (replace(observed("a"), befell=(left,)), replace(observed("b"), befell=(lost,)), observed("c"))
    shares = [ratio(name, *payments) for name in ("retention_30", "retention_60", "involuntary_churn")]
    assert shares == pytest.approx([2 / 3, 1 / 3, 1 / 3])


def test_cap_use_is_retries_per_retry_that_was_allowed() -> None:
    declined = [tried(day, Outcome.DECLINED, 1_000) for day in (1, 2)]
    payments = (replace(observed("a", *declined), attempts_allowed=6), replace(observed("b"), attempts_allowed=2))
    assert ratio("cap_use", *payments) == 2 / 8

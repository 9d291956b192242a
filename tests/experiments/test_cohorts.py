"""Payments become columns: a unit once, in the variant that answered it first, in one currency."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from experiments.cohorts import SEGMENTS, UNTOLD, ObservedPayment, cohort_of
from experiments.metrics.catalogue import METRICS
from experiments.metrics.maturity import Window
from experiments.metrics.unit_rows import unit_rows
from experiments.outcomes import Followed, Try, outcome_of
from features.errors import InvalidValueError
from features.instants import to_micros
from features.money import Money
from features.vocabulary import Initiator, Outcome
from model.economics import Economics

FAILED = datetime(2026, 1, 1, tzinfo=UTC)
LATER = FAILED + timedelta(days=90)
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
    """A metric of all payments together, ninety days on."""
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


def test_untold_metrics_are_metrics_and_everything_about_events_is_among_them() -> None:
    assert set(METRICS) >= UNTOLD
    told = cohort_of([observed("a")], VARIANTS, ECONOMICS)
    assert not len(told.events.unit)
    assert {name for name, spec in METRICS.items() if spec.denominator == "units"} <= UNTOLD

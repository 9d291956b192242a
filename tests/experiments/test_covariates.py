"""A covariate known before the failure takes noise off, and whatever it is worth, the difference stays right."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from experiment_builders import a_definition
from experiments.analysis.analysis import analyse
from experiments.analysis.effect import Effect
from experiments.analysis_plans import Planned, analysis_plan
from experiments.changes import breaking
from experiments.cohorts import SEGMENTS, ObservedPayment, cohort_of
from experiments.covariates import EXPECTED_AMOUNT, FAILED_AMOUNT, Expectations, Past, covariate_for
from experiments.definition import CovariateName, Status
from experiments.metrics.catalogue import METRICS
from experiments.metrics.cohort import Cohort, Events, FailedPayments, Retries, Units
from experiments.outcomes import PaymentOutcome, RecoveredBy
from features.instants import to_micros
from features.money import Money
from features.vocabulary import DeclineCategory, Rail
from model.economics import Economics
from model.prior_table import shipped_table

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=60)
FUNDS = DeclineCategory.INSUFFICIENT_FUNDS
ECONOMICS = Economics.default()
DEFINITION = a_definition()
LIFT = 0.08

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Known = Callable[[np.random.Generator, Floats], Floats]


def informative(rng: np.random.Generator, chance: Floats) -> Floats:
    """The chance itself, as a long past would tell it."""
    return chance


def useless(rng: np.random.Generator, chance: Floats) -> Floats:
    return rng.random(len(chance))


def missing_for_half(rng: np.random.Generator, chance: Floats) -> Floats:
    """Those without a past have the rate of their category."""
    return np.where(rng.random(len(chance)) < 0.5, chance, 0.5)


def upside_down(rng: np.random.Generator, chance: Floats) -> Floats:
    """A prior that takes the best for the worst."""
    return 1.0 - chance


def a_cohort(rng: np.random.Generator, known: Known, units: int) -> Cohort:
    """Customers who pay by a chance of their own, a little more often where the plan answers."""
    chance = np.where(rng.random(units) < 0.5, 0.1, 0.8)
    plan = rng.random(units) < 0.5
    won = rng.random(units) < chance + LIFT * plan
    amount = rng.integers(1_000, 5_000, units).astype(np.float64)
    expected = known(rng, chance)
    at, never = np.full(units, to_micros(START)).astype("datetime64[us]"), np.full(units, np.datetime64("NaT", "us"))
    none, nowhere = np.zeros(0, dtype=np.int64), np.zeros(0, dtype="datetime64[us]")
    return Cohort(
        Units(
            variants=("fixed", "plan"),
            variant=plan.astype(np.int64),
            exposed_at=at,
            propensity=np.full(units, 0.5),
            covariates={EXPECTED_AMOUNT: expected * amount, FAILED_AMOUNT: amount},
            segments={},
        ),
        FailedPayments(
            unit=np.arange(units),
            failed_at=at,
            amount=amount,
            paid_at=np.where(won, at + np.timedelta64(3, "D"), never),
            paid_amount=np.where(won, amount, 0.0),
            paid_by_customer=np.zeros(units, dtype=np.bool_),
            taken_back_at=never,
            given_up_at=never,
            incentive=np.zeros(units),
            attempts_allowed=np.zeros(units, dtype=np.int64),
        ),
        Retries(none, nowhere, np.zeros(0)),
        Events(none, nowhere, none, np.zeros(0)),
    )


def effect_of(cohort: Cohort) -> Effect:
    plan = replace(analysis_plan(DEFINITION, Planned(2_000, settled=True, stated=True)), segments=())
    effect = analyse(cohort, plan, np.datetime64(to_micros(AS_OF), "us")).variants[0].primary
    assert effect is not None
    return effect


def observed(expected: float) -> ObservedPayment:
    return ObservedPayment(
        unit=("acme", "c"),
        variant="plan",
        propensity=0.5,
        exposed_at=START,
        failed_at=START,
        amount=Money(2_000, "EUR"),
        segments=dict.fromkeys(SEGMENTS, ""),
        outcome=PaymentOutcome(True, RecoveredBy.NOBODY, None, None, 0, (), None),
        expected=expected,
    )


@dataclass(frozen=True)
class Tally:
    """What many experiments came to."""

    covered: float
    narrower: float
    bias: float
    error: float
    reduction: float


def many(known: Known, experiments: int = 200, units: int = 300) -> Tally:
    rng = np.random.default_rng(11)
    effects = [effect_of(a_cohort(rng, known, units)) for _ in range(experiments)]
    found = np.array([one.difference for one in effects])
    plain = [one.unadjusted for one in effects if one.unadjusted is not None]
    assert len(plain) == experiments
    widths = [(a.fixed.high - a.fixed.low) / (b.fixed.high - b.fixed.low) for a, b in zip(effects, plain, strict=True)]
    return Tally(
        covered=float(np.mean([one.fixed.low <= LIFT <= one.fixed.high for one in effects])),
        narrower=float(np.mean(widths)),
        bias=float(found.mean() - LIFT),
        error=float(found.std(ddof=1) / np.sqrt(experiments)),
        reduction=float(np.mean([one.reduction for one in effects])),
    )


@pytest.mark.parametrize(
    ("known", "width"),
    [
        (informative, (0.60, 0.78)),
        (upside_down, (0.60, 0.78)),
        (missing_for_half, (0.8, 0.95)),
        (useless, (0.98, 1.01)),
    ],
)
def test_the_adjusted_interval_covers_and_is_as_narrow_as_the_covariate_is_good(
    known: Known, width: tuple[float, float]
) -> None:
    tally = many(known)
    # 200 experiments: the share that covers is within 3.5 standard errors of 95 %.
    assert tally.covered == pytest.approx(0.95, abs=3.5 * np.sqrt(0.95 * 0.05 / 200))
    assert abs(tally.bias) < 3.5 * tally.error
    assert width[0] < tally.narrower < width[1]
    assert tally.narrower**2 == pytest.approx(1 - tally.reduction, abs=0.03)


def test_who_has_no_past_is_expected_to_do_as_the_category_and_a_new_category_as_the_prior() -> None:
    prior = shipped_table().approval[FUNDS].mean(Rail.CARD)
    new = Expectations()
    assert new.of(FUNDS, Rail.CARD, Past()) == pytest.approx(prior)
    known = Expectations({FUNDS: Past(180, 120)})
    rate = (20 * prior + 120) / 200
    assert known.of(FUNDS, Rail.CARD, Past()) == pytest.approx(rate)
    assert known.of(FUNDS, Rail.CARD, Past(3, 3)) == pytest.approx((2 * rate + 3) / 5)
    for category in DeclineCategory:
        for rail in Rail:
            assert 0 < known.of(category, rail, Past(4, 1)) < 1


def test_a_unit_is_expected_to_pay_what_its_payments_are_that_brought_it_in() -> None:
    one = observed(0.5)
    other = replace(one, amount=Money(900, "EUR"), expected=0.25)
    later = replace(other, failed_at=START + timedelta(days=1), exposed_at=START + timedelta(days=1))
    found = cohort_of([one, other, later], ("fixed", "plan"), ECONOMICS).units.covariates
    assert found["expected_amount"][0] == pytest.approx(one.expected * one.amount.amount_minor + 225)
    assert found["failed_amount"][0] == one.amount.amount_minor + 900
    assert found["expected_payments"][0] == pytest.approx(one.expected + 0.25)
    assert found["failed_payments"][0] == 2


def test_shares_of_amounts_are_expected_by_amounts_and_rare_events_by_nothing() -> None:
    weighed = {name for name, spec in METRICS.items() if (known := covariate_for(spec)) and "amount" in known.numerator}
    assert {"recovered_value", "net_value", "rate_amount_any_means"} <= weighed
    assert not weighed & {"rate_cohort_open_counted", "attempts_per_payment", "days_unpaid"}
    assert [name for name, spec in METRICS.items() if covariate_for(spec) is None] == [
        "complaints",
        "unsubscribes",
        "chargebacks",
    ]


def test_without_a_covariate_nothing_is_adjusted() -> None:
    plain = replace(DEFINITION, covariate=CovariateName.NONE)
    assert analysis_plan(plain, Planned(2_000, settled=True, stated=True)).covariates == {}


def test_the_covariate_of_a_running_experiment_stays() -> None:
    running = replace(DEFINITION, status=Status.RUNNING)
    (fault,) = breaking(running, replace(running, covariate=CovariateName.NONE), "first.toml")
    assert fault.sentence == (
        "first.toml, covariate: 'none' is not accepted; expected expected_recovery, as was planned before the start; "
        "start a new experiment for another."
    )

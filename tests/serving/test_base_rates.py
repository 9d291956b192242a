"""Base rates count what the experiment would: mature payments of the target, by unit, in one currency."""

from dataclasses import replace
from statistics import NormalDist

import numpy as np
import pytest

from experiment_builders import a_definition
from experiments.analysis.power import Baseline
from experiments.definition import CovariateName, Definition, Method, Namespace, Target, Unit
from failure_histories import Told, a_history
from features.vocabulary import DeclineCategory, Rail
from model.economics import Economics
from serving.base_rates import BaseRate, arriving, base_rate, history_span, run_time

ECONOMICS = Economics.from_toml("[exchange]\nbase = 'EUR'\n[exchange.per_base]\nUSD = 2.0\n")
TEN_DAYS = a_definition(("window_days = 30", "window_days = 10"))
PAYMENTS = (Told("a", "p1", 0, 3), Told("a", "p2", 7), Told("b", "p3", 14, 20), Told("c", "p4", 95, 1))


def rate_of(definition: Definition, *payments: Told) -> BaseRate:
    found = base_rate(a_history(payments), definition, ECONOMICS)
    assert found is not None
    return found


def test_mature_payments_count_within_the_window_only() -> None:
    rate = rate_of(TEN_DAYS, *PAYMENTS)
    # p4 is collecting and p3 came back too late: a owes 2000 of which 1000 came back, b 1000 of which none.
    assert rate.units == 2
    assert rate.recovered == pytest.approx(1 / 3)
    assert rate.per_week == pytest.approx(1.0)


def test_where_nothing_is_mature_nothing_is_said() -> None:
    told = a_history(PAYMENTS)
    assert base_rate(told, replace(TEN_DAYS, window_days=101), ECONOMICS) is None
    assert base_rate(a_history(()), TEN_DAYS, ECONOMICS) is None
    assert (history_span(told), history_span(told.slice(0, 0))) == (100, 0)


def test_a_payment_as_the_unit_and_a_part_of_the_namespace_change_who_counts() -> None:
    by_payment = replace(TEN_DAYS, unit=Unit.PAYMENT, namespace=Namespace("retries", 0, 2500))
    rate = rate_of(by_payment, *PAYMENTS)
    assert rate.units == 3
    assert rate.per_week == pytest.approx(1.5 / 4)


def test_what_was_paid_before_it_failed_is_no_recovery() -> None:
    assert rate_of(TEN_DAYS, *PAYMENTS, Told("d", "p5", 20, -2)).units == 2


def test_payments_of_two_merchants_under_one_id_are_two() -> None:
    rate = rate_of(TEN_DAYS, Told("a", "p1", 0, 3), Told("a", "p1", 5, merchant="beta"))
    assert (rate.units, rate.recovered) == (2, 0.5)


def test_amounts_are_weighed_in_one_currency() -> None:
    rate = rate_of(TEN_DAYS, Told("a", "p1", 0, 3, amount_minor=3000, currency="USD"), Told("b", "p2", 5))
    assert rate.recovered == pytest.approx(1500 / 2500)


@pytest.mark.parametrize(
    "target",
    [
        Target(merchants=("acme",)),
        Target(markets=("DE",)),
        Target(rails=(Rail.CARD,)),
        Target(decline_categories=(DeclineCategory.INSUFFICIENT_FUNDS,)),
        Target(currency="EUR", min_minor=1000, max_minor=1000),
    ],
)
def test_only_payments_of_the_target_count(target: Target) -> None:
    inside = (Told("a", "p1", 0, 3), Told("b", "p2", 7))
    outside = Told(
        "c", "p3", 14, 1, amount_minor=999, currency="USD", rail="bank_debit", market="FR", code="54", merchant="beta"
    )
    aimed = replace(TEN_DAYS, target=target)
    assert rate_of(aimed, *inside, outside) == rate_of(aimed, *inside)
    assert rate_of(TEN_DAYS, *inside, outside).units == 3


def test_the_market_is_the_issuers_country_where_none_is_stated() -> None:
    german = replace(TEN_DAYS, target=Target(markets=("DE",)))
    assert rate_of(german, Told("a", "p1", 0, 3, market=None)).units == 1


def test_a_code_means_what_it_meant_that_day_in_the_payments_market() -> None:
    """SEPA's MS03 stands for missing funds in Germany; Visa's 83 has a meaning since the end of July 2026."""
    funds = replace(TEN_DAYS, target=Target(decline_categories=(DeclineCategory.INSUFFICIENT_FUNDS,)))
    german = Told("a", "p1", 0, 3, network="sepa_core", rail="bank_debit", code="MS03", country=None)
    assert rate_of(funds, german).units == 1
    assert base_rate(a_history([replace(german, market="FR")]), funds, ECONOMICS) is None
    fraud = replace(TEN_DAYS, target=Target(decline_categories=(DeclineCategory.SUSPECTED_FRAUD,)))
    before, since = Told("a", "p1", 150, code="83"), Told("b", "p2", 250, code="83")
    found = base_rate(a_history([before, since], until=300), fraud, ECONOMICS)
    assert found is not None
    assert found.units == 1


def test_the_run_time_of_a_fixed_horizon_is_that_of_the_textbook() -> None:
    rate = BaseRate(units=500, per_week=100.0, recovered=0.6, primary=Baseline(0.6, 0.25, 0.0, 100.0))
    planned = replace(TEN_DAYS, method=Method.FIXED, smallest_effect=0.1)
    found = run_time(planned, rate)
    assert found is not None
    z = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    assert found.units == pytest.approx(4 * z**2 * 0.5**2 / 0.06**2, abs=1)
    assert found.weeks == pytest.approx(found.units / 100 + 10 / 7)
    longer = run_time(replace(planned, method=Method.SEQUENTIAL), rate)
    assert longer is not None
    assert longer.units > found.units


def test_the_run_time_is_read_off_the_first_arrivals_since_the_middle_of_the_history() -> None:
    """500 fail every ten weeks, so that all are there ten weeks after any start, and nobody new comes later."""
    told = [
        Told(f"c{i}", f"p{i}-{k}", 70 * k + i * 70 // 500, 2 if i % 2 else None) for i in range(500) for k in range(4)
    ]
    plain = replace(TEN_DAYS, method=Method.FIXED, covariate=CovariateName.NONE, smallest_effect=0.3)
    rate = rate_of(plain, *told)
    found = run_time(plain, rate)
    assert found is not None
    assert 300 < found.units < 450
    assert found.weeks == pytest.approx(found.units / 50 + 10 / 7, rel=0.03)
    assert arriving(plain, found) == pytest.approx(50, rel=0.03)
    assert rate.per_week == pytest.approx(500 / 20, rel=0.05)


def test_what_a_covariate_takes_off_saves_units() -> None:
    rate = BaseRate(units=500, per_week=100.0, recovered=0.6, primary=Baseline(0.6, 0.25, 0.0, 100.0))
    with_past = replace(rate, primary=Baseline(0.6, 0.25, 0.2, 100.0))
    plain, adjusted = run_time(TEN_DAYS, rate), run_time(TEN_DAYS, with_past)
    assert plain is not None
    assert adjusted is not None
    assert adjusted.units == pytest.approx(0.8 * plain.units, abs=1)


def test_where_the_history_says_nothing_of_the_metric_no_run_time_is_told() -> None:
    for untold in ("complaints", "cap_use", "retention_30"):
        rate = rate_of(replace(TEN_DAYS, primary_metric=untold), *PAYMENTS)
        assert (rate.primary, run_time(TEN_DAYS, rate)) == (None, None)
    nothing_back = rate_of(TEN_DAYS, Told("a", "p1", 0), Told("b", "p2", 7))
    assert run_time(TEN_DAYS, nothing_back) is None


def test_the_baseline_of_every_other_metric_is_that_of_the_experiment() -> None:
    """a: 1000 back on day 3, one retry; 1000 of another payment fails later and is in no experiment; b: nothing."""
    by_name = {
        "recovered_value": 0.5,
        "rate_cohort_open_counted": 0.5,
        "attempts_per_payment": 0.5,
        "net_value": (1000 - 10 - 14) / 2000,
        "days_unpaid": (3 + 10) / 2,
    }
    for name, expected in by_name.items():
        base = rate_of(replace(TEN_DAYS, primary_metric=name), *PAYMENTS).primary
        assert base is not None
        assert base.mean == pytest.approx(expected), name
        assert base.reduction == 0.0
        assert base.units_per_week == pytest.approx(1.0)


def test_the_covariate_is_measured_on_the_later_half_with_what_was_known_before() -> None:
    rng = np.random.default_rng(5)
    told = []
    for number in range(900):
        # Who is willing pays every time, two days on; the others never do.
        willing, day = bool(rng.random() < 0.5), int(rng.integers(0, 45))
        for place, at in enumerate((day, day + 45)):
            told.append(Told(f"c{number}", f"p{number}-{place}", at, 2 if willing else None))
    base = rate_of(TEN_DAYS, *told).primary
    assert base is not None
    assert base.reduction > 0.7
    assert base.mean == pytest.approx(0.5, abs=0.05)
    none = rate_of(replace(TEN_DAYS, covariate=CovariateName.NONE), *told).primary
    assert none is not None
    assert none.reduction == 0.0
    assert none.variance == pytest.approx(base.variance)

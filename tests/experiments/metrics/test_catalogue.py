"""Metrics say what they say: each sum is what a reader would count by hand."""

import numpy as np
import pytest

from cohort_builders import Owed, cohort, instant
from experiments.metrics.catalogue import METRICS, PRIMARY
from experiments.metrics.cohort import Cohort, Event
from experiments.metrics.maturity import Window
from experiments.metrics.unit_rows import unit_rows

WINDOW = Window(outcome_days=30)


def _story() -> Cohort:
    """One unit with six payments, one for each way a payment can end, and a quiet unit."""
    owed = [
        Owed(0, 1_000, paid=5, retries=(1, 5)),
        Owed(0, 2_000, paid=8, by_customer=True, retries=(1,), incentive=100),
        Owed(0, 4_000, paid=3, by_customer=True),
        Owed(0, 8_000, paid=4, taken_back=20, retries=(4,)),
        Owed(0, 16_000, given_up=10, retries=(1, 2, 3)),
        Owed(0, 32_000, paid=31, retries=(7, 31)),
        Owed(1, 100, paid=2, retries=(2,)),
    ]
    events = [
        (0, 3.0, Event.COMPLAINT, 0.0),
        (0, 4.0, Event.COMPLAINT, 0.0),
        (0, 40.0, Event.ENDED_UNPAID, 0.0),
        (1, 29.0, Event.PAID, 700.0),
        (1, 31.0, Event.PAID, 300.0),
        (1, 35.0, Event.PAID, -50.0),
    ]
    return cohort(owed, [0, 0], [0.0, 0.0], events)


def _value(name: str, cohort: Cohort, day: float = 200) -> float:
    rows = unit_rows(METRICS[name], cohort, WINDOW, instant(day))
    above, below = rows.columns[:, 0].sum(), rows.columns[:, 1].sum()
    return float(above / below)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # 63,100 failed; 1,000 by retry, 6,000 by hand and 100 by retry are back by day 30 and kept.
        ("recovered_value", 7_100 / 63_100),
        ("recovered_value_by_retry", 1_100 / 63_100),
        ("recovered_value_by_customer", 6_000 / 63_100),
        # Nine retries of 10 in time (the tenth was on day 31), an incentive of 100.
        ("net_value", (7_100 - 90 - 100) / 63_100),
        ("rate_amount_any_means", 7_100 / 63_100),
        ("rate_cohort_open_counted", 4 / 7),
        ("rate_closed_only", 4 / 5),
        ("rate_attempted_amount", 1_100 / (1_000 + 2_000 + 8_000 + 16_000 + 32_000 + 100)),
        ("rate_documents_collected", 3 / 6),
        ("rate_recovery_events", 2 / 9),
        ("attempts_per_recovery", 9 / 4),
        ("attempts_per_payment", 9 / 7),
        ("cap_use", 9 / (7 * 15)),
        ("days_to_recovery", (5 + 8 + 3 + 2) / 4),
        ("days_unpaid", (5 + 8 + 3 + 30 + 30 + 30 + 2) / 7),
        ("involuntary_churn", 0.0),
        ("retention_30", 1.0),
        ("retention_60", 0.5),
        ("value_30", 700 / 2),
        ("value_60", 950 / 2),
        ("complaints", 0.5),
        ("chargebacks", 0.0),
        ("unsubscribes", 0.0),
    ],
)
def test_a_metric_is_what_one_counts_by_hand(name: str, expected: float) -> None:
    assert _value(name, _story()) == pytest.approx(expected)


def test_the_six_recovery_rates_of_one_cohort_all_differ() -> None:
    rates = [_value(name, _story()) for name in METRICS if name.startswith("rate_")]
    assert len(set(rates)) == len(rates) == 6


def test_every_metric_asks_a_question_and_says_what_stands_above_and_below_the_line() -> None:
    assert METRICS[PRIMARY].name == PRIMARY
    for name, spec in METRICS.items():
        assert spec.name == name
        assert spec.question.rstrip(")").rstrip(".").endswith("?") or "(" in spec.question
        assert spec.numerator
        assert spec.denominator


def test_by_any_means_is_by_retry_and_by_hand_together() -> None:
    story = _story()
    parts = _value("recovered_value_by_retry", story) + _value("recovered_value_by_customer", story)
    assert parts == pytest.approx(_value("recovered_value", story))


def test_payments_that_fail_after_the_joining_days_do_not_count() -> None:
    owed = [Owed(0, 100, paid=2), Owed(0, 300, failed=6, paid=7), Owed(0, 500, failed=8, paid=9)]
    one = cohort(owed, [0], [0.0])
    joined = unit_rows(METRICS[PRIMARY], one, Window(30, joining_days=7), instant(40)).columns
    assert joined[0, :2].tolist() == [400, 400]
    alone = unit_rows(METRICS[PRIMARY], one, Window(30), instant(40)).columns
    assert alone[0, :2].tolist() == [100, 100]


def test_what_happened_before_exposure_is_not_the_policys_doing() -> None:
    events = [(0, -1.0, Event.COMPLAINT, 0.0), (0, -2.0, Event.PAID, 500.0)]
    one = cohort([Owed(0)], [0], [0.0], events)
    for name in ("complaints", "value_30"):
        assert unit_rows(METRICS[name], one, WINDOW, instant(90)).columns[0, 0] == 0


def test_a_metric_with_days_of_its_own_matures_after_them() -> None:
    one = cohort([Owed(0)], [0], [0.0])
    assert len(unit_rows(METRICS["retention_90"], one, WINDOW, instant(89))) == 0
    assert len(unit_rows(METRICS["retention_90"], one, WINDOW, instant(90))) == 1


def test_sums_equal_a_loop_over_payments_on_random_cohorts() -> None:
    rng = np.random.default_rng(5)
    for _ in range(20):
        owed = []
        for unit in range(6):
            for _ in range(rng.integers(0, 4)):
                failed = float(rng.uniform(0, 3))
                paid = failed + float(rng.uniform(0, 40)) if rng.random() < 0.6 else float("nan")
                back = paid + float(rng.uniform(0, 40)) if rng.random() < 0.3 else float("nan")
                owed.append(Owed(unit, float(rng.integers(1, 99)), failed, paid, taken_back=back))
        if not owed:
            continue
        rows = unit_rows(METRICS[PRIMARY], cohort(owed, [0] * 6, [0.0] * 6), Window(30, 2), instant(99))
        for unit in range(6):
            mine = [one for one in owed if one.unit == unit and one.failed <= 2]
            kept = [one for one in mine if one.paid <= one.failed + 30 and not one.taken_back <= one.failed + 30]
            assert rows.columns[unit, 0] == pytest.approx(sum(one.amount for one in kept))
            assert rows.columns[unit, 1] == pytest.approx(sum(one.amount for one in mine))

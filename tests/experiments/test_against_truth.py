"""A report agrees with the truth where its interval holds it, and where its verdict hides and invents nothing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from experiment_builders import a_definition, running
from experiments.against_truth import Judgement, comparisons, judgements
from experiments.cohorts import SEGMENTS, ObservedPayment
from experiments.definition import HOLD_OUT, Definition
from experiments.outcomes import Followed, Try, outcome_of
from experiments.potential_outcomes import Sums, Truth
from experiments.report import Report, report_of
from features.money import Money
from features.vocabulary import Initiator, Outcome
from model.economics import Economics

START = datetime(2026, 11, 1, 6, tzinfo=UTC)
SHARES = {HOLD_OUT: 0.2, "fixed": 0.4, "plan": 0.4}
HEAD = 'window_days = 30\nhold_out = 0.2\nplanned_units = 400\nsecondary_metrics = ["attempts_per_payment"]\n'
DEFINITION = running(a_definition(("window_days = 30", HEAD), ("smallest_effect = 0.05", "smallest_effect = 0.2")))


def payment(number: int, variant: str, *, recovered: bool) -> ObservedPayment:
    failed_at = START + timedelta(hours=number)
    tries = [Try(failed_at + timedelta(days=2), Outcome.APPROVED, Initiator.MERCHANT, 1_000)] if recovered else []
    return ObservedPayment(
        unit=("acme", f"cus_{number}"),
        variant=variant,
        propensity=SHARES[variant],
        exposed_at=failed_at,
        failed_at=failed_at,
        amount=Money(1_000, "EUR"),
        segments=dict.fromkeys(SEGMENTS, "any"),
        outcome=outcome_of(Followed(failed_at, 1_000, tries), 30, START + timedelta(days=100)),
    )


def report_with(definition: Definition = DEFINITION, **recovered: float) -> Report:
    """Of 900 units, of which so large a share is recovered in each variant."""
    rates = {HOLD_OUT: recovered["hold_out"], "fixed": recovered["fixed"], "plan": recovered["plan"]}
    rng, names = np.random.default_rng(5), ("fixed", "plan", "fixed", "plan", HOLD_OUT)
    payments = []
    for number in range(900):
        variant = names[number % 5]
        payments.append(payment(number, variant, recovered=bool(rng.random() < rates[variant])))
    return report_of(definition, payments, Economics.default(), START + timedelta(days=100))


def truth_with(**values: float) -> Truth:
    primary = {name.replace("hold_out", HOLD_OUT): Sums(value * 900, 900) for name, value in values.items()}
    return Truth(900, 900, SHARES, {"recovered_value": primary, "attempts_per_payment": primary})


WIN = report_with(hold_out=0.1, fixed=0.4, plan=0.8)
EVEN = report_with(hold_out=0.1, fixed=0.5, plan=0.5)


def judged(report: Report, truth: Truth) -> Judgement:
    return judgements(report, truth)[0]


def test_a_win_whose_interval_holds_the_truth_agrees() -> None:
    truth = truth_with(hold_out=0.1, fixed=0.41, plan=0.79)
    plan, treated = judgements(WIN, truth)
    assert (plan.name, plan.agrees, treated.name, treated.agrees) == ("plan", True, "against the hold-out", True)
    assert (
        "holds the truth +0.38; the verdict is ready to ship, in truth the variant is better by 92.7%" in plan.sentence
    )
    assert plan.sentence.endswith("not below the smallest effect of 20.0%")


def test_an_interval_that_misses_the_truth_differs_in_either_direction() -> None:
    for plan in (0.45, 0.99):
        found = judged(WIN, truth_with(hold_out=0.1, fixed=0.41, plan=plan))
        assert not found.agrees
        assert "misses the truth" in found.sentence
    assert not judged(WIN, truth_with(hold_out=0.1, fixed=0.8, plan=0.4)).agrees


def test_no_difference_shown_agrees_only_below_the_smallest_effect_and_says_so() -> None:
    small = judged(EVEN, truth_with(hold_out=0.1, fixed=0.5, plan=0.53))
    assert small.agrees
    assert small.sentence.endswith(
        "by 6.0% of the control's value, below the smallest effect of 20.0%, which it was not made to find"
    )
    missed = judged(EVEN, truth_with(hold_out=0.1, fixed=0.52, plan=0.4))
    assert not missed.agrees
    assert missed.sentence.endswith("not below the smallest effect of 20.0%, which it missed")


def test_before_the_planned_size_nothing_is_missed() -> None:
    early = report_with(replace(DEFINITION, planned_units=5_000), hold_out=0.1, fixed=0.5, plan=0.5)
    found = judged(early, truth_with(hold_out=0.1, fixed=0.52, plan=0.4))
    assert found.agrees
    assert "the verdict is collecting, in truth the variant is worse by 23.1%" in found.sentence


def test_the_hold_out_is_held_against_all_variants_at_their_shares() -> None:
    truth = truth_with(hold_out=0.1, fixed=0.41, plan=0.79)
    lift = comparisons(WIN, truth)[-1]
    assert (lift.name, lift.inside) == ("treated", True)
    assert lift.truth == pytest.approx(0.5)
    assert not judgements(WIN, truth_with(hold_out=0.4, fixed=0.41, plan=0.79))[1].agrees


def test_every_effect_that_is_read_stands_beside_the_truth() -> None:
    found = comparisons(WIN, truth_with(hold_out=0.1, fixed=0.41, plan=0.79))
    assert [(one.metric, one.name) for one in found] == [
        ("recovered_value", "plan"),
        ("attempts_per_payment", "plan"),
        ("recovered_value", "treated"),
    ]


def test_where_nothing_may_be_read_the_report_does_not_agree() -> None:
    fixed = report_with(
        running(a_definition(("window_days = 30", f'method = "fixed"\n{HEAD.replace("400", "5000")}'))),
        hold_out=0.1,
        fixed=0.4,
        plan=0.8,
    )
    found = judged(fixed, truth_with(hold_out=0.1, fixed=0.41, plan=0.79))
    assert (found.agrees, "reads no effect" in found.sentence) == (False, True)


def test_a_split_that_is_called_broken_differs() -> None:
    uneven = [payment(n, "fixed" if n % 3 else "plan", recovered=n % 2 == 0) for n in range(900)]
    report = report_of(DEFINITION, uneven, Economics.default(), START + timedelta(days=100))
    found = judged(report, truth_with(hold_out=0.1, fixed=0.5, plan=0.5))
    assert (found.agrees, found.sentence) == (False, "unhealthy, though units were drawn as planned")

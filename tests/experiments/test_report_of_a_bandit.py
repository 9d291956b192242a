"""The report of a bandit: the split by each set of weights, and effects within them whatever drifts meanwhile."""

from datetime import timedelta

import numpy as np
import pytest

from bandit_builders import WEEK, a_bandit, fates, observed, reweighted
from experiment_builders import START
from experiments.definition import HOLD_OUT
from experiments.report import Report, report_of
from experiments.report_curves import effect_by_day
from model.economics import Economics

ECONOMICS = Economics.default()
BANDIT = reweighted(reweighted(a_bandit(), 3, fixed=0.15, plan=0.85), 6, fixed=0.1, plan=0.9)
WEEKS = 9


def reported(seed: int, chances: dict[str, float], *, hold_out: bool = False) -> Report:
    held = ("coverage = 1.0", "coverage = 1.0\nhold_out = 0.2")
    definition = BANDIT
    if hold_out:
        definition = reweighted(reweighted(a_bandit(held), 3, fixed=0.15, plan=0.85), 6, fixed=0.1, plan=0.9)
    at = START + (WEEKS + 3) * WEEK
    customers = fates(seed, 400, WEEKS, chances, drift=0.05)
    return report_of(definition, observed(definition, customers, at), ECONOMICS, at)


def test_the_split_is_expected_by_the_weights_of_each_time() -> None:
    split = reported(1, {"fixed": 0.2, "plan": 0.2}).analysis.split
    assert split.healthy
    assert split.expected["plan"] == pytest.approx(1_200 * (0.5 + 0.85 + 0.9), rel=0.02)


def test_a_drift_that_all_share_is_no_effect_and_a_lift_is_found_as_planted() -> None:
    for lift in (0.0, 0.1):
        errors = []
        for seed in range(6):
            (one,) = reported(seed, {"fixed": 0.2, "plan": 0.2 + lift}).analysis.variants
            assert one.primary is not None
            assert one.primary.always.low < lift < one.primary.always.high
            errors.append((one.primary.difference - lift) / one.primary.standard_error)
        assert abs(np.mean(errors)) < 3 / 6**0.5


def test_the_last_day_of_the_curve_is_the_effect_of_the_report() -> None:
    report = reported(2, {"fixed": 0.2, "plan": 0.3})
    (one,) = report.analysis.variants
    looks = effect_by_day(report, one)
    assert one.primary is not None
    assert looks[-1].effect is not None
    assert looks[-1].effect.difference == pytest.approx(one.primary.difference)
    assert looks[-1].effect.standard_error == pytest.approx(one.primary.standard_error)


def test_everybody_treated_is_held_against_the_hold_out_as_they_were_assigned() -> None:
    report = reported(3, {"fixed": 0.2, "plan": 0.2, HOLD_OUT: 0.1}, hold_out=True)
    lift = report.analysis.lift
    assert lift is not None
    rows = [
        (one.unit, one)
        for one in observed(
            report.definition, fates(3, 400, WEEKS, {"fixed": 0.2, "plan": 0.2, HOLD_OUT: 0.1}, 0.05), report.as_of
        )
    ]
    sums = {held: [0, 0] for held in (True, False)}
    for _, one in rows:
        assert one.exposed_at + timedelta(days=14) <= report.as_of
        total = sums[one.variant == HOLD_OUT]
        total[0] += one.outcome.recovered_minor
        total[1] += one.amount.amount_minor
    by_hand = sums[False][0] / sums[False][1] - sums[True][0] / sums[True][1]
    assert lift.effect.difference == pytest.approx(by_hand)

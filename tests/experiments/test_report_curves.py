"""What is drawn ends in what the report says, and shows nothing that the report would not."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from experiment_builders import a_definition
from experiments.cohorts import SEGMENTS, ObservedPayment
from experiments.definition import Definition, Method
from experiments.outcomes import Followed, Try, outcome_of
from experiments.report import Report, report_of
from experiments.report_curves import curves_of, effect_by_day
from features.money import Money
from features.vocabulary import Initiator, Outcome
from model.economics import Economics

START = datetime(2026, 1, 1, tzinfo=UTC)
AS_OF = START + timedelta(days=70)


def a_report(definition: Definition, share_of_plan: float = 0.5) -> Report:
    """Eight hundred customers over fifty days; plan brings back half of theirs, fixed a quarter."""
    rng = np.random.default_rng(5)
    payments = []
    for number in range(800):
        variant = "plan" if rng.random() < share_of_plan else "fixed"
        failed_at = START + timedelta(days=float(rng.uniform(0, 50)))
        paid = rng.random() < (0.5 if variant == "plan" else 0.25)
        at = failed_at + timedelta(days=float(rng.uniform(1, 9)))
        tries = [Try(at, Outcome.APPROVED, Initiator.MERCHANT, 1_000)] if paid else []
        outcome = outcome_of(Followed(failed_at, 1_000, tries), definition.window_days, AS_OF)
        segments = dict.fromkeys(SEGMENTS, "any")
        unit = ("acme", str(number))
        money = Money(1_000, "EUR")
        payments.append(ObservedPayment(unit, variant, 0.5, failed_at, failed_at, money, segments, outcome))
    return report_of(definition, payments, Economics.default(), AS_OF)


DEFINITION = a_definition(("window_days = 30", "window_days = 10"))


def test_the_last_day_is_the_effect_of_the_report_and_bands_start_wide() -> None:
    report = a_report(DEFINITION)
    (one,) = report.analysis.variants
    looks = effect_by_day(report, one)
    last = looks[-1].effect
    assert one.primary is not None
    assert last is not None
    assert last.units == one.primary.units
    assert (last.difference, last.always.low, last.always.high) == pytest.approx(
        (one.primary.difference, one.primary.always.low, one.primary.always.high)
    )
    assert looks[-1].day == pytest.approx(report.analysis.days_run)
    assert looks[0].effect is None
    first = next(look.effect for look in looks if look.effect is not None)
    assert first.always.high - first.always.low > one.primary.always.high - one.primary.always.low


def test_curves_end_at_the_primary_metric_of_each_variant() -> None:
    report = a_report(DEFINITION)
    (one,) = report.analysis.variants
    assert one.primary is not None
    assert {curve.variant: curve.share[-1] for curve in curves_of(report)} == {
        "fixed": pytest.approx(one.primary.control),
        "plan": pytest.approx(one.primary.treatment),
    }


def test_no_curves_are_drawn_over_several_weights_of_a_bandit() -> None:
    report = a_report(DEFINITION)
    (phase, *_) = report.plan.weights
    changed = replace(phase, since=np.datetime64(START.replace(tzinfo=None), "us"), epoch=phase.epoch + 1)
    several = replace(report, plan=replace(report.plan, weights=(phase, changed)))
    assert len(curves_of(report)) == 2
    assert curves_of(several) == ()


def test_a_broken_split_and_a_fixed_experiment_before_its_size_draw_nothing() -> None:
    broken = a_report(DEFINITION, share_of_plan=0.75)
    early = a_report(replace(DEFINITION, method=Method.FIXED, planned_units=900))
    assert broken.analysis.withheld
    for report in (broken, early):
        assert curves_of(report) == ()
        assert effect_by_day(report, report.analysis.variants[0]) == ()
    due = a_report(replace(DEFINITION, method=Method.FIXED, planned_units=700))
    assert len(curves_of(due)) == 2

"""An effect is shown with intervals that mean something, or not at all."""

from dataclasses import replace

import numpy as np
import pytest

from cohort_builders import instants
from experiments.analysis.effect import effect, relative_interval
from experiments.analysis.intervals import FEWEST, Tuning
from experiments.analysis.timeline import timeline
from row_builders import clustered, means, rows

TUNING = Tuning(4_000)


def test_the_difference_lies_in_both_intervals_and_the_always_valid_one_is_wider() -> None:
    rng = np.random.default_rng(1)
    found = effect(rows([clustered(rng, 2_000), clustered(rng, 2_000, 0.1)]), "treatment", "control", TUNING, 0.05)
    assert found is not None
    assert found.always.low < found.fixed.low < found.difference < found.fixed.high < found.always.high
    assert found.relative == pytest.approx(found.difference / found.control)
    assert found.units == (2_000, 2_000)
    assert found.reduction > 0.1
    assert found.fixed_p < found.always_p < 0.05


def test_too_few_units_have_no_effect() -> None:
    rng = np.random.default_rng(2)
    few = rows([clustered(rng, FEWEST - 1), clustered(rng, 500)])
    assert effect(few, "treatment", "control", TUNING, 0.05) is None
    assert effect(few, "control", "treatment", TUNING, 0.05) is None


def test_arms_without_variation_have_no_effect_but_arms_without_events_do() -> None:
    none = means(np.zeros(400))
    assert effect(rows([none, none], metric="involuntary_churn"), "treatment", "control", TUNING, 0.05) is None
    rare = effect(rows([none, none], metric="chargebacks"), "treatment", "control", TUNING, 0.05)
    assert rare is not None
    assert rare.difference == 0
    assert 0.005 < rare.fixed.high < 0.02  # three in four hundred could have gone unseen


def test_the_interval_of_a_rare_event_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(250):
        arms = [means((rng.random(400) < 0.01).astype(float)) for _ in range(2)]
        found = effect(rows(arms, metric="chargebacks"), "treatment", "control", TUNING, 0.05)
        assert found is not None
        covered += found.fixed.low <= 0 <= found.fixed.high
    assert covered >= 235  # 94 %; conservative is fine where events are rare


def test_fiellers_interval_holds_the_true_ratio_as_often_as_it_says() -> None:
    rng = np.random.default_rng(4)
    errors = (0.05, 0.08)
    draws = zip(rng.normal(0.4, errors[0], 4_000), rng.normal(0.6, errors[1], 4_000), strict=True)
    intervals = [relative_interval(float(c), float(t), errors, 1.959964) for c, t in draws]
    covered = [one is None or one.low <= 0.5 <= one.high for one in intervals]
    assert np.mean(covered) == pytest.approx(0.95, abs=0.012)


def test_a_control_that_may_be_zero_has_no_relative_interval() -> None:
    assert relative_interval(0.01, 0.5, (0.01, 0.01), 1.96) is None


def test_a_timeline_is_the_effect_among_those_mature_at_each_look() -> None:
    rng = np.random.default_rng(5)
    columns = [clustered(rng, 900), clustered(rng, 1_100, 0.05)]
    matured = instants(rng.uniform(0, 12, 2_000))
    all_rows = rows(columns, matured_at=matured)
    looks = instants([1.0, 4.0, 9.0])
    found = timeline(all_rows, "treatment", "control", looks, TUNING, 0.05)
    assert found[0] is None
    for at, one in zip(looks[1:], found[1:], strict=True):
        alone = effect(all_rows.where(matured <= at), "treatment", "control", TUNING, 0.05)
        assert one is not None
        assert alone is not None
        assert one.units == alone.units
        assert one.difference == pytest.approx(alone.difference)
        assert one.always.low == pytest.approx(alone.always.low)


def test_a_constant_propensity_changes_nothing() -> None:
    rng = np.random.default_rng(6)
    plain = rows([clustered(rng, 500), clustered(rng, 500)])
    weighted = replace(plain, weight=np.where(plain.variant == 0, 1 / 0.8, 1 / 0.2))
    a, b = (effect(one, "treatment", "control", TUNING, 0.05) for one in (plain, weighted))
    assert a is not None
    assert b is not None
    assert (b.difference, b.standard_error) == pytest.approx((a.difference, a.standard_error), rel=1e-9)

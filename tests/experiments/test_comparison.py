"""Policies beside each other: figures, paired differences, what stopping cost."""

import numpy as np
import pytest

from experiments.comparison import Comparison
from experiments.replay import play
from experiments.results import Results, results_of
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.policies import NoRetry, Policy
from model.schedules import FixedDays, Schedule
from replay_builders import clearing, world_of

NO_RULES = Rulebook(())
OUTCOMES = {f"p{i}": clearing(*([4] if i % 2 else []), *([9] if i % 5 else [])) for i in range(100)}


def result(policy: Policy, most: int = 4) -> Results:
    return results_of(policy.name, play(world_of(OUTCOMES), policy, NO_RULES, max_retries=most), Economics.default())


SOON = Schedule("soon", FixedDays((4,)), NO_RULES)
TWICE = Schedule("twice", FixedDays((4, 9)), NO_RULES)
COMPARISON = Comparison([result(SOON), result(TWICE), result(NoRetry())], resamples=300, seed=1)


def test_figures_are_the_shares_that_can_be_counted() -> None:
    soon, twice = COMPARISON.judged("soon"), COMPARISON.judged("twice")
    assert soon.figures["recovered"].value == pytest.approx(0.5)
    assert twice.figures["recovered"].value == pytest.approx(0.9)
    assert twice.figures["attempts"].value == pytest.approx(1.5)
    assert twice.figures["attempts_per_recovery"].value == pytest.approx(1.5 / 0.9)
    assert twice.figures["days_to_recovery"].value == pytest.approx((50 * 4 + 40 * 9) / 90)
    assert twice.median_days == pytest.approx(4.0)
    assert (twice.ends, twice.breaches) == ({"recovered": 90, "schedule_over": 10}, 0)
    assert "attempts_per_recovery" not in COMPARISON.judged("no-retry").figures


def test_a_difference_is_paired() -> None:
    found = COMPARISON.difference("twice", "soon").figures["recovered"]
    assert found.value == pytest.approx(0.4)
    soon, twice = (COMPARISON.judged(name).figures["recovered"] for name in ("soon", "twice"))
    assert found.high - found.low < (soon.high - soon.low) + (twice.high - twice.low)
    assert COMPARISON.difference("soon", "soon").figures["net"].low == 0.0


def test_what_stopping_cost_is_what_the_other_recovered_of_the_given_up() -> None:
    found = COMPARISON.stopping("no-retry", "twice")
    assert (found.payments, found.recovered) == (100, 90)
    assert found.net == pytest.approx(float(COMPARISON.results["twice"].net.mean()) / 100)
    assert COMPARISON.stopping("twice", "soon").payments == 0


def test_the_worst_slice_comes_first_and_small_ones_are_left_out() -> None:
    numbers = [int(name.removeprefix("p")) for name in COMPARISON.results["soon"].payment_ids]
    words = ["even" if number % 2 == 0 else "odd" for number in numbers]
    found = COMPARISON.slices("twice", "soon", {"side": words, "rare": ["x"] * 5 + ["y"] * 95}, least=40)
    assert [(s.group, s.word) for s in found] == [("side", "odd"), ("rare", "y"), ("side", "even")]
    assert found[0].recovered.value == pytest.approx(0.0)
    assert found[-1].recovered.value == pytest.approx(0.8)


def test_dearer_attempts_leave_less() -> None:
    values = [one.net.value for one in COMPARISON.costing("twice", (0.5, 1.0, 5.0))]
    assert values[0] > values[1] > values[2]
    assert values[1] == pytest.approx(COMPARISON.judged("twice").figures["net"].value)


def test_policies_played_on_different_payments_are_not_compared() -> None:
    other = results_of(
        "soon",
        play(world_of({"q": clearing(4)}), SOON, NO_RULES, max_retries=1),
        Economics.default(),
    )
    with pytest.raises(ValueError, match="same payments"):
        Comparison([result(SOON), other], resamples=10, seed=1)


def test_intervals_narrow_with_payments_and_hold_the_value() -> None:
    interval = COMPARISON.judged("soon").figures["recovered"]
    assert interval.low < 0.5 < interval.high
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * np.sqrt(0.25 / 100), rel=0.2)

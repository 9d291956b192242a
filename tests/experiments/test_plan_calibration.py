"""Plans are held to what they promise, retry by retry, by what the world says."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest

from experiments.plan_calibration import Followed, by_length, by_place, follow, follow_plans
from experiments.recorded_world import RecordedWorld
from features.action import Retry
from features.attempt import Attempt
from features.context import Context
from model.caps.rulebook import Rulebook
from model.contingent import contingent
from model.economics import Economics
from model.oracle import TrueScorer
from model.plan_policies import PlanPolicy
from model.prior import PriorScorer
from replay_builders import FIRST, clearing, world_of

ECONOMICS = Economics.default()
POLICY = PlanPolicy(PriorScorer(), Rulebook(()), ECONOMICS, max_retries=3)


class Paying:
    """A recorded world whose customer pays by hand at an instant."""

    def __init__(self, world: RecordedWorld, at: datetime) -> None:
        self.failures, self.submit, self._at = world.failures, world.submit, at

    def settled_at(self, payment_id: str) -> datetime | None:
        """When the customer pays."""
        return self._at

    def left_at(self, payment_id: str) -> datetime | None:
        """Never."""
        return None


def planned_days(world: RecordedWorld) -> list[int]:
    """The local days after the failure on which the prior's plan would retry."""
    case, planned = next(POLICY.plans(list(world.failures())))
    return [(case.options.retries[i].slot.start - FIRST).days for i in planned.path]


def test_a_plan_is_followed_to_its_first_approval() -> None:
    days = planned_days(world_of({"p": clearing()}))
    assert len(days) == 3
    for made, day in enumerate(days, start=1):
        [one] = follow_plans(*_in(world_of({"p": clearing(day)})))
        assert (one.made, one.due, one.recovered) == (made, 3, True)
    [none] = follow_plans(*_in(world_of({"p": clearing()})))
    assert (none.made, none.recovered) == (3, False)
    assert none.promised == pytest.approx(1 - np.prod([1 - p for p in none.chances]))


def test_a_plan_promises_nothing_for_retries_after_the_customer_paid() -> None:
    world = world_of({"p": clearing(*range(1, 31))})
    days = planned_days(world)
    case, planned = next(POLICY.plans(list(world.failures())))
    told = contingent(case, planned, POLICY.scorer)
    early = follow(Paying(world_of({"p": clearing()}), FIRST + timedelta(days=days[1])), case.context, told)
    assert (early.due, early.made, early.recovered) == (1, 1, False)
    assert early.promised_while_due == pytest.approx(early.chances[0])
    assert early.range_while_due == pytest.approx((early.lows[0], early.highs[0]))


def test_the_planner_that_knows_the_outcomes_keeps_every_promise() -> None:
    rng = np.random.default_rng(3)
    outcomes = {f"p{i}": clearing(*(rng.choice(30, rng.integers(0, 3), replace=False) + 1)) for i in range(16)}
    world = world_of(outcomes)
    oracle = PlanPolicy(TrueScorer(world), Rulebook(()), ECONOMICS, max_retries=3)
    followed = follow_plans(world, oracle, list(world.failures()))
    every = by_length(followed, 100, 0)[-1]
    assert 4 < every.count < 16
    assert every.difference.value == pytest.approx(0.0, abs=1e-6)


def test_too_great_promises_show_at_their_place_and_in_the_whole_plan() -> None:
    rng = np.random.default_rng(0)
    followed = [_drawn(rng, f"c{i % 1500}", told=(0.4, 0.4), true=(0.4, 0.1)) for i in range(3000)]
    first, second = by_place(followed, 200, 0)
    assert (first.number, second.number) == (1, 2)
    assert first.difference.low < 0.0 < first.difference.high
    assert second.difference.high < -0.25
    lengths = by_length(followed, 200, 0)
    assert [one.number for one in lengths] == [2, 0]
    assert lengths[0].promised == pytest.approx(0.64)
    assert (lengths[0].promised_low, lengths[0].promised_high) == pytest.approx((0.36, 0.91))
    assert lengths[0].kept.low < 0.46 < lengths[0].kept.high


def test_nothing_followed_is_nothing_told() -> None:
    assert by_length([], 100, 0) == by_place([], 100, 0) == []


def test_a_retry_that_the_world_cannot_tell_ends_what_is_due() -> None:
    world = world_of({"p": clearing()})
    blind = Blind(world, planned_days(world)[1])
    [one] = follow_plans(blind, POLICY, list(world.failures()))
    assert (one.made, one.due, one.recovered) == (1, 1, False)


class Blind:
    """A world that was watched for fewer days than the plan lasts."""

    def __init__(self, world: RecordedWorld, days: int) -> None:
        self._short = world_of({"p": clearing(length=days - 1)}, observed_days=days - 1)
        self.failures = world.failures

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        """The answer, unknown beyond what was watched."""
        return self._short.submit(payment_id, action)


def _in(world: RecordedWorld) -> tuple[RecordedWorld, PlanPolicy, Sequence[Context]]:
    return world, POLICY, list(world.failures())


def _drawn(rng: np.random.Generator, customer: str, told: tuple[float, ...], true: tuple[float, ...]) -> Followed:
    hits = [bool(rng.random() < p) for p in true]
    made = hits.index(True) + 1 if any(hits) else len(hits)
    lows, highs = tuple(p / 2 for p in told), tuple(1 - (1 - p) / 2 for p in told)
    return Followed(customer, told, len(told), made, any(hits), lows, highs)

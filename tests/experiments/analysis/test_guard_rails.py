"""Guard-rails hold, break, or stay open."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.analysis.effect import Effect, effect
from experiments.analysis.guard_rails import Guarded, GuardRail, State, Watched, judge, room_left
from experiments.analysis.intervals import Tuning
from experiments.metrics.spec import Direction
from features.errors import InvalidValueError
from row_builders import means, rows

TUNING = Tuning(4_000)


def _effect(control: float, treatment: float, units: int = 2_000) -> Effect:
    rng = np.random.default_rng(1)
    arms = [means(rng.normal(mean, 1, units)) for mean in (control, treatment)]
    found = effect(rows(arms), "treatment", "control", TUNING, 0.05)
    assert found is not None
    return found


def _state(rail: GuardRail, direction: Direction, one: Effect | None) -> State:
    (judged,) = judge([Watched(rail, direction, one, one)], TUNING, 0.05, sequential=True)
    assert isinstance(judged, Guarded)
    return judged.state


@pytest.mark.parametrize(
    ("control", "treatment", "direction", "state"),
    [
        (10.0, 10.0, Direction.HIGHER, State.HELD),
        (10.0, 9.0, Direction.HIGHER, State.BREACHED),
        (10.0, 9.5, Direction.HIGHER, State.OPEN),
        (10.0, 11.0, Direction.HIGHER, State.HELD),
        (10.0, 11.0, Direction.LOWER, State.BREACHED),
        (10.0, 9.0, Direction.LOWER, State.HELD),
        (10.0, 10.5, Direction.LOWER, State.OPEN),
    ],
)
def test_a_loss_within_the_margin_is_held_and_beyond_it_breached(
    control: float, treatment: float, direction: Direction, state: State
) -> None:
    one = _effect(control, treatment)
    assert _state(GuardRail("net_value", 0.5), direction, one) is state


def test_without_enough_units_it_is_open() -> None:
    assert _state(GuardRail("net_value", 0.5), Direction.HIGHER, None) is State.OPEN


def test_room_is_what_is_left_of_the_margin() -> None:
    one = replace(_effect(10, 10), control=10.0, treatment=9.8, control_error=0.3, treatment_error=0.4)
    assert room_left(GuardRail("m", 0.5), Direction.HIGHER, one) == pytest.approx((0.3, 0.5))
    assert room_left(GuardRail("m", 0.5), Direction.LOWER, one) == pytest.approx((0.7, 0.5))


def test_a_policy_just_at_the_margin_is_called_held_no_more_often_than_alpha_allows() -> None:
    """At the margin exactly, "held" is an error: one side of a 95 % interval, 2.5 %."""
    rng = np.random.default_rng(2)
    rail, held = GuardRail("m", 0.5), 0
    for _ in range(1_500):
        control, treatment = rng.normal((10, 9.5), 0.1).tolist()
        one = replace(BASE, control=control, treatment=treatment, control_error=0.1, treatment_error=0.1)
        (judged,) = judge([Watched(rail, Direction.HIGHER, one, one)], TUNING, 0.05, sequential=False)
        held += judged.state is State.HELD
    assert 15 <= held <= 60


def test_more_guard_rails_make_each_breach_harder_to_call() -> None:
    one = _effect(10.0, 9.37)
    rail = Watched(GuardRail("m", 0.5), Direction.HIGHER, one, one)
    assert judge([rail], TUNING, 0.05, sequential=True)[0].state is State.BREACHED
    assert judge([rail] * 40, TUNING, 0.05, sequential=True)[0].state is State.OPEN


def test_held_is_read_at_the_planned_size_and_breached_at_any() -> None:
    rail = GuardRail("m", 0.5)
    fine, harmful = _effect(10.0, 10.0), _effect(10.0, 9.0)
    states = [
        judge([Watched(rail, Direction.HIGHER, now, planned)], TUNING, 0.05, sequential=False)[0].state
        for now, planned in ((fine, None), (fine, harmful), (harmful, fine), (fine, fine))
    ]
    assert states == [State.OPEN, State.OPEN, State.BREACHED, State.HELD]


def test_a_margin_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="a tolerated loss above zero"):
        GuardRail("net_value", 0.0)


BASE = _effect(10.0, 10.0)

"""The recorded propensity is the probability of the action: told again by going through every cell."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from experiments.simulator.logging_policy import (
    DAY_SLOTS,
    DAYS,
    FIXED,
    MOST_RETRIES,
    RANDOMISED,
    Situation,
    choose,
    distribution,
)

METHODS, PROCESSORS = 4, 4
DAY_WEIGHTS = [6, 14, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 3, 2]


def situation(seed: int, policy: int, *, openness: float = 0.5) -> Situation:
    random = np.random.default_rng(seed)
    return Situation(
        policy=np.array([policy]),
        retries=np.array([random.integers(0, MOST_RETRIES[policy])]),
        fixed_day=np.array([random.integers(0, 8)]),
        last_slot=np.array([random.integers(0, METHODS)]),
        last_processor=np.array([random.integers(0, PROCESSORS)]),
        fallback=np.array([random.integers(-1, METHODS)]),
        allowed=random.random((1, METHODS, DAYS, DAY_SLOTS)) < openness * random.random((1, METHODS, 1, 1)),
        carries=random.random((1, METHODS, PROCESSORS)) < 0.6,
    )


def by_hand_randomised(state: Situation) -> dict[tuple[int, int, int, int], float]:
    """Method, then processor among those that carry it, then time among those allowed, each drawn by its weights."""
    weights = {}
    for method in range(METHODS):
        method_weight = 0.62 if method == state.last_slot[0] else 0.38
        lanes = [p for p in range(PROCESSORS) if state.carries[0, method, p]]
        lane_weights = {p: 0.6 if p == state.last_processor[0] else 0.4 for p in lanes}
        times = [(d, s) for d in range(DAYS) for s in range(DAY_SLOTS) if state.allowed[0, method, d, s]]
        time_total = sum(DAY_WEIGHTS[d] for d, _ in times)
        for lane in lanes:
            for day, slot in times:
                part = method_weight * lane_weights[lane] / sum(lane_weights.values()) * DAY_WEIGHTS[day] / time_total
                weights[method, lane, day, slot] = part
    total = sum(weights.values())
    return {cell: weight / total for cell, weight in weights.items()}


def by_hand_fixed(state: Situation) -> dict[tuple[int, int, int, int], float]:
    """The fallback method through its first processor, on the first day not before the schedule's that has a slot."""
    method = int(state.fallback[0])
    if method < 0 or not state.carries[0, method].any():
        return {}
    lane = int(np.flatnonzero(state.carries[0, method])[0])
    usual = {1: 0.15, 2: 0.70, 3: 0.15}
    for day in range(int(state.fixed_day[0]), DAYS):
        slots = {slot: weight for slot, weight in usual.items() if state.allowed[0, method, day, slot]}
        if slots:
            return {(method, lane, day, slot): weight / sum(slots.values()) for slot, weight in slots.items()}
    return {}


@pytest.mark.parametrize("policy", [FIXED, RANDOMISED])
@given(seed=st.integers(0, 2**32 - 1), openness=st.sampled_from([0.02, 0.3, 1.0]))
@settings(max_examples=60, deadline=None)
def test_the_distribution_equals_the_one_counted_by_hand(policy: int, seed: int, openness: float) -> None:
    state = situation(seed, policy, openness=openness)
    cells = distribution(state)[0]
    by_hand = by_hand_fixed(state) if policy == FIXED else by_hand_randomised(state)
    expected = np.zeros_like(cells)
    for cell, probability in by_hand.items():
        expected[cell] = probability
    np.testing.assert_allclose(cells, expected, atol=1e-12)
    assert cells.sum() == pytest.approx(1.0 if by_hand else 0.0)


@given(seed=st.integers(0, 2**32 - 1), draw=st.floats(1e-6, 1 - 1e-6))
@settings(max_examples=100, deadline=None)
def test_the_choice_is_allowed_and_carries_its_own_probability(seed: int, draw: float) -> None:
    state = situation(seed, RANDOMISED)
    cells = distribution(state)[0]
    move = choose(state, np.array([draw]))
    if not cells.any():
        assert move.propensity[0] == 0.0
        return
    cell = tuple(int(value[0]) for value in (move.slot, move.processor, move.day, move.day_slot))
    assert move.propensity[0] == cells[cell] > 0
    assert state.allowed[0, cell[0], cell[2], cell[3]]
    assert state.carries[0, cell[0], cell[1]]


@pytest.mark.parametrize("policy", [FIXED, RANDOMISED])
def test_a_policy_stops_after_its_last_retry(policy: int) -> None:
    state = situation(3, policy, openness=1.0)
    spent = Situation(
        state.policy, MOST_RETRIES[[policy]], state.fixed_day, state.last_slot, state.last_processor,
        state.fallback, state.allowed, state.carries,
    )  # fmt: skip
    assert choose(spent, np.array([0.5])).propensity[0] == 0.0


def test_choices_come_as_often_as_their_probabilities_say() -> None:
    state = situation(5, RANDOMISED, openness=0.2)
    draws = (np.arange(4_000) + 0.5) / 4_000
    cells = distribution(state)[0]
    flat = cells.reshape(-1)
    rows = choose(state.take(np.zeros(draws.size, dtype=np.int64)), draws)
    found = np.ravel_multi_index((rows.slot, rows.processor, rows.day, rows.day_slot), cells.shape)
    np.testing.assert_allclose(np.bincount(found, minlength=flat.size) / draws.size, flat, atol=6e-4)

"""The loop of the recursion finds what trying every next move in every state finds, to the bit and among equals too."""

from random import Random

import numpy as np
import pytest

from model.planning.kernels import Flags, Floats, Int64s, over_states
from model.planning.recursion import NONE, UNBOUNDED, _states

SIZE, MOST = 26, 5


def drawn(random: Random, methods: int, steps: int, *, odds: bool) -> tuple[np.ndarray, ...]:
    """Moves and beliefs of few different values, so that many are worth the same."""
    few = [k / steps for k in range(steps + 1)]

    def some(*shape: int) -> Floats:
        return np.array([random.choice(few) for _ in range(int(np.prod(shape)))]).reshape(shape)

    follows = np.triu(some(SIZE, SIZE) > few[steps // 5], k=1)
    left = (np.array([random.choice((0, 1, 2, UNBOUNDED)) for _ in range(SIZE)], dtype=np.int64) for _ in range(2))
    tables = some(1 if odds else MOST - 1, SIZE, SIZE) * (2.0 if odds else 1.0)
    method = np.array([*range(methods), *(random.randrange(methods) for _ in range(SIZE - methods))], dtype=np.int64)
    return method, some(SIZE) * 900.0 - 50.0, some(SIZE) * 40.0, follows, *left, tables


def tried(
    states: Int64s, onward: Int64s, method: Int64s, gained: Floats, cost: Floats, follows: Flags,
    own_left: Int64s, all_left: Int64s, tables: Floats, which: Int64s, factors: Floats, *, odds: bool,
) -> tuple[Floats, Int64s]:  # fmt: skip
    """Every next move after every move in every state."""
    value, best = np.zeros((len(states), SIZE)), np.full((len(states), SIZE), NONE)
    for s, state in enumerate(states):
        for i in range(SIZE):
            for j in range(SIZE) if state[method[i]] else ():
                own, after = state[method[j]], onward[s, method[j]]
                borne = (own == 0 or own - 1 < own_left[j]) and state.sum() - 1 < all_left[j]
                if not follows[i, j] or not borne:
                    continue
                p = tables[which[s], i, j]
                if odds:
                    p = p * factors[s, method[i], method[j]]
                    p = p / (1.0 + p)
                worth = p * gained[j] + (1.0 - p) * ((value[after, j] if after >= 0 else 0.0) - cost[j])
                if worth > value[s, i]:
                    value[s, i], best[s, i] = worth, j
    return value, best


@pytest.mark.parametrize("odds", [True, False], ids=["odds", "chances"])
@pytest.mark.parametrize("steps", [5, 40, 10_000], ids=["many equals", "some equals", "none"])
@pytest.mark.parametrize("methods", [1, 2, 3])
def test_the_best_next_move_is_that_of_trying_all(methods: int, steps: int, odds: bool) -> None:
    random = Random(methods * 100 + steps)
    for _ in range(3):
        method, gained, cost, follows, own_left, all_left, tables = drawn(random, methods, steps, odds=odds)
        _, states, onward = _states((MOST,) * methods, MOST)
        which = np.minimum(states.sum(axis=1), len(tables)) - 1
        factors = np.array([random.choice((0.5, 1.0, 1.0, 1.5)) for _ in range(len(states) * methods * methods)])
        factors = factors.reshape(len(states), methods, methods)
        expected = tried(
            states, onward, method, gained, cost, follows, own_left, all_left, tables, which, factors, odds=odds
        )
        assert (expected[1] != NONE).any()
        for hints in hinted(random, expected[1]):
            found = over_states(
                states, onward, method, gained, cost, follows, own_left, all_left, tables, which, factors, odds, hints
            )
            np.testing.assert_array_equal(found[0], expected[0])
            np.testing.assert_array_equal(found[1], expected[1])


def hinted(random: Random, best: Int64s) -> list[Int64s]:
    """No hint, the right ones, and some that are right, wrong or of what may not follow."""
    some = np.array([random.choice((at, NONE, random.randrange(SIZE))) for at in best.ravel().tolist()], dtype=np.int64)
    return [np.full_like(best, NONE), best, some.reshape(best.shape)]

"""The loop of the recursion, compiled; `recursion.py` says what it works out."""

import numpy as np
from numpy.typing import NDArray

from model.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NONE = -1
_ROUNDING = 1e-9  # of the largest sum; more than ever is lost in a few operations


@compiled
def over_states(  # noqa: C901 - the loop over moves is one, as every call counts references
    states: Int64s,
    onward: Int64s,
    method: Int64s,
    gained: Floats,
    declined_cost: Floats,
    follows: Flags,
    own_left: Int64s,
    all_left: Int64s,
    tables: Floats,
    which: Int64s,
    factors: Floats,
    odds: bool,
) -> tuple[Floats, Int64s]:
    """(value, best next move) in every state after every move as declined last, shape (states, n) both.

    Args:
        states: Declines with each method, most declines first, shape (states, methods).
        onward: The state after one more decline with each method, -1 where there is none, shape (states, methods).
        gained: What an approval is worth less its cost, shape (n,).
        tables, which, factors, odds: As in `Chances`.

    After each move the best of all that may follow is sought, over and over. What was best after a later move is mostly
    best here too, so its worth is taken for a start, and only what may be worth as much is worked out.
    """
    count, size = states.shape[0], method.shape[0]
    value, best = np.zeros((count, size)), np.full((count, size), NONE, dtype=np.int64)
    then, later, over, factor = np.empty(size), np.empty(size), np.empty(size), np.ones((states.shape[1], size))
    likely = np.empty(states.shape[1], dtype=np.int64)
    for s in range(count):
        w, slack = (
            which[s],
            _ROUNDING
            * _left(
                s, states, onward, method, gained, declined_cost, own_left, all_left, factors, odds, value, then, factor
            ),
        )
        likely[:] = NONE
        later[:] = -np.inf  # what comes before a move cannot follow it
        for i in range(size - 1, -1, -1):
            if i + 1 < size:
                later[i + 1] = then[i + 1]
            own = method[i]
            if states[s, own] == 0:
                continue
            most, choice = 0.0, likely[own]
            if choice != NONE:
                if follows[i, choice]:
                    p = tables[w, i, choice]
                    if odds:
                        p = p * factor[own, choice]
                        p = p / (1.0 + p)
                    most = p * gained[choice] + (1.0 - p) * then[choice]
                if not most > 0.0:
                    most, choice = 0.0, NONE
            # Marks what may be worth as much, without a division and several moves at a time: mostly next to nothing.
            least, marked = most - slack, 0
            if odds:
                for j in range(size):
                    over[j] = tables[w, i, j] * factor[own, j] * (gained[j] - least) + (later[j] - least)
                    marked += over[j] >= 0.0
            else:
                for j in range(size):
                    over[j] = tables[w, i, j] * (gained[j] - later[j]) + (later[j] - least)
                    marked += over[j] >= 0.0
            if choice != NONE and over[choice] >= 0.0:
                marked -= 1
                over[choice] = -1.0
            j = i
            while marked > 0:
                j += 1
                if over[j] >= 0.0:
                    marked -= 1
                    if follows[i, j]:
                        p = tables[w, i, j]
                        if odds:
                            p = p * factor[own, j]
                            p = p / (1.0 + p)
                        worth = p * gained[j] + (1.0 - p) * then[j]
                        if worth > most or (worth == most and j < choice):
                            most, choice = worth, j
            value[s, i], best[s, i] = most, choice
            if choice != NONE:
                likely[own] = choice
    return value, best


@compiled
def _left(
    s: int,
    states: Int64s,
    onward: Int64s,
    method: Int64s,
    gained: Floats,
    declined_cost: Floats,
    own_left: Int64s,
    all_left: Int64s,
    factors: Floats,
    odds: bool,
    value: Floats,
    then: Floats,
    factor: Floats,
) -> float:
    """The largest sum at stake in a state, as what a decline of each move leaves and the odds' factors are entered.

    Args:
        value: Of the states after this one, shape (states, n).
        then: What a decline leaves, -inf where the limits bear none, shape (n,).
        factor: By the method declined last and the move, shape (methods, n).
    """
    total, scale = 0, 0.0
    for m in range(states.shape[1]):
        total += states[s, m]
    for j in range(method.shape[0]):
        own, after = states[s, method[j]], onward[s, method[j]]
        then[j] = (value[after, j] if after >= 0 else 0.0) - declined_cost[j]
        scale = max(scale, abs(gained[j]) + abs(then[j]))
        if not ((own == 0 or own - 1 < own_left[j]) and total - 1 < all_left[j]):
            then[j] = -np.inf
        if odds:
            for m in range(states.shape[1]):
                factor[m, j] = factors[s, m, method[j]]
    return scale

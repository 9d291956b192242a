"""The loop of the recursion, compiled; `recursion.py` says what it works out."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NONE = -1


@compiled
def over_states(  # noqa: C901 - one loop, as every call counts references
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
    """
    count, size = states.shape[0], method.shape[0]
    value, best = np.zeros((count, size)), np.full((count, size), NONE, dtype=np.int64)
    then, bears, factor, worth = np.empty(size), np.empty(size, dtype=np.bool_), np.empty(size), np.empty(size)
    # The first that may follow each move; without a sign, for what may count from the end is not worked out at once.
    first, end = np.empty(size, dtype=np.uint64), np.uint64(size)
    for i in range(size):
        j = 0
        while j < size and not follows[i, j]:
            j += 1
        first[i] = j
    for s in range(count):
        total = 0
        for m in range(states.shape[1]):
            total += states[s, m]
        for j in range(size):
            own, after = states[s, method[j]], onward[s, method[j]]
            bears[j] = (own == 0 or own - 1 < own_left[j]) and total - 1 < all_left[j]
            then[j] = (value[after, j] if after >= 0 else 0.0) - declined_cost[j]
        table = which[s]
        for m in range(states.shape[1]):
            if states[s, m] == 0:
                continue
            if odds:
                for j in range(size):
                    factor[j] = factors[s, m, method[j]]
            for i in range(size):
                if method[i] != m:
                    continue
                # Without a branch the processor works out several at a time.
                if odds:
                    for j in range(first[i], end):
                        p = tables[table, i, j] * factor[j]
                        p = p / (1.0 + p)
                        worth[j] = p * gained[j] + (1.0 - p) * then[j]
                else:
                    for j in range(first[i], end):
                        p = tables[table, i, j]
                        worth[j] = p * gained[j] + (1.0 - p) * then[j]
                most, choice = 0.0, NONE
                for j in range(first[i], end):
                    if worth[j] > most and follows[i, j] and bears[j]:
                        most, choice = worth[j], j
                value[s, i], best[s, i] = most, choice
    return value, best

"""The loop of the recursion, compiled; `recursion.py` says what it works out."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NONE = -1
_MARGIN = 1e-9  # of the largest amount: far more than rounding can be off, far less than anybody asks about


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
    hints: Int64s,
) -> tuple[Floats, Int64s]:
    """(value, best next move) in every state after every move as declined last, shape (states, n) both.

    Of odds the best is guessed first. Nothing is worth more than `least` whose odds · (gained − least) + (then − least)
    is not above zero, which is seen without a division; where only the guess itself is left, it is the best.

    Args:
        states: Declines with each method, most declines first, shape (states, methods).
        onward: The state after one more decline with each method, -1 where there is none, shape (states, methods).
        gained: What an approval is worth less its cost, shape (n,).
        tables, which, factors, odds: As in `Chances`.
        hints: What the best may be, NONE where nothing is known, shape (states, n); right or wrong changes no answer.
    """
    count, size = states.shape[0], method.shape[0]
    value, best = np.zeros((count, size)), np.full((count, size), NONE, dtype=np.int64)
    then, factor, worth = np.empty(size), np.empty(size), np.empty(size)
    # The first that may follow each move; without a sign, for what may count from the end is not worked out at once.
    first, end = np.empty(size, dtype=np.uint64), np.uint64(size)
    same, largest = np.full(size, NONE, dtype=np.int64), 0.0
    for i in range(size):
        j = 0
        while j < size and not follows[i, j]:
            j += 1
        first[i] = j
        largest = max(largest, abs(gained[i]), abs(declined_cost[i]))
    margin = largest * _MARGIN
    for s in range(count):
        total = 0
        for m in range(states.shape[1]):
            total += states[s, m]
        for j in range(size):
            own, after = states[s, method[j]], onward[s, method[j]]
            bears = (own == 0 or own - 1 < own_left[j]) and total - 1 < all_left[j]
            then[j] = (value[after, j] if after >= 0 else 0.0) - declined_cost[j] if bears else -np.inf
        table = which[s]
        for m in range(states.shape[1]):
            if states[s, m] == 0:
                continue
            if odds:
                for j in range(size):
                    factor[j] = factors[s, m, method[j]]
            near = np.int64(NONE)
            for i in range(size):
                if method[i] != m:
                    continue
                most, choice, found = 0.0, np.int64(NONE), False
                # Without a branch the processor works out several at a time.
                if odds:
                    hint = hints[s, i]
                    for guess in (same[i] if hint == NONE else hint, near if hint == NONE else hint):
                        if guess != NONE and guess != choice and follows[i, guess]:
                            p = tables[table, i, guess] * factor[guess]
                            p = p / (1.0 + p)
                            worth_it = p * gained[guess] + (1.0 - p) * then[guess]
                            if worth_it > most:
                                most, choice = worth_it, guess
                    least, above = most - margin, 0
                    for j in range(first[i], end):
                        above += (tables[table, i, j] * factor[j]) * (gained[j] - least) + (then[j] - least) > 0.0
                    found = above == (choice != NONE)
                    if not found:
                        for j in range(first[i], end):
                            p = tables[table, i, j] * factor[j]
                            p = p / (1.0 + p)
                            worth[j] = p * gained[j] + (1.0 - p) * then[j]
                else:
                    for j in range(first[i], end):
                        p = tables[table, i, j]
                        worth[j] = p * gained[j] + (1.0 - p) * then[j]
                if not found:
                    most, choice = 0.0, np.int64(NONE)
                    for j in range(first[i], end):
                        if worth[j] > most and follows[i, j]:
                            most, choice = worth[j], np.int64(j)
                value[s, i], best[s, i] = most, choice
                same[i] = choice
                near = choice
    return value, best

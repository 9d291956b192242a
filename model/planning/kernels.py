"""The loops of planning, compiled; `recursion.py` and `sounding.py` say what they work out."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NONE = -1


@compiled
def over_states(
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
    then, bears = np.empty(size), np.empty(size, dtype=np.bool_)
    for s in range(count):
        total = 0
        for m in range(states.shape[1]):
            total += states[s, m]
        for j in range(size):
            own, after = states[s, method[j]], onward[s, method[j]]
            bears[j] = (own == 0 or own - 1 < own_left[j]) and total - 1 < all_left[j]
            then[j] = (value[after, j] if after >= 0 else 0.0) - declined_cost[j]
        table = tables[which[s]]
        for i in range(size):
            if states[s, method[i]] == 0:
                continue
            most, choice = 0.0, NONE
            for j in range(size):
                if follows[i, j] and bears[j]:
                    p = table[i, j]
                    if odds:
                        p = p * factors[s, method[i], method[j]]
                        p = p / (1.0 + p)
                    worth = p * gained[j] + (1.0 - p) * then[j]
                    if worth > most:
                        most, choice = worth, j
            value[s, i], best[s, i] = most, choice
    return value, best


@compiled
def fill_in(  # noqa: C901 - one loop, as every call counts references
    change: Floats,
    share: Floats,
    gap: Floats,
    asked_gap: Floats,
    begins: Int64s,
    next_: Int64s,
    answer: Floats,
    route: Int64s,
    routes: int,
) -> None:
    """Add what some points say of the moves around them, interpolated in the gap for each route by itself.

    Args:
        change: By move declined last and move, shape (m, n).
        share: Of each point in each move declined last, shape (points, m).
        gap: Of every move after each declined last, in which is interpolated, rising by route, shape (m, n).
        asked_gap: Of the moves asked about at each point, one point after another, shape (asked,).
        begins: Where each point's begin, and the end of the last, shape (points + 1,).
        next_, answer: The moves asked about and what was answered, shape (asked,).
        route: Of every move, shape (n,).
        routes: How many there are.
    """
    size = route.shape[0]
    x, y = np.empty(next_.shape[0]), np.empty(next_.shape[0])
    for k in range(share.shape[0]):
        for r in range(routes):
            count = 0
            for q in range(begins[k], begins[k + 1]):
                if route[next_[q]] == r:
                    x[count], y[count] = asked_gap[q], answer[q]
                    count += 1
            if count == 0:
                continue
            for i in range(share.shape[1]):
                part = share[k, i]
                if part <= 0.0:
                    continue
                at = 0
                for j in range(size):
                    if route[j] != r:
                        continue
                    here = gap[i, j]
                    while at < count - 1 and x[at + 1] <= here:
                        at += 1
                    if at == count - 1 or here <= x[0]:
                        found = y[at]
                    else:
                        found = (y[at + 1] - y[at]) / (x[at + 1] - x[at]) * (here - x[at]) + y[at]
                    change[i, j] += part * found

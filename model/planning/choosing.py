"""The loops of the shortlist, compiled; `shortlist.py` says what they choose."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

NONE = -1


@compiled
def in_order_of_use(numbers: Int64s, count: int) -> Int64s:
    """The same numbers, renumbered from 0 in the order in which they first occur; all are below `count`."""
    place, found, used = np.full(count, NONE, dtype=np.int64), np.empty_like(numbers), 0
    for i in range(numbers.size):
        if place[numbers[i]] == NONE:
            place[numbers[i]] = used
            used += 1
        found[i] = place[numbers[i]]
    return found


@compiled
def leading(method: Int64s, net: Floats, most: int) -> Flags:
    """Whether each method is among so many whose best retry is worth most, the first of equals; shape (methods,)."""
    count = 0
    for i in range(method.size):
        count = max(count, method[i] + 1)
    best, chosen = np.full(count, -np.inf), np.zeros(count, dtype=np.bool_)
    for i in range(method.size):
        best[method[i]] = max(best[method[i]], net[i])
    for _ in range(min(most, count)):
        first = NONE
        for m in range(count):
            if not chosen[m] and (first == NONE or best[m] > best[first]):
                first = m
        chosen[first] = True
    return chosen


@compiled
def best_of_each(group: Int64s, groups: int, net: Floats, allowed: Flags) -> Int64s:
    """Position of the highest value in each group, the first of equals; group by group, shape (groups with any,)."""
    best, count = np.full(groups, NONE, dtype=np.int64), 0
    for i in range(group.size):
        if allowed[i] and (best[group[i]] == NONE or net[i] > net[best[group[i]]]):
            count += best[group[i]] == NONE
            best[group[i]] = i
    found, at = np.empty(count, dtype=np.int64), 0
    for g in range(groups):
        if best[g] != NONE:
            found[at] = best[g]
            at += 1
    return found


@compiled
def undominated(group: Int64s, p: Floats, net: Floats) -> Flags:
    """Whether no other of the group, whose members stand together, has both a better chance and a better value.

    Of equals in both the first stands.
    """
    kept = np.ones(group.size, dtype=np.bool_)
    for i in range(group.size):
        for step in (-1, 1):
            j = i + step
            while 0 <= j < group.size and group[j] == group[i]:
                before = net[j] > net[i] or (net[j] == net[i] and (p[j] > p[i] or (p[j] == p[i] and j < i)))
                if before and p[j] >= p[i]:
                    kept[i] = False
                j += step
    return kept


@compiled
def stand_ins(kept: Int64s, method: Int64s, route: Int64s, stretch: Int64s, stretches: int) -> Int64s:
    """Place within `kept` of the retry of the same route and stretch, else of the same method and stretch, else -1."""
    routes, methods = 0, 0
    for i in range(route.size):
        routes, methods = max(routes, route[i] + 1), max(methods, method[i] + 1)
    by_route = np.full((routes, stretches), NONE, dtype=np.int64)
    by_method = np.full((methods, stretches), NONE, dtype=np.int64)
    for place in range(kept.size):
        i = kept[place]
        by_route[route[i], stretch[i]] = place
        by_method[method[i], stretch[i]] = place
    found = np.empty(route.size, dtype=np.int64)
    for i in range(route.size):
        place = by_route[route[i], stretch[i]]
        found[i] = place if place != NONE else by_method[method[i], stretch[i]]
    return found

"""The loops of sounding, compiled: which moves to ask about, and what the answers say of the moves in between."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]


@compiled
def by_gap(
    lasts: Int64s, points: int, gap: Floats, instant: Int64s, places: Int64s, begins: Int64s
) -> tuple[Int64s, Int64s]:
    """(where the moves to ask about after each begin and the last end, the moves themselves in order).

    After each of `lasts` so many of the later moves of every route, evenly spaced in the logarithm of their gap.

    Args:
        gap: log(1 + hours) between any two instants at which moves start, shape (instants, instants).
        instant: At which each move starts, shape (n,).
        places, begins: The moves of one route after another in order of time, and where each route's begin.
    """
    size = instant.size
    ends, found, count = np.zeros(lasts.size + 1, dtype=np.int64), np.empty(lasts.size * size, dtype=np.int64), 0
    chosen = np.empty(size, dtype=np.bool_)
    for k in range(lasts.size):
        last = lasts[k]
        gaps = gap[instant[last]]
        chosen[:] = False
        for r in range(begins.size - 1):
            first, end = begins[r], begins[r + 1]
            while first < end and places[first] <= last:
                first += 1
            if end - first <= points:
                for q in range(first, end):
                    chosen[places[q]] = True
                continue
            lowest, highest = gaps[instant[places[first]]], gaps[instant[places[end - 1]]]
            step, at = (highest - lowest) / (points - 1), first
            for point in range(points):
                wanted = highest if point == points - 1 else point * step + lowest
                while at < end - 1 and gaps[instant[places[at]]] < wanted:
                    at += 1
                chosen[places[at]] = True
        for j in range(last + 1, size):
            if chosen[j]:
                found[count] = j
                count += 1
        ends[k + 1] = count
    return ends, found[:count]


@compiled
def fill_in(  # noqa: C901 - one loop, as every call counts references
    change: Floats,
    theirs: Int64s,
    lasts: Int64s,
    ends: Int64s,
    next_: Int64s,
    answer: Floats,
    start: Int64s,
    gap: Floats,
    instant: Int64s,
    places: Int64s,
    begins: Int64s,
    of_route: Int64s,
) -> None:
    """Work out what declines of one route change for later moves, interpolated between the declines asked about.

    Linearly in the time of the decline, and in the gap to the moves of each route by itself.

    Args:
        change: To be added to, by move declined last and move, shape (m, n).
        theirs: The moves declined last, those of one route in order of time, shape (m,).
        lasts: The declines of the route that were asked about, in order of time, shape (k,).
        ends: Where the moves asked about after each begin, and the last end, shape (k + 1,).
        next_, answer: The moves asked about and what changed for them, shape (asked,).
        start: When each move starts, microseconds, shape (n,).
        gap, instant, places, begins: As for `by_gap`.
        of_route: Route of every move, shape (n,).
    """
    count = lasts.size
    lower, upper, weight = (
        np.empty(theirs.size, dtype=np.int64),
        np.empty(theirs.size, dtype=np.int64),
        np.empty(theirs.size),
    )
    above = 0
    for i in range(theirs.size):
        at = start[theirs[i]]
        while above < count - 1 and start[lasts[above]] < at:
            above += 1
        below = max(above - (1 if start[lasts[above]] > at else 0), 0)
        width = max(start[lasts[above]] - start[lasts[below]], 1)
        lower[i], upper[i] = below, above
        weight[i] = min(max((at - start[lasts[below]]) / width, 0.0), 1.0)
    x, y = np.empty(next_.size), np.empty(next_.size)
    for k in range(count):
        for r in range(begins.size - 1):
            known = 0
            for q in range(ends[k], ends[k + 1]):
                if of_route[next_[q]] == r:
                    x[known], y[known] = gap[instant[lasts[k]], instant[next_[q]]], answer[q]
                    known += 1
            if known == 0:
                continue
            for i in range(theirs.size):
                part = 0.0
                if lower[i] == k:
                    part = 1.0 if upper[i] == k else 1.0 - weight[i]
                elif upper[i] == k:
                    part = weight[i]
                if part <= 0.0:
                    continue
                last, at = theirs[i], 0
                gaps = gap[instant[last]]
                for q in range(begins[r], begins[r + 1]):
                    j = places[q]
                    if j <= last:
                        continue
                    here = gaps[instant[j]]
                    while at < known - 1 and x[at + 1] <= here:
                        at += 1
                    if at == known - 1 or here <= x[0]:
                        found = y[at]
                    else:
                        found = (y[at + 1] - y[at]) / (x[at + 1] - x[at]) * (here - x[at]) + y[at]
                    change[i, j] += part * found


@compiled
def sum_of(values: Floats, count: int) -> float:
    """The sum of the first so many values, in the order in which NumPy adds up to 128: eight sums, then their sum."""
    total = 0.0
    if count < 8:
        for i in range(count):
            total += values[i]
        return float(total)
    eight, whole = values[:8].copy(), count - count % 8
    for i in range(8, whole):
        eight[i % 8] += values[i]
    total += ((eight[0] + eight[1]) + (eight[2] + eight[3])) + ((eight[4] + eight[5]) + (eight[6] + eight[7]))
    for i in range(whole, count):
        total += values[i]
    return float(total)


@compiled
def add_changes(total: Floats, seen: Floats, answers: Floats, before: Int64s, asked: Int64s) -> None:
    """Add up what further declines change for each method, and count for how many moves.

    Args:
        total, seen: By method and number of the further declines and method of the moves asked about, to be added to,
            shape (methods, methods, declines).
        answers: Without further declines and with them, shape (k, q).
        before: Method and number of the further declines, shape (k, 2); the first row is not read.
        asked: Method of each move asked about, shape (q,).
    """
    change = np.empty(asked.size)
    for then in range(total.shape[0]):
        for k in range(1, before.shape[0]):
            count = 0
            for q in range(asked.size):
                if asked[q] == then:
                    change[count] = answers[k, q] - answers[0, q]
                    count += 1
            if count > 0:
                total[before[k, 0], then, before[k, 1]] += sum_of(change, count)
                seen[before[k, 0], then, before[k, 1]] += count

"""The loops of sounding, compiled: which moves to ask about, and what the answers say of the moves in between."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

NONE = -1


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
def between(
    lasts: Int64s, start: Int64s, places: Int64s, begins: Int64s, of_route: Int64s
) -> tuple[Int64s, Int64s, Floats]:
    """(the decline asked about before each move on its route, the one after it, the weight of that one), shape (n,).

    Before the first and after the last it is one and the same; NONE where none of the route was asked about.

    Args:
        lasts: The declines that were asked about, in order of time, shape (k,).
        start: When each move starts, microseconds, shape (n,).
        places, begins: As for `by_gap`.
        of_route: Route of every move, shape (n,).
    """
    lower, upper = np.full(start.size, NONE, dtype=np.int64), np.full(start.size, NONE, dtype=np.int64)
    weight, theirs = np.zeros(start.size), np.empty(lasts.size, dtype=np.int64)
    for r in range(begins.size - 1):
        count = 0
        for k in range(lasts.size):
            if of_route[lasts[k]] == r:
                theirs[count] = k
                count += 1
        above = 0
        for q in range(begins[r], begins[r + 1] if count else begins[r]):
            i = places[q]
            while above < count - 1 and start[lasts[theirs[above]]] < start[i]:
                above += 1
            after = start[lasts[theirs[above]]]
            below = max(above - (1 if after > start[i] else 0), 0)
            before = start[lasts[theirs[below]]]
            lower[i], upper[i] = theirs[below], theirs[above]
            weight[i] = min(max((start[i] - before) / max(after - before, 1), 0.0), 1.0)
    return lower, upper, weight


@compiled
def fill_in(  # noqa: C901 - one loop, as every call counts references
    rows: Int64s,
    lower: Int64s,
    upper: Int64s,
    weight: Floats,
    lasts: Int64s,
    ends: Int64s,
    next_: Int64s,
    answer: Floats,
    gap: Floats,
    instant: Int64s,
    places: Int64s,
    begins: Int64s,
    of_route: Int64s,
) -> Floats:
    """What a decline of some moves changes for every later one, interpolated between the declines asked about.

    Linearly in the time of the decline, and in the gap to the moves of each route by itself.

    Args:
        rows: The moves declined, rising, shape (m,).
        lower, upper, weight: What `between` gives.
        lasts: The declines that were asked about, in order of time, shape (k,).
        ends: Where the moves asked about after each begin, and the last end, shape (k + 1,).
        next_, answer: The moves asked about and what changed for them, shape (asked,).
        gap, instant, places, begins, of_route: As for `by_gap` and `between`.

    Returns:
        By move declined and later move, zero for earlier ones, shape (m, n).
    """
    change = np.zeros((rows.size, instant.size))
    x, y, slope = np.empty(next_.size), np.empty(next_.size), np.empty(next_.size)
    part, using = np.empty(rows.size), np.empty(rows.size, dtype=np.int64)
    for k in range(lasts.size):
        count = 0
        for row in range(rows.size):
            i, share = rows[row], 0.0
            if lower[i] == k:
                share = 1.0 if upper[i] == k else 1.0 - weight[i]
            elif upper[i] == k:
                share = weight[i]
            if share > 0.0:
                part[count], using[count] = share, row
                count += 1
        if count == 0:
            continue
        for r in range(begins.size - 1):
            known = 0
            for q in range(ends[k], ends[k + 1]):
                if of_route[next_[q]] == r:
                    x[known], y[known] = gap[instant[lasts[k]], instant[next_[q]]], answer[q]
                    known += 1
            if known == 0:
                continue
            for at in range(known - 1):
                slope[at] = (y[at + 1] - y[at]) / (x[at + 1] - x[at])
            first = begins[r]
            for u in range(count):
                row, at, share = using[u], 0, part[u]
                since = instant[rows[row]]
                while first < begins[r + 1] and places[first] <= rows[row]:
                    first += 1
                for q in range(first, begins[r + 1]):
                    j = places[q]
                    here = gap[since, instant[j]]
                    while at < known - 1 and x[at + 1] <= here:
                        at += 1
                    flat = at == known - 1 or here <= x[0]
                    found = y[at] if flat else slope[at] * (here - x[at]) + y[at]
                    change[row, j] += share * found
    return change


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
def _carry_on(mean: Floats, seen: Floats) -> None:
    """Make means of sums; what was not asked changes from one decline to the next as for the last one's own method."""
    methods, most = mean.shape[0], mean.shape[3]
    for place in np.ndindex(mean.shape):
        if seen[place] > 0:
            mean[place] /= seen[place]
    for k in range(1, most):
        for other in range(methods):
            for then in range(methods):
                own = mean[other, other, then]
                onward = own[k - 1] - own[k - 2] if k > 1 else 0.0
                for m in range(methods):
                    if seen[m, other, then, k] == 0:
                        mean[m, other, then, k] = mean[m, other, then, k - 1] + onward


@compiled
def mean_changes(
    last: Int64s, begins: Int64s, before: Int64s, sizes: Int64s, asked: Int64s, answers: Floats, mean: Floats
) -> None:
    """Work out the mean change by further declines.

    Args:
        last: Of each series the method of the last decline, shape (s,).
        begins: Where the questions of each begin, and the last end; the first of each has no further declines.
        before: Of each question the method and number of the further declines, shape (k, 2).
        sizes: How many moves each series asks about, shape (s,).
        asked: Method of each move asked about, series after series.
        answers: Log-odds, question after question.
        mean: To be worked out, zeros before, as `Interpolated.more`.
    """
    seen, change = np.zeros(mean.shape), np.empty(asked.size)
    moves, alone = 0, 0
    for s in range(last.size):
        size = sizes[s]
        for then in range(mean.shape[2]):
            for k in range(begins[s] + 1, begins[s + 1]):
                count, answer = 0, alone + (k - begins[s]) * size
                for q in range(size):
                    if asked[moves + q] == then:
                        change[count] = answers[answer + q] - answers[alone + q]
                        count += 1
                if count > 0:
                    mean[last[s], before[k, 0], then, before[k, 1]] += sum_of(change, count)
                    seen[last[s], before[k, 0], then, before[k, 1]] += count
        moves, alone = moves + size, alone + (begins[s + 1] - begins[s]) * size
    _carry_on(mean, seen)

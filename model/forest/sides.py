"""Both sides of every split, laid out once for working out what each column adds to a score.

A tree's splits stand in pre-order, but for its ends: splits between two leaves that are the first on their way to ask
about their column. Ends come last, because nothing lies below them and one step does for them.
"""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from model.forest.flat import Floats, Int32s

FIRST = -1
"""What stands for the last side about a column where a split is the first to ask about it."""

Sides = tuple[Int32s, Int32s, Int32s, Floats, Floats, Floats, Int32s, Int32s, Int32s]
"""The sides of split k are `2 * k` and `2 * k + 1`.

Of each split, shape (splits,): its column; the side that leads to it, counted within the tree, twice the tree's splits
for the first; the last side above it that asks about the same column, counted among all, or FIRST.
Of each side, shape (2 * splits,): the share of its split's rows that took it; the product of the shares of all sides
about its column on the way to its end; the leaf's value, or 1 where it leads to a split.
Of each tree: how many splits are no ends, shape (trees,); the sides of these that end in leaves, counted within
the tree, and where each tree's begin, shape (trees + 1,).
"""


@compiled
def lay_out(  # noqa: C901 - three loops over the splits of a tree
    source: NDArray[np.int16],
    column: Int32s,
    first: Int32s,
    second: Int32s,
    first_leaf: Floats,
    second_leaf: Floats,
    first_rows: Floats,
    second_rows: Floats,
    start: Int32s,
) -> tuple[Sides, Int32s, Int32s, float]:
    """Lay out a forest's splits.

    Returns:
        The sides, the place of each split in the forest, the most different columns on the way to any leaf of each
        tree, and the sum of the trees' mean values.
    """
    splits, trees = source.shape[0], start.shape[0] - 1
    above, last = np.full(splits, FIRST, dtype=np.int32), np.full(splits, FIRST, dtype=np.int32)
    place, columns = np.empty(splits, dtype=np.int32), np.zeros(splits, dtype=np.int32)
    split, asked = np.empty(splits, dtype=np.int32), np.empty(splits, dtype=np.int32)
    leading, before = np.empty(splits, dtype=np.int32), np.full(splits, FIRST, dtype=np.int32)
    share, through = np.empty(2 * splits), np.empty(2 * splits)
    leaf, reached = np.ones(2 * splits), np.empty(2 * splits)
    inner, different = np.zeros(trees, dtype=np.int32), np.zeros(trees, dtype=np.int32)
    leaves, leaves_start = np.empty(2 * splits, dtype=np.int32), np.zeros(trees + 1, dtype=np.int32)
    expected, found = 0.0, 0
    for tree in range(trees):
        begin, end = start[tree], start[tree + 1]
        for s in range(begin, end):
            for side, child in ((2 * s, first[s]), (2 * s + 1, second[s])):
                if child >= 0:
                    above[child] = side
            k = int(source[s])
            place[s] = column[-2 - k] if k < 0 else column[k]  # the column, until the place is known
            side = above[s]
            while side >= 0 and place[side >> 1] != place[s]:
                side = above[side >> 1]
            last[s] = side
            columns[s] = (columns[above[s] >> 1] if above[s] >= 0 else 0) + (side < 0)
            different[tree] = max(different[tree], columns[s])
            inner[tree] += not (first[s] < 0 and second[s] < 0 and side < 0)
        next_, next_end = begin, begin + inner[tree]
        for s in range(begin, end):
            if first[s] < 0 and second[s] < 0 and last[s] < 0:
                k, next_end = next_end, next_end + 1
            else:
                k, next_ = next_, next_ + 1
            split[k], asked[k], place[s] = s, place[s], k - begin
        for s in range(begin, end):
            k, to, same = place[s] + begin, above[s], last[s]
            leading[k] = 2 * place[to >> 1] + (to & 1) if to >= 0 else 2 * (end - begin)
            before[k] = 2 * (begin + place[same >> 1]) + (same & 1) if same >= 0 else FIRST
            both = first_rows[s] + second_rows[s]
            for side, child, value, rows in (
                (0, first[s], first_leaf[s], first_rows[s]),
                (1, second[s], second_leaf[s], second_rows[s]),
            ):
                edge = 2 * k + side
                share[edge] = rows / both
                through[edge] = share[edge] * (through[before[k]] if same >= 0 else 1.0)
                reached[edge] = share[edge] * (reached[2 * begin + leading[k]] if to >= 0 else 1.0)
                if child < 0:
                    leaf[edge] = value
                    expected += value * reached[edge]
                    if place[s] < inner[tree]:
                        leaves[found] = 2 * place[s] + side
                        found += 1
        leaves_start[tree + 1] = found
    sides = (asked, leading, before, share, through, leaf, inner, leaves[:found].copy(), leaves_start)
    return sides, split, different, expected

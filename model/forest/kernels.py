"""The loops over trees and rows, compiled by Numba when they are first called and then kept on disk.

A forest is folded twice: by what holds for all rows, then by what holds for each block of rows. Folding walks past
every split that all the rows answer alike. What is left of a tree is evaluated for a whole block at once: from its end
to its start, each split chooses row by row between the values of its two sides, without a branch, so that the
processor does several rows at a time. The trees' values are added in the model's order, which makes the sums
LightGBM's to the bit.

All of it is one file, since the code kept on disk is made anew when its own file changes, but not for one it calls. The
long functions are long since a call counts references to every array it hands over, which costs more than what it does.
"""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from model.forest.flat import LEAF, TINY, Float32s, Floats, Forest, Int32s, UInt32s, View

Int16s = NDArray[np.int16]
Splits = tuple[Int16s, Float32s, Int32s, Int32s, Floats, Floats, Int32s, Floats]
"""`Forest.input`, `threshold`, `first`, `second`, `first_leaf`, `second_leaf`, `start` and `constant`."""
Sets = tuple[Int32s, UInt32s]
"""`Forest.set_start` and `words`."""

BLOCK, FEWEST = 256, 64
"""Most rows in a block, few enough that its values stay near the processor, and fewest if there are more."""
GROUPS = 64
"""Most groups of rows by categories; rows of further ones are in the last."""
CODE = int(View.CODE)
NEGATIONS = (int(View.NEGATED), int(View.NEGATED_ZERO_MISSING))
ZERO_MISSING = (int(View.ZERO_MISSING), int(View.NEGATED_ZERO_MISSING))


def as_arrays(forest: Forest) -> tuple[Splits, Sets, Int32s, Int32s, Int32s, int]:
    """What `add_up` takes beside the rows."""
    splits = (
        forest.input,
        forest.threshold,
        forest.first,
        forest.second,
        forest.first_leaf,
        forest.second_leaf,
        forest.start,
        forest.constant,
    )
    sets = (forest.set_start, forest.words)
    return splits, sets, forest.trees, forest.column, forest.view, forest.depth + 2


@compiled
def add_up(
    matrix: Float32s, splits: Splits, sets: Sets, trees: Int32s, column: Int32s, view: Int32s, depth: int
) -> Floats:
    """The sum of every booster's trees for every row, shape (n, boosters).

    Args:
        matrix: Shape (n, columns), C order.
        trees, column, view: As in `Forest`.
        depth: Above the splits on the way to any leaf.
    """
    rows, count = matrix.shape[0], splits[7].shape[0]
    varies = _varying(matrix)
    order, ends = _blocks(matrix, column, view, varies)
    blocks = ends.shape[0] - 1
    inputs = np.empty((blocks, column.shape[0] + 1, min(rows, BLOCK)), dtype=np.float32)
    low, high = _fill(matrix, column, view, varies, order, ends, inputs)
    overall_low, overall_high = _overall(low, high)
    kept = _room(splits[0].shape[0], count)
    size = _fold(splits, sets, overall_low, overall_high, kept, depth)
    left = _room(size, count)
    scratch = np.empty((depth, BLOCK))
    sums = np.zeros((trees.shape[0], rows))
    for block in range(blocks):
        _fold(kept, sets, low[block], high[block], left, depth)
        _evaluate(left, sets, trees, inputs[block], scratch, sums, ends[block], ends[block + 1])
    total = np.empty((rows, trees.shape[0]))
    for booster in range(trees.shape[0]):
        for i in range(rows):
            total[order[i], booster] = sums[booster, i]
    return total


@compiled
def _blocks(matrix: Float32s, column: Int32s, view: Int32s, varies: NDArray[np.bool_]) -> tuple[Int32s, Int32s]:
    """(rows by what their categories are, where each block of that order ends after a first 0).

    Rows of one method lie side by side then, and splits about the method fold away. Which rows share a block does not
    change any sum.
    """
    group, size = _groups(_keys(matrix, column, view, varies))
    rows, groups = matrix.shape[0], size.shape[0]
    place = np.zeros(groups, dtype=np.int32)
    for g in range(1, groups):
        place[g] = place[g - 1] + size[g - 1]
    order = np.empty(rows, dtype=np.int32)
    for i in range(rows):
        order[place[group[i]]] = i
        place[group[i]] += 1
    ends = np.zeros(rows // FEWEST + groups + 1, dtype=np.int32)
    blocks, done, upto = 0, 0, 0
    for g in range(groups):
        upto += size[g]
        if upto - done >= FEWEST or g == groups - 1:
            parts = (upto - done + BLOCK - 1) // BLOCK
            for part in range(parts):
                blocks += 1
                ends[blocks] = done + (upto - done) * (part + 1) // parts
            done = upto
    return order, ends[: blocks + 1]


@compiled
def _keys(matrix: Float32s, column: Int32s, view: Int32s, varies: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """A hash of every row's categories (FNV-1a), shape (n,); two that clash merely share a block."""
    bits = matrix.view(np.uint32)
    key = np.zeros(matrix.shape[0], dtype=np.uint64)
    for k in range(column.shape[0]):
        if view[k] == CODE and varies[column[k]]:
            for i in range(key.shape[0]):
                key[i] = (key[i] ^ np.uint64(bits[i, column[k]])) * np.uint64(1099511628211)
    return key


@compiled
def _groups(key: NDArray[np.uint64]) -> tuple[Int32s, Int32s]:
    """(group of each row, rows in each group): groups in the order in which their keys occur."""
    known, size = np.empty(GROUPS, dtype=np.uint64), np.zeros(GROUPS, dtype=np.int32)
    group, groups, last = np.empty(key.shape[0], dtype=np.int32), 0, 0
    for i in range(key.shape[0]):
        if groups == 0 or known[last] != key[i]:
            last = 0
            while last < groups and known[last] != key[i]:
                last += 1
            if last == groups and groups < GROUPS:
                known[groups] = key[i]
                groups += 1
            last = min(last, GROUPS - 1)
        group[i] = last
        size[last] += 1
    return group, size[:groups]


@compiled
def _room(size: int, trees: int) -> Splits:
    return (
        np.empty(size, dtype=np.int16),
        np.empty(size, dtype=np.float32),
        np.empty(size, dtype=np.int32),
        np.empty(size, dtype=np.int32),
        np.empty(size, dtype=np.float64),
        np.empty(size, dtype=np.float64),
        np.empty(trees + 1, dtype=np.int32),
        np.empty(trees, dtype=np.float64),
    )


@compiled
def show(values: Float32s, view: int) -> tuple[np.float32, np.float32]:
    """Turn a column's values into what an input of that view shows; its lowest and highest, as `_fill` has them."""
    nan, zero = np.float32(np.nan), np.float32(0.0)
    if view == CODE:
        for i in range(values.shape[0]):
            x = np.float32(np.trunc(values[i]))
            values[i] = x if x >= zero and x < np.float32(2147483648.0) else np.float32(-1.0)
    else:
        sign = np.float32(-1.0) if view in NEGATIONS else np.float32(1.0)
        small = nan if view in ZERO_MISSING else zero
        for i in range(values.shape[0]):
            x = values[i]
            values[i] = small if abs(x) <= TINY else x * sign
    missing = 0
    for i in range(values.shape[0]):
        missing += values[i] != values[i]
    least, most = _extremes(values)
    return (nan if missing == values.shape[0] else least), (nan if missing > 0 else most)


@compiled
def _extremes(values: Float32s) -> tuple[np.float32, np.float32]:
    """The lowest and the highest but for NaN; four at a time, as each comparison waits for the one before it."""
    endless, size = np.float32(np.inf), values.shape[0]
    low_0 = low_1 = low_2 = low_3 = endless
    high_0 = high_1 = high_2 = high_3 = -endless
    for i in range(0, size - 3, 4):
        a, b, c, d = values[i], values[i + 1], values[i + 2], values[i + 3]
        low_0, low_1, low_2, low_3 = min(low_0, a), min(low_1, b), min(low_2, c), min(low_3, d)
        high_0, high_1, high_2, high_3 = max(high_0, a), max(high_1, b), max(high_2, c), max(high_3, d)
    for i in range(size - size % 4, size):
        low_0, high_0 = min(low_0, values[i]), max(high_0, values[i])
    return min(low_0, low_1, low_2, low_3), max(high_0, high_1, high_2, high_3)


@compiled
def _fill(
    matrix: Float32s,
    column: Int32s,
    view: Int32s,
    varies: NDArray[np.bool_],
    order: Int32s,
    ends: Int32s,
    inputs: Float32s,
) -> tuple[Float32s, Float32s]:
    """Fill the inputs of every block; (lowest, highest) of each in each block, shape (blocks, inputs) both.

    The lowest passes over NaN and is NaN if there is nothing else; the highest is NaN if there is one. An input that
    shows the same in all rows is not filled: no split about it is left to evaluate.
    """
    blocks, count = ends.shape[0] - 1, column.shape[0]
    low, high = np.empty((blocks, count), dtype=np.float32), np.empty((blocks, count), dtype=np.float32)
    constant = np.empty(1, dtype=np.float32)
    for k in range(count):
        c, kind = column[k], view[k]
        if not varies[c]:
            constant[0] = matrix[0, c]
            low[:, k], high[:, k] = show(constant, kind)
            continue
        for block in range(blocks):
            into, some = inputs[block, k], order[ends[block] : ends[block + 1]]
            for i in range(some.shape[0]):
                into[i] = matrix[some[i], c]
            low[block, k], high[block, k] = show(into[: some.shape[0]], kind)
    return low, high


@compiled
def _varying(matrix: Float32s) -> NDArray[np.bool_]:
    """Whether not all rows are the same to the bit, shape (columns,)."""
    bits = matrix.view(np.uint32)
    rows, columns = bits.shape
    differ, first = np.zeros(columns, dtype=np.uint32), bits[0]
    for i in range(rows % 4, rows, 4):  # what differs so far is read and written once for four rows
        one, two, three, four = bits[i], bits[i + 1], bits[i + 2], bits[i + 3]
        for c in range(columns):
            known = first[c]
            differ[c] |= (one[c] ^ known) | (two[c] ^ known) | (three[c] ^ known) | (four[c] ^ known)
    for i in range(rows % 4):
        row = bits[i]
        for c in range(columns):
            differ[c] |= row[c] ^ first[c]
    varies = np.empty(differ.shape[0], dtype=np.bool_)
    for c in range(differ.shape[0]):
        varies[c] = differ[c] != 0
    return varies


@compiled
def _overall(low: Float32s, high: Float32s) -> tuple[Float32s, Float32s]:
    least, most = low[0].copy(), high[0].copy()
    for block in range(1, low.shape[0]):
        for k in range(low.shape[1]):
            if low[block, k] < least[k] or least[k] != least[k]:
                least[k] = low[block, k]
            if high[block, k] > most[k] or high[block, k] != high[block, k]:
                most[k] = high[block, k]
    return least, most


@compiled
def _fold(  # noqa: C901 - one loop, see above
    splits: Splits, sets: Sets, low: Float32s, high: Float32s, into: Splits, depth: int
) -> int:
    """Copy the trees without the splits that all rows between low and high answer alike; how many splits are left."""
    source, threshold, first, second, first_leaf, second_leaf, start, constant = splits
    to_source, to_threshold, to_first, to_second, to_first_leaf, to_second_leaf, to_start, to_constant = into
    ahead, parent = np.empty(depth, dtype=np.int32), np.empty(depth, dtype=np.int32)
    size = 0
    for tree in range(constant.shape[0]):
        to_start[tree] = size
        to_constant[tree] = constant[tree]
        waiting = 0
        if start[tree] < start[tree + 1]:
            ahead[0], parent[0], waiting = start[tree], -1, 1
        while waiting > 0:
            waiting -= 1
            at, leaf = ahead[waiting], 0.0
            while at >= 0:
                k, limit = source[at], threshold[at]
                if k < 0:
                    k = -2 - k
                    if low[k] != high[k]:
                        break
                    to_the_first = has(sets, int(limit), low[k])
                elif high[k] <= limit:
                    to_the_first = True
                elif low[k] <= limit:
                    break
                else:
                    to_the_first = False
                if to_the_first:
                    at, leaf = first[at], first_leaf[at]
                else:
                    at, leaf = second[at], second_leaf[at]
            above, found = parent[waiting], LEAF if at < 0 else size
            if above < 0:
                to_constant[tree] = leaf
            elif above & 1:
                to_second[above >> 1], to_second_leaf[above >> 1] = found, leaf
            else:
                to_first[above >> 1], to_first_leaf[above >> 1] = found, leaf
            if at >= 0:
                to_source[size], to_threshold[size] = source[at], threshold[at]
                to_first_leaf[size], to_second_leaf[size] = first_leaf[at], second_leaf[at]
                to_first[size], to_second[size] = LEAF, LEAF
                for side, child in ((1, second[at]), (0, first[at])):
                    if child >= 0:
                        ahead[waiting], parent[waiting] = child, 2 * size + side
                        waiting += 1
                size += 1
    to_start[constant.shape[0]] = size
    return size


@compiled
def has(sets: Sets, number: int, code: np.float32) -> bool:
    """Whether a code is in a set; -1 is in none."""
    starts, words = sets
    if code < np.float32(0.0):
        return False
    place = int(code) >> 5
    if place >= starts[number + 1] - starts[number]:
        return False
    return bool((words[starts[number] + place] >> np.uint32(int(code) & 31)) & np.uint32(1))


@compiled
def _evaluate(  # noqa: C901 - one loop, see above
    splits: Splits,
    sets: Sets,
    trees: Int32s,
    inputs: Float32s,
    scratch: Floats,
    sums: Floats,
    begin: int,
    end: int,
) -> None:
    """Add every tree's value for every row of a block.

    Args:
        inputs: Of the block; its last row is for the answers to categorical splits.
        scratch: Rows of values that wait for the split above them.
        sums: Of every booster, shape (boosters, rows).
        begin, end: Which rows the block is.
    """
    source, limits, first, second, first_leaf, second_leaf, start, constant = splits
    rows, spare = end - begin, inputs.shape[0] - 1
    tree = 0
    for booster in range(trees.shape[0]):
        own = sums[booster][begin:end]  # known to lie in one piece, or rows would be added one by one
        for _ in range(trees[booster]):
            waiting = 0
            for at in range(start[tree + 1] - 1, start[tree] - 1, -1):
                k, limit, a, b = int(source[at]), limits[at], first_leaf[at], second_leaf[at]
                if k < 0:
                    _sides(sets, int(limit), inputs, -2 - k, rows)
                    k, limit = spare, np.float32(0.0)
                # Both sides are read before one is chosen: a read within the choice would be done row by row.
                if first[at] < 0 and second[at] < 0:
                    for i in range(rows):
                        scratch[waiting, i] = a if inputs[k, i] <= limit else b
                    waiting += 1
                elif second[at] < 0:
                    for i in range(rows):
                        left = scratch[waiting - 1, i]
                        scratch[waiting - 1, i] = left if inputs[k, i] <= limit else b
                elif first[at] < 0:
                    for i in range(rows):
                        right = scratch[waiting - 1, i]
                        scratch[waiting - 1, i] = a if inputs[k, i] <= limit else right
                else:
                    waiting -= 1
                    for i in range(rows):
                        left, right = scratch[waiting, i], scratch[waiting - 1, i]
                        scratch[waiting - 1, i] = left if inputs[k, i] <= limit else right
            if waiting == 0:
                everywhere = constant[tree]
                for i in range(rows):
                    own[i] += everywhere
            else:
                for i in range(rows):
                    own[i] += scratch[0, i]
            tree += 1


@compiled
def _sides(sets: Sets, number: int, inputs: Float32s, k: int, rows: int) -> None:
    """Into the last input: -1 where the code is in the set, 1 elsewhere."""
    spare = inputs.shape[0] - 1
    for i in range(rows):
        inputs[spare, i] = np.float32(-1.0) if has(sets, number, inputs[k, i]) else np.float32(1.0)

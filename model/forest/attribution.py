"""What each column adds to a row's raw score: the Shapley values of the trees, worked out leaf by leaf.

A leaf's value reaches a row if every column asked about on the way agrees. For a set of columns that is known, a leaf
counts with the share of the learnt rows that took its way at each column that is not (Lundberg et al. 2020, "From local
explanations to global understanding with explainable AI for trees", algorithm 2: path-dependent). For one leaf of value
v with D columns on its way, of which k agree with the row with shares z, a column that agrees gets

    v · (1 - z) · Π shares of those that do not agree · Σ over s of  q_s · s! (D - 1 - s)! / D!

where q are the coefficients of the product of (z' + y) over the other columns that agree, and one that does not agree
gets the same without the (1 - z), with all that agree in the product, and negative. It is LightGBM's own sum in another
order, some times faster since the ways to the leaves are laid out once and not for every row.
"""

from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from model.forest.flat import TINY, Float32s, Floats, Forest, Int32s, UInt32s, View
from model.forest.kernels import NEGATIONS, ZERO_MISSING, has
from model.forest.trees import UnsupportedTreesError

Flags = NDArray[np.bool_]
_LARGEST_CODE = np.float32(2147483648.0)


@dataclass(frozen=True, slots=True)
class Ways:
    """The way to every leaf, by the columns on it.

    Args:
        value: Of each leaf, shape (leaves,).
        start: Where each leaf's columns start, and the end of the last, shape (leaves + 1,).
        column, share: Of each column on the way to a leaf: which, and the share of rows that took the leaf's way there.
        checked: Where each leaf's splits start, and the end of the last, shape (leaves + 1,).
        side, of: Of each split on the way to a leaf: `2 * split` for the first side and one more for the second, and
            its column's place among the leaf's.
    """

    value: Floats
    start: Int32s
    column: Int32s
    share: Floats
    checked: Int32s
    side: Int32s
    of: Int32s


class Attribution:
    """Shapley values of the mean of a forest's boosters.

    Raises:
        UnsupportedTreesError: The trees do not say how many rows they were learnt from.
    """

    def __init__(self, forest: Forest, columns: int) -> None:
        if forest.first_rows.size and not min(forest.first_rows.min(), forest.second_rows.min()) > 0.0:
            raise UnsupportedTreesError("its trees do not say how many rows they were learnt from")
        self._forest, self._columns = forest, columns
        self._ways = Ways(*_ways(
            forest.input, forest.column, forest.first, forest.second, forest.first_leaf, forest.second_leaf,
            forest.first_rows, forest.second_rows, forest.start, forest.depth + 2,
        ))  # fmt: skip
        self._weights = _weights(forest.depth + 1)
        self._base = float(forest.constant.sum()) + _expected(self._ways)

    def __call__(self, matrix: Float32s) -> Floats:
        """What every column adds to each row's score, and the base in the last column, shape (n, columns + 1).

        Args:
            matrix: Shape (n, columns).
        """
        forest, ways = self._forest, self._ways
        parts = np.zeros((len(matrix), self._columns + 1))
        parts[:, -1] = self._base
        taken = _taken(
            shown(matrix, forest.column, forest.view), forest.input, forest.threshold, forest.set_start, forest.words
        )
        _add_parts(
            taken,
            ways.value,
            ways.start,
            ways.column,
            ways.share,
            ways.checked,
            ways.side,
            ways.of,
            self._weights,
            parts,
        )
        parts /= forest.trees.size
        return parts


def shown(matrix: Float32s, column: Int32s, view: Int32s) -> Float32s:
    """What every input shows of every row, as in `View`, shape (n, inputs)."""
    values = np.asarray(matrix, dtype=np.float32)[:, column]
    whole = np.trunc(values)
    codes = np.where((whole >= 0) & (whole < _LARGEST_CODE), whole, np.float32(-1.0))
    small = np.where(np.isin(view, ZERO_MISSING), np.float32(np.nan), np.float32(0.0))
    signed = np.where(np.isin(view, NEGATIONS), -values, values)
    numbers = np.where(np.abs(values) <= TINY, small, signed)
    return np.ascontiguousarray(np.where(view == View.CODE, codes, numbers), dtype=np.float32)


def _weights(most: int) -> Floats:
    """s! (D - 1 - s)! / D! by D and s, shape (most + 1, most + 1)."""
    table = np.zeros((most + 1, most + 1))
    for columns in range(1, most + 1):
        table[columns, :columns] = [1.0 / (columns * comb(columns - 1, s)) for s in range(columns)]
    return table


def _expected(ways: Ways) -> float:
    """The sum over the trees of their mean value of the rows they were learnt from."""
    if not ways.value.size:
        return 0.0
    reached = np.multiply.reduceat(ways.share, ways.start[:-1])
    return float((reached * ways.value).sum())


@compiled
def _ways(
    source: NDArray[np.int16],
    column: Int32s,
    first: Int32s,
    second: Int32s,
    first_leaf: Floats,
    second_leaf: Floats,
    first_rows: Floats,
    second_rows: Floats,
    start: Int32s,
    depth: int,
) -> tuple[Floats, Int32s, Int32s, Floats, Int32s, Int32s, Int32s]:
    """Walk every tree; the arrays of `Ways`."""
    trees = start.shape[0] - 1
    leaves = source.shape[0] + trees
    value = np.empty(leaves)
    starts, checked = np.zeros(leaves + 1, dtype=np.int32), np.zeros(leaves + 1, dtype=np.int32)
    which, share = np.empty(leaves * depth, dtype=np.int32), np.empty(leaves * depth)
    sides, of = np.empty(leaves * depth, dtype=np.int32), np.empty(leaves * depth, dtype=np.int32)
    ahead, above = np.empty(2 * depth, dtype=np.int32), np.empty(2 * depth, dtype=np.int32)
    way = np.empty(depth, dtype=np.int32)
    leaf = entries = checks = 0
    for tree in range(trees):
        waiting = 0
        if start[tree] < start[tree + 1]:
            ahead[0], ahead[1], above[0], above[1], waiting = 2 * start[tree] + 1, 2 * start[tree], 0, 0, 2
        while waiting > 0:
            waiting -= 1
            edge, length = ahead[waiting], above[waiting]
            way[length] = edge
            split = edge >> 1
            child = second[split] if edge & 1 else first[split]
            if child >= 0:
                ahead[waiting], ahead[waiting + 1] = 2 * child + 1, 2 * child
                above[waiting], above[waiting + 1] = length + 1, length + 1
                waiting += 2
                continue
            value[leaf] = second_leaf[split] if edge & 1 else first_leaf[split]
            begin = entries
            for step in range(length + 1):
                edge = way[step]
                split = edge >> 1
                k = int(source[split])
                asked = column[-2 - k] if k < 0 else column[k]
                place = begin
                while place < entries and which[place] != asked:
                    place += 1
                if place == entries:
                    which[place], share[place] = asked, 1.0
                    entries += 1
                rows = second_rows[split] if edge & 1 else first_rows[split]
                share[place] *= rows / (first_rows[split] + second_rows[split])
                sides[checks], of[checks] = edge, place - begin
                checks += 1
            leaf += 1
            starts[leaf], checked[leaf] = entries, checks
    return (
        value[:leaf].copy(),
        starts[: leaf + 1].copy(),
        which[:entries].copy(),
        share[:entries].copy(),
        checked[: leaf + 1].copy(),
        sides[:checks].copy(),
        of[:checks].copy(),
    )


@compiled
def _taken(
    inputs: Float32s, source: NDArray[np.int16], threshold: Float32s, set_start: Int32s, words: UInt32s
) -> Flags:
    """Whether each row takes each side of each split, shape (n, 2 * splits)."""
    taken = np.empty((inputs.shape[0], 2 * source.shape[0]), dtype=np.bool_)
    for i in range(inputs.shape[0]):
        for split in range(source.shape[0]):
            k = int(source[split])
            if k < 0:
                to_the_first = has((set_start, words), int(threshold[split]), inputs[i, -2 - k])
            else:
                to_the_first = inputs[i, k] <= threshold[split]
            taken[i, 2 * split], taken[i, 2 * split + 1] = to_the_first, not to_the_first
    return taken


@compiled
def _add_parts(  # noqa: C901 - one loop, as in the other kernels
    taken: Flags,
    value: Floats,
    start: Int32s,
    column: Int32s,
    share: Floats,
    checked: Int32s,
    side: Int32s,
    of: Int32s,
    weights: Floats,
    parts: Floats,
) -> None:
    """Add every leaf's parts to every row's, shape (n, columns + 1).

    Rows of one context agree with most leaves alike, and what is the same as for the row before is not worked out anew.
    """
    most = weights.shape[0]
    agrees, before = np.empty(most, dtype=np.bool_), np.empty(most, dtype=np.bool_)
    added, product = np.empty(most), np.empty(most + 1)
    shares, quotient, total, place = np.empty(most), np.empty(most), np.empty(most), np.empty(most, dtype=np.int32)
    for leaf in range(value.shape[0]):
        begin, size = start[leaf], start[leaf + 1] - start[leaf]
        for i in range(taken.shape[0]):
            for e in range(size):
                agrees[e] = True
            for c in range(checked[leaf], checked[leaf + 1]):
                agrees[of[c]] &= taken[i, side[c]]
            same = i > 0
            for e in range(size):
                same &= agrees[e] == before[e]
                before[e] = agrees[e]
            if not same:
                apart, k = value[leaf], 0
                for e in range(size):
                    if agrees[e]:
                        shares[k], place[k] = share[begin + e], e
                        k += 1
                    else:
                        apart *= share[begin + e]
                product[0] = 1.0
                for j in range(k):
                    z = shares[j]
                    product[j + 1] = 1.0
                    for s in range(j, 0, -1):
                        product[s] = product[s] * z + product[s - 1]
                    product[0] *= z
                if k < size:
                    against = 0.0
                    for s in range(k + 1):
                        against += product[s] * weights[size, s]
                    for e in range(size):
                        added[e] = -against * apart
                for j in range(k):
                    quotient[j], total[j] = 1.0, weights[size, k - 1]
                for s in range(k - 1, 0, -1):
                    for j in range(k):
                        quotient[j] = product[s] - shares[j] * quotient[j]
                        total[j] += quotient[j] * weights[size, s - 1]
                for j in range(k):
                    added[place[j]] = apart * (1.0 - shares[j]) * total[j]
            for e in range(size):
                parts[i, column[begin + e]] += added[e]

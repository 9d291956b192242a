"""What each column adds to a row's raw score: the Shapley values of the trees, by integrals that come out exactly.

A leaf's value reaches a row if every column asked about on the way agrees. For a set of columns that is known, a leaf
counts with the share of the learnt rows that took its way at each column that is not (Lundberg et al. 2020, "From local
explanations to global understanding with explainable AI for trees", algorithm 2: path-dependent). Shapley's weight of
a set of s of D - 1 columns is s! (D - 1 - s)! / D!, the integral of t^s (1 - t)^(D - 1 - s) over [0, 1]: as if every
column were known with chance t. So a leaf of value v gives column i

    ∫ v · (a_i - z_i) / f_i · Π f_j dt     with     f_j = a_j t + z_j (1 - t)

over the columns j on its way, where a_j is 1 if the row agrees and else 0, and z_j is the share. Under the integral is
a polynomial of degree D - 1, which Gauss's rule of D / 2 nodes integrates without error. At one node Σ v Π f over the
leaves below a side is worked out once for all columns above it, so that a tree is walked down and up once and no leaf
is dealt with by itself (after Yu et al. 2022, "Linear TreeShap"). It is LightGBM's own sum in another order.
"""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from model.forest.flat import Float32s, Floats, Forest, Int32s, UInt32s
from model.forest.kernels import has, show
from model.forest.sides import FIRST, Sides, lay_out
from model.forest.trees import UnsupportedTreesError

at = np.uintp
"""A place that is not below 0, of which a loop need not ask whether it is counted from the end."""

Ways = NDArray[np.uint8]
_NEITHER = 2
"""Which side of a split a row takes: 0 or 1; neither agrees once it took another way at the column before."""


class Attribution:
    """Shapley values of the mean of a forest's boosters.

    Raises:
        UnsupportedTreesError: The trees do not say how many rows they were learnt from.
    """

    def __init__(self, forest: Forest, columns: int) -> None:
        if forest.first_rows.size and not min(forest.first_rows.min(), forest.second_rows.min()) > 0.0:
            raise UnsupportedTreesError("its trees do not say how many rows they were learnt from")
        self._forest, self._columns = forest, columns
        self._sides, split, different, expected = lay_out(
            forest.input, forest.column, forest.first, forest.second, forest.first_leaf, forest.second_leaf,
            forest.first_rows, forest.second_rows, forest.start,
        )  # fmt: skip
        self._input, self._threshold = forest.input[split], forest.threshold[split]
        self._again = np.flatnonzero(self._sides[2] != FIRST).astype(np.int32)
        self._nodes = ((different + 1) // 2).astype(np.int32)
        self._rules = _rules(max(int(self._nodes.max(initial=1)), 1))
        self._base = float(forest.constant.sum()) + expected

    def __call__(self, matrix: Float32s) -> Floats:
        """What every column adds to each row's score, and the base in the last column, shape (n, columns + 1).

        Args:
            matrix: Shape (n, columns).
        """
        forest = self._forest
        parts = np.zeros((len(matrix), self._columns + 1))
        parts[:, -1] = self._base
        inputs = _shown(np.asarray(matrix, dtype=np.float32), forest.column, forest.view)
        ways = _ways(inputs, self._input, self._threshold, forest.set_start, forest.words)
        _leave_out(ways, self._again, self._sides[2])
        _add_parts(ways, forest.start, self._sides, self._nodes, self._rules, parts)
        parts /= forest.trees.size
        return parts


def _rules(most: int) -> Floats:
    """Gauss's rules on [0, 1] by their number of nodes: the weight of each and 1 - t, shape (2, most + 1, most)."""
    rules = np.ones((2, most + 1, most))
    for count in range(1, most + 1):
        node, weight = np.polynomial.legendre.leggauss(count)
        rules[:, count, :count] = weight / 2.0, (1.0 - node) / 2.0
    return rules


@compiled
def _shown(matrix: Float32s, column: Int32s, view: Int32s) -> Float32s:
    """What every input shows of every row, as in `View`, shape (n, inputs)."""
    inputs, values = np.empty((matrix.shape[0], column.shape[0]), dtype=np.float32), np.empty_like(matrix[:, 0])
    for k in range(column.shape[0]):
        for i in range(values.shape[0]):
            values[i] = matrix[i, column[k]]
        show(values, view[k])
        inputs[:, k] = values
    return inputs


@compiled
def _ways(inputs: Float32s, source: NDArray[np.int16], threshold: Float32s, set_start: Int32s, words: UInt32s) -> Ways:
    """Which side of each split each row takes, shape (n, splits)."""
    ways = np.empty((inputs.shape[0], source.shape[0]), dtype=np.uint8)
    for i in range(inputs.shape[0]):
        for k in range(source.shape[0]):
            asked = int(source[k])
            if asked < 0:
                ways[i, k] = not has((set_start, words), int(threshold[k]), inputs[i, -2 - asked])
            else:
                ways[i, k] = not inputs[i, asked] <= threshold[k]
    return ways


@compiled
def _leave_out(ways: Ways, again: Int32s, before: Int32s) -> None:
    """Of splits that ask about a column again, say where the row took another way before."""
    for i in range(ways.shape[0]):
        for k in again:
            if ways[i, before[k] >> 1] != before[k] & 1:
                ways[i, k] = _NEITHER


@compiled
def _add_parts(  # noqa: C901 - one loop, as in the other kernels: handing its arrays on for each tree costs a third
    ways: Ways, start: Int32s, sides: Sides, nodes: Int32s, rules: Floats, parts: Floats
) -> None:
    """Add every tree's parts to every row's, shape (n, columns + 1).

    At every node `reach` is its weight times Π f on the way to a side that leads to a split, worked out on the way
    down, and `below` the sum over the leaves below it of the value times Π f from there on, on the way up. With u for
    1 - t and g for the share of the side not taken, a split that asks about its column first has

        part = Σ reach · moved,  below = below_yes - u · moved,  where moved = g · (below_yes - below_no)

    and one that asks again divides by the f of the last side about its column.

    Rows of one context go through most trees alike, and a tree that a row goes through like the row before is not
    worked out anew.
    """
    largest = 0
    for tree in range(start.shape[0] - 1):
        largest = max(largest, start[tree + 1] - start[tree])
    reach, below = np.empty((2 * largest + 1, rules.shape[2])), np.empty((2 * largest + 1, rules.shape[2]))
    part = np.empty(largest)
    asked, leading, before, share, through, leaf, inner, leaves, leaves_start = sides
    for tree in range(start.shape[0] - 1):
        first, size = start[tree], start[tree + 1] - start[tree]
        count = at(nodes[tree])
        weight, unknown = rules[0, count], rules[1, count]
        for i in range(ways.shape[0]):
            same = i > 0
            if same:
                for k in range(first, first + size):
                    same &= ways[i, k] == ways[i - 1, k]
            if not same:
                edges = at(2 * first)
                for q in range(count):
                    reach[2 * size, q] = weight[q]
                for k in range(inner[tree]):
                    split = at(first + k)
                    to, last, way = at(leading[split]), before[split], ways[i, split]
                    yes, no = at(2 * k + way), at(2 * k + 1 - way)
                    if last < 0:
                        gain = share[edges + no]
                        for q in range(count):
                            here = reach[to, q]
                            lost = here * (gain * unknown[q])
                            reach[yes, q], reach[no, q] = here - lost, lost
                    elif way != _NEITHER:
                        earlier, gain, others = 1.0 - through[at(last)], 1.0 - through[edges + yes], through[edges + no]
                        for q in range(count):
                            rest = reach[to, q] / (1.0 - earlier * unknown[q])
                            reach[yes, q], reach[no, q] = rest * (1.0 - gain * unknown[q]), rest * (others * unknown[q])
                    else:
                        yes, no = at(2 * k), at(2 * k + 1)
                        ours, others = share[edges + yes], share[edges + no]
                        for q in range(count):
                            here = reach[to, q]
                            reach[yes, q], reach[no, q] = here * ours, here * others
                for k in range(leaves_start[tree], leaves_start[tree + 1]):
                    side = at(leaves[k])
                    value = leaf[edges + side]
                    for q in range(count):
                        below[side, q] = value
                for k in range(inner[tree], size):
                    split = at(first + k)
                    to, way = at(leading[split]), ways[i, split]
                    yes, no = edges + at(2 * k + way), edges + at(2 * k + 1 - way)
                    value, total = leaf[yes], 0.0
                    moved = share[no] * (value - leaf[no])
                    for q in range(count):
                        total += reach[to, q]
                        below[to, q] = value - unknown[q] * moved
                    part[k] = moved * total
                for k in range(inner[tree] - 1, -1, -1):
                    split = at(first + k)
                    to, last, way = at(leading[split]), before[split], ways[i, split]
                    yes, no, total = at(2 * k + way), at(2 * k + 1 - way), 0.0
                    if last < 0:
                        gain = share[edges + no]
                        for q in range(count):
                            value = below[yes, q]
                            moved = gain * (value - below[no, q])
                            total += reach[to, q] * moved
                            below[to, q] = value - unknown[q] * moved
                    elif way != _NEITHER:
                        earlier, gain, others = 1.0 - through[at(last)], 1.0 - through[edges + yes], through[edges + no]
                        for q in range(count):
                            rest = 1.0 / (1.0 - earlier * unknown[q])
                            moved = gain * below[yes, q] - others * below[no, q]
                            value = (below[yes, q] - unknown[q] * moved) * rest
                            total += reach[to, q] * rest * (moved - earlier * value)
                            below[to, q] = value
                    else:
                        yes, no = at(2 * k), at(2 * k + 1)
                        ours, others = share[edges + yes], share[edges + no]
                        for q in range(count):
                            below[to, q] = ours * below[yes, q] + others * below[no, q]
                    part[k] = total
            for k in range(size):
                parts[i, asked[first + k]] += part[k]

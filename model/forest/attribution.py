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
from model.forest.trees import UnsupportedTreesError

Flags = NDArray[np.bool_]
Sides = tuple[Int32s, Int32s, Int32s, Floats, Floats, Floats]
"""Both sides of every split: `2 * split` is the first, and one more the second.

Of each split, shape (splits,): its column; the side that leads to it, and the last side above it that asks about the
same column, both counted from the tree's first side, or twice the tree's splits where there is none.
Of each side, shape (2 * splits,): the share of its split's rows that took it; the product of the shares of all sides
about its column on the way to its end; the leaf's value, or 1 where it leads to a split.
"""


class Attribution:
    """Shapley values of the mean of a forest's boosters.

    Raises:
        UnsupportedTreesError: The trees do not say how many rows they were learnt from.
    """

    def __init__(self, forest: Forest, columns: int) -> None:
        if forest.first_rows.size and not min(forest.first_rows.min(), forest.second_rows.min()) > 0.0:
            raise UnsupportedTreesError("its trees do not say how many rows they were learnt from")
        self._forest, self._columns = forest, columns
        self._sides, different, expected = _laid_out(
            forest.input, forest.column, forest.first, forest.second, forest.first_leaf, forest.second_leaf,
            forest.first_rows, forest.second_rows, forest.start,
        )  # fmt: skip
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
        taken = _taken(inputs, forest.input, forest.threshold, forest.set_start, forest.words)
        _add_parts(taken, forest.start, self._sides, self._nodes, self._rules, parts)
        parts /= forest.trees.size
        return parts


def _rules(most: int) -> Floats:
    """Gauss's rules on [0, 1] by their number of nodes: t, its weight, 1 - t and 1 / (1 - t), (4, most + 1, most)."""
    rules = np.ones((4, most + 1, most))
    for count in range(1, most + 1):
        node, weight = np.polynomial.legendre.leggauss(count)
        rules[:2, count, :count] = (node + 1.0) / 2.0, weight / 2.0
        rules[2, count, :count] = (1.0 - node) / 2.0
    rules[3] = 1.0 / rules[2]
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
def _laid_out(
    source: NDArray[np.int16],
    column: Int32s,
    first: Int32s,
    second: Int32s,
    first_leaf: Floats,
    second_leaf: Floats,
    first_rows: Floats,
    second_rows: Floats,
    start: Int32s,
) -> tuple[Sides, Int32s, float]:
    """(the sides, most different columns on the way to any leaf of each tree, the sum of the trees' mean values)."""
    splits = source.shape[0]
    asked, leading = np.empty(splits, dtype=np.int32), np.full(splits, -1, dtype=np.int32)
    before, columns = np.full(splits, -1, dtype=np.int32), np.zeros(splits, dtype=np.int32)
    share, through = np.empty(2 * splits), np.empty(2 * splits)
    leaf, reached = np.ones(2 * splits), np.empty(2 * splits)
    different, expected = np.zeros(start.shape[0] - 1, dtype=np.int32), 0.0
    for tree in range(start.shape[0] - 1):
        begin, none = 2 * start[tree], 2 * (start[tree + 1] - start[tree])
        for split in range(start[tree], start[tree + 1]):
            k, above = int(source[split]), leading[split]
            asked[split] = column[-2 - k] if k < 0 else column[k]
            last = above
            while last >= 0 and asked[last >> 1] != asked[split]:
                last = leading[last >> 1]
            columns[split] = (columns[above >> 1] if above >= 0 else 0) + (last < 0)
            different[tree] = max(different[tree], columns[split])
            rows = first_rows[split] + second_rows[split]
            for edge, child, value, some in (
                (2 * split, first[split], first_leaf[split], first_rows[split]),
                (2 * split + 1, second[split], second_leaf[split], second_rows[split]),
            ):
                share[edge] = some / rows
                through[edge] = share[edge] * (through[last] if last >= 0 else 1.0)
                reached[edge] = share[edge] * (reached[above] if above >= 0 else 1.0)
                if child >= 0:
                    leading[child] = edge
                else:
                    leaf[edge] = value
                    expected += value * reached[edge]
            before[split] = last - begin if last >= 0 else none
        for split in range(start[tree], start[tree + 1]):
            leading[split] = leading[split] - begin if leading[split] >= 0 else none
    return (asked, leading, before, share, through, leaf), different, expected


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
    taken: Flags, start: Int32s, sides: Sides, nodes: Int32s, rules: Floats, parts: Floats
) -> None:
    """Add every tree's parts to every row's, shape (n, columns + 1).

    On the way down `flow` is Π f to each side's end, times the leaf's value where it ends in one; on the way up it is
    the sum of that over the leaves below. Rows of one context go through most trees alike, and a tree that a row goes
    through like the row before is not worked out anew.
    """
    asked, leading, before, share, through, leaf = sides
    largest = 0
    for tree in range(start.shape[0] - 1):
        largest = max(largest, start[tree + 1] - start[tree])
    flow, inverse = np.empty((2 * largest + 1, rules.shape[2])), np.empty((2 * largest + 1, rules.shape[2]))
    agrees, side = np.empty(2 * largest + 1, dtype=np.bool_), np.empty(largest, dtype=np.int32)
    part = np.empty(largest)
    for tree in range(start.shape[0] - 1):
        first, size, count = start[tree], start[tree + 1] - start[tree], nodes[tree]
        known, weight, unknown, over = rules[0, count], rules[1, count], rules[2, count], rules[3, count]
        for i in range(taken.shape[0]):
            same = i > 0
            if same:
                for edge in range(2 * first, 2 * (first + size)):
                    same &= taken[i, edge] == taken[i - 1, edge]
            if not same:
                agrees[2 * size] = True
                for q in range(count):
                    flow[2 * size, q] = inverse[2 * size, q] = 1.0
                for k in range(size):
                    to, last = leading[first + k], before[first + k]
                    yes = 2 * k + int(taken[i, 2 * (first + k) + 1])
                    no, mine, other = yes ^ 1, 2 * first + yes, 2 * first + (yes ^ 1)
                    side[k], agrees[yes], agrees[no] = yes, agrees[last], False
                    if agrees[last]:
                        z, value, others = through[mine], leaf[mine], through[other] * leaf[other]
                        for q in range(count):
                            rest = flow[to, q] * inverse[last, q]
                            f = z + (1.0 - z) * known[q]
                            flow[yes, q] = rest * f * value
                            inverse[yes, q] = 1.0 / f
                            flow[no, q] = rest * unknown[q] * others
                    else:
                        ours, others = share[mine] * leaf[mine], share[other] * leaf[other]
                        for q in range(count):
                            rest = flow[to, q]
                            flow[yes, q] = rest * ours
                            flow[no, q] = rest * others
                for k in range(size - 1, -1, -1):
                    to, last, yes = leading[first + k], before[first + k], side[k]
                    no, total = yes ^ 1, 0.0
                    if agrees[yes]:
                        gain = 1.0 - through[2 * first + yes]
                        earlier = 0.0 if last == 2 * size else 1.0 - through[2 * first + last]
                        for q in range(count):
                            ours, others = flow[yes, q], flow[no, q]
                            both = ours + others
                            moved = gain * inverse[yes, q] * ours - over[q] * others - earlier * inverse[last, q] * both
                            total += weight[q] * moved
                            flow[to, q] = both
                    else:
                        for q in range(count):
                            flow[to, q] = flow[yes, q] + flow[no, q]
                    part[k] = total
            for k in range(size):
                parts[i, asked[first + k]] += part[k]

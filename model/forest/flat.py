"""Trees as arrays that a kernel walks: one question a split, `is the input at most the threshold?`.

LightGBM's rules about missing values (`Tree::NumericalDecision`) become inputs: views of a column in which a missing
value is NaN, and NaN is at most nothing. A split that sends missing values left asks about the negated column with its
sides swapped, since `x > t` is the same as `-x <= (the number below -t)`. Columns are float32, so that every threshold
may be rounded down to float32: no float32 lies between.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from model.forest.trees import Missing, Tree, UnsupportedTreesError

Int32s = NDArray[np.int32]
UInt32s = NDArray[np.uint32]
Float32s = NDArray[np.float32]
Floats = NDArray[np.float64]

LEAF = -1
"""What stands for a split where a side is a leaf."""
TINY = np.float32(1e-35)
"""LightGBM takes numbers up to this size for zero (`kZeroThreshold`)."""
_MOST_INPUTS, _MOST_SETS, _MOST_CODES = 30_000, 2**24, 2**20


class View(IntEnum):
    """How an input shows its column. In all of them numbers up to TINY are zero."""

    PLAIN = 0
    NEGATED = 1
    ZERO_MISSING = 2
    NEGATED_ZERO_MISSING = 3
    CODE = 4
    """A category: cut to an integer, -1 for what is none."""


@dataclass(frozen=True, slots=True)
class Forest:
    """Trees in the order in which they are added, each in pre-order.

    Args:
        input: What each split asks about; `-2 - input` if it is a category. Shape (splits,), as are the next seven.
        threshold: The first side is taken by inputs up to it; NaN for none; of a category, the number of its set.
        first, second: The splits at each side; LEAF for none.
        first_leaf, second_leaf: The values of leaves at each side; 0 for none.
        first_rows, second_rows: How many rows the side was learnt from; 0 where the text does not say.
        start: Where each tree starts, and the end of the last, shape (trees + 1,).
        constant: The value of each tree without a split; 0 for others, shape (trees,).
        trees: How many trees each booster has, shape (boosters,).
    column, view: Of each input.
        set_start: Where each set's words start, and the end of the last, shape (sets + 1,).
        words: Bit c of a set's words says that code c takes the first side.
        width: Columns a row must have at least.
        depth: Most splits on the way to a leaf of any tree.
    """

    input: NDArray[np.int16]
    threshold: Float32s
    first: Int32s
    second: Int32s
    first_leaf: Floats
    second_leaf: Floats
    first_rows: Floats
    second_rows: Floats
    start: Int32s
    constant: Floats
    trees: Int32s
    column: Int32s
    view: Int32s
    set_start: Int32s
    words: UInt32s
    width: int
    depth: int


def flatten(boosters: Sequence[Sequence[Tree]]) -> Forest:
    """All trees of all boosters, one after another.

    Raises:
        UnsupportedTreesError: More inputs, sets or codes than the arrays can name.
    """
    made = _Flattening()
    for trees in boosters:
        for tree in trees:
            made.add(tree)
    return made.forest([len(trees) for trees in boosters])


@dataclass(frozen=True, slots=True)
class _Split:
    """A split as it will stand in the arrays.

    Args:
        sides: Children as the tree numbers them.
        leaves: Of its tree.
        rows: Each side was learnt from.
        place: Of the tree's splits in the arrays.
    """

    input: int
    threshold: np.float32
    sides: tuple[int, int]
    leaves: tuple[float, ...]
    rows: tuple[int, int]
    place: dict[int, int]

    def split_at(self, side: int) -> int:
        child = self.sides[side]
        return LEAF if child < 0 else self.place[child]

    def leaf_at(self, side: int) -> float:
        child = self.sides[side]
        return 0.0 if child >= 0 else self.leaves[-1 - child]


class _Flattening:
    def __init__(self) -> None:
        self._splits: list[_Split] = []
        self._start = [0]
        self._constant: list[float] = []
        self._inputs: dict[tuple[int, View], int] = {}
        self._sets: dict[frozenset[int], int] = {}
        self._depth = 0

    def add(self, tree: Tree) -> None:
        """Append one tree."""
        self._constant.append(0.0 if tree.column else tree.leaf[0])
        place: dict[int, int] = {}  # of each split among all
        rows = _rows(tree)
        for node, above in _pre_order(tree) if tree.column else ():
            self._depth = max(self._depth, above + 1)
            place[node] = len(self._splits)
            view, threshold = self._question(tree, node)
            number = self._inputs.setdefault((tree.column[node], view), len(self._inputs))
            swapped = view in {View.NEGATED, View.NEGATED_ZERO_MISSING}
            sides = (tree.right[node], tree.left[node]) if swapped else (tree.left[node], tree.right[node])
            asked = -2 - number if view is View.CODE else number
            learnt = (rows[sides[0]], rows[sides[1]])
            self._splits.append(_Split(asked, threshold, sides, tree.leaf, learnt, place))
        self._start.append(len(self._splits))

    def forest(self, trees: Sequence[int]) -> Forest:
        """What was added."""
        if len(self._inputs) > _MOST_INPUTS or len(self._sets) > _MOST_SETS:
            raise UnsupportedTreesError("it asks about too many columns or sets of categories")
        splits = self._splits
        words = [_words(codes) for codes in self._sets]
        return Forest(
            input=np.array([split.input for split in splits], dtype=np.int16),
            threshold=np.array([split.threshold for split in splits], dtype=np.float32),
            first=np.array([split.split_at(0) for split in splits], dtype=np.int32),
            second=np.array([split.split_at(1) for split in splits], dtype=np.int32),
            first_leaf=np.array([split.leaf_at(0) for split in splits], dtype=np.float64),
            second_leaf=np.array([split.leaf_at(1) for split in splits], dtype=np.float64),
            first_rows=np.array([split.rows[0] for split in splits], dtype=np.float64),
            second_rows=np.array([split.rows[1] for split in splits], dtype=np.float64),
            start=np.array(self._start, dtype=np.int32),
            constant=np.array(self._constant, dtype=np.float64),
            trees=np.array(trees, dtype=np.int32),
            column=np.array([column for column, _ in self._inputs], dtype=np.int32),
            view=np.array([view for _, view in self._inputs], dtype=np.int32),
            set_start=np.cumsum([0, *(some.size for some in words)]).astype(np.int32),
            words=np.concatenate([np.zeros(0, dtype=np.uint32), *words]),
            width=1 + max((column for column, _ in self._inputs), default=-1),
            depth=self._depth,
        )

    def _question(self, tree: Tree, node: int) -> tuple[View, np.float32]:
        if tree.categorical[node]:
            number = self._sets.setdefault(tree.sets[int(tree.threshold[node])], len(self._sets))
            return View.CODE, np.float32(number)
        threshold = below(tree.threshold[node])
        missing = tree.missing[node]
        # Where nothing is missing, NaN is taken for zero.
        left = tree.threshold[node] >= 0.0 if missing is Missing.NONE else tree.default_left[node]
        if missing is Missing.ZERO:
            return (View.NEGATED_ZERO_MISSING, negated(threshold)) if left else (View.ZERO_MISSING, threshold)
        return (View.NEGATED, negated(threshold)) if left else (View.PLAIN, threshold)


def _rows(tree: Tree) -> dict[int, int]:
    """How many rows each split and each leaf (`-1 - leaf`) was learnt from; zeros where the text does not say."""
    rows = {-1 - leaf: tree.rows[leaf] if tree.rows else 0 for leaf in range(len(tree.leaf))}
    for node in reversed(range(len(tree.column))):
        rows[node] = rows[tree.left[node]] + rows[tree.right[node]]
    return rows


def _pre_order(tree: Tree) -> Iterator[tuple[int, int]]:
    """(split, splits above it)."""
    ahead = [(0, 0)]
    while ahead:
        node, above = ahead.pop()
        yield node, above
        ahead += [(child, above + 1) for child in (tree.right[node], tree.left[node]) if child >= 0]


@lru_cache(maxsize=2**16)  # a column's thresholds are few and recur in every tree
def below(threshold: float) -> np.float32:
    """The float32 numbers up to it are those up to the threshold, numbers up to TINY being zero.

    >>> below(0.1) <= 0.1 < np.nextafter(below(0.1), np.float32(1))
    True
    """
    with np.errstate(over="ignore", under="ignore"):
        rounded = np.float32(threshold)
        if float(rounded) > threshold:
            rounded = np.nextafter(rounded, np.float32(-np.inf))
    return _not_tiny(rounded, threshold >= 0.0)


@lru_cache(maxsize=2**16)
def negated(threshold: np.float32) -> np.float32:
    """`x > threshold` is `-x <= negated(threshold)`; NaN where no number is above the threshold.

    >>> negated(np.float32(0.5)) < -0.5
    True
    """
    if np.isposinf(threshold):
        return np.float32(np.nan)
    with np.errstate(over="ignore", under="ignore"):
        under = np.nextafter(-threshold, np.float32(-np.inf))
    return _not_tiny(under, bool(-threshold > 0.0))


def _not_tiny(threshold: np.float32, with_zero: bool) -> np.float32:
    """Keep clear of subnormal numbers, which some processors' modes take for zero."""
    if abs(threshold) > TINY:
        return threshold
    return np.float32(0.0) if with_zero else -TINY


def _words(codes: frozenset[int]) -> UInt32s:
    most = max(codes, default=-1)
    if most >= _MOST_CODES:
        raise UnsupportedTreesError(f"it has a category with code {most}")
    words = np.zeros(most // 32 + 1, dtype=np.uint32)
    for code in codes:
        words[code // 32] |= np.uint32(1 << code % 32)
    return words

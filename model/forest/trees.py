"""Reads the trees of a LightGBM model text, or says why they are of a kind that this package does not score.

The format is LightGBM's own (`src/io/tree.cpp`, `Tree::ToString`): a header, then one section a tree.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise

_CATEGORICAL, _DEFAULT_LEFT = 1, 2  # bits of decision_type; the two above them are the missing type


class Missing(IntEnum):
    """What a split takes for missing, as LightGBM numbers it."""

    NONE = 0
    ZERO = 1
    NAN = 2


class UnsupportedTreesError(Exception):
    """The model is one that only LightGBM scores; the message says which part of it."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree; a child is the number of a split, or `-1 - leaf`.

    Args:
        column: Column each split asks about, shape (splits,), as are all but `leaf`.
        threshold: Values up to it go left; of a categorical split, the number of its set.
        categorical, default_left, missing: Of each split.
        left, right: Children of each split.
        leaf: Value of each leaf, shape (splits + 1,).
        sets: The codes that go left, one set a categorical split that names it.
        rows: How many rows it learnt each leaf from, shape (splits + 1,); nothing where the text does not say.
    """

    column: tuple[int, ...]
    threshold: tuple[float, ...]
    categorical: tuple[bool, ...]
    default_left: tuple[bool, ...]
    missing: tuple[Missing, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    leaf: tuple[float, ...]
    sets: tuple[frozenset[int], ...]
    rows: tuple[int, ...] = ()


def read_trees(text: str) -> tuple[Tree, ...]:
    """The trees of one booster, in the order in which their values are added.

    Raises:
        UnsupportedTreesError: Several values a row, averaged trees, linear trees, or not a text of this format.
    """
    try:
        header, *sections = text.partition("\nend of trees")[0].split("\n\nTree=")
        _check_header(header)
        return tuple(_tree(_fields(section)) for section in sections)
    except (KeyError, ValueError, IndexError) as error:
        raise UnsupportedTreesError(f"the text is not of the known format ({error!r})") from None


def _check_header(header: str) -> None:
    lines = header.splitlines()
    fields = _fields(header)
    if "average_output" in lines:
        raise UnsupportedTreesError("its trees are averaged (random forest)")
    if fields["num_tree_per_iteration"] != "1":
        raise UnsupportedTreesError("it has several classes")
    if fields["version"] != "v4":
        raise UnsupportedTreesError(f"its format is {fields['version']}, not v4")


def _fields(section: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in section.splitlines() if "=" in line)


def _tree(fields: Mapping[str, str]) -> Tree:
    if fields.get("is_linear", "0") != "0":
        raise UnsupportedTreesError("it has linear trees")
    leaf = _floats(fields["leaf_value"])
    splits = int(fields["num_leaves"]) - 1
    if len(leaf) != splits + 1:
        raise UnsupportedTreesError("a tree's leaves are not as many as it says")
    if splits == 0:
        return Tree((), (), (), (), (), (), (), leaf, ())
    kinds = _integers(fields["decision_type"])
    tree = Tree(
        column=_integers(fields["split_feature"]),
        threshold=_floats(fields["threshold"]),
        categorical=tuple(bool(kind & _CATEGORICAL) for kind in kinds),
        default_left=tuple(bool(kind & _DEFAULT_LEFT) for kind in kinds),
        missing=tuple(Missing(kind >> 2 & 3) for kind in kinds),
        left=_integers(fields["left_child"]),
        right=_integers(fields["right_child"]),
        leaf=leaf,
        sets=_sets(fields) if int(fields["num_cat"]) else (),
        rows=_integers(fields.get("leaf_count", "")),
    )
    _check_shape(tree, splits)
    return tree


def _check_shape(tree: Tree, splits: int) -> None:
    """Every split and every leaf has one parent that stands before it, so that reading the tree ends."""
    if {len(tree.column), len(tree.threshold), len(kinds := tree.missing), len(tree.left), len(tree.right)} != {splits}:
        raise UnsupportedTreesError(f"a tree of {splits} splits lists {len(kinds)}")
    if any(0 <= child <= at for side in (tree.left, tree.right) for at, child in enumerate(side)):
        raise UnsupportedTreesError("a split stands before its parent")
    if sorted((*tree.left, *tree.right)) != [*range(-splits - 1, 0), *range(1, splits)]:
        raise UnsupportedTreesError("a tree has a part with two parents or none")
    if tree.rows and (len(tree.rows) != splits + 1 or min(tree.rows) < 1):
        raise UnsupportedTreesError("a tree's leaves were learnt from other rows than it says")
    if any(math.isnan(number) for number in (*tree.threshold, *tree.leaf)):
        raise UnsupportedTreesError("a tree holds a number that is none")


def _sets(fields: Mapping[str, str]) -> tuple[frozenset[int], ...]:
    """Bit c of a set's 32-bit words is code c."""
    ends, words = _integers(fields["cat_boundaries"]), _integers(fields["cat_threshold"])
    each = (words[start:end] for start, end in pairwise(ends))
    return tuple(
        frozenset(32 * place + bit for place, word in enumerate(some) for bit in range(32) if word >> bit & 1)
        for some in each
    )


def _integers(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split())


def _floats(text: str) -> tuple[float, ...]:
    return tuple(float(word) for word in text.split())

"""A bag of boosters prepared for scoring, and checked against LightGBM before it may answer."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from model.forest.attribution import Attribution
from model.forest.flat import Float32s, Floats, Forest, View, flatten
from model.forest.kernels import add_up, as_arrays
from model.forest.trees import UnsupportedTreesError, read_trees

_ROWS, _ROWS_IN_PARTS = 192, 4  # of each probe
_CONSTANT = 0.7  # share of columns that do not vary in a probe of rows that are alike


class FoldedBag:
    """The raw scores of many boosters, each to the bit as LightGBM's, and what each column adds to their mean.

    Args:
        texts: LightGBM model texts.
        reference: LightGBM's own raw scores of rows, shape (n, columns) to (n, boosters).
        columns: How many columns a row has.

    Raises:
        UnsupportedTreesError: The models are of a kind that only LightGBM scores, or probes scored differently, or the
            parts of a probe's score did not add up to it.
    """

    def __init__(self, texts: Sequence[str], reference: Callable[[Float32s], Floats], columns: int) -> None:
        forest = flatten([read_trees(text) for text in texts])
        if forest.width > columns:
            raise UnsupportedTreesError(f"it asks about column {forest.width - 1} of {columns}")
        self._arrays = as_arrays(forest)
        self._boosters = len(texts)
        self.parts = Attribution(forest, columns)
        for probe in probes(forest, columns):
            if not _same(self.logits(probe), reference(probe)):
                raise UnsupportedTreesError("its scores are not LightGBM's to the bit")
        few = probe[:_ROWS_IN_PARTS]
        if not np.allclose(self.parts(few).sum(axis=1), self.logits(few).mean(axis=1), rtol=1e-9, atol=1e-9):
            raise UnsupportedTreesError("the parts of its scores do not add up to them")

    def logits(self, matrix: Float32s) -> Floats:
        """Every booster's raw score of every row, shape (n, boosters).

        Args:
            matrix: Shape (n, columns).
        """
        if not len(matrix):
            return np.zeros((0, self._boosters))
        return add_up(np.ascontiguousarray(matrix, dtype=np.float32), *self._arrays)


def probes(forest: Forest, columns: int) -> tuple[Float32s, Float32s]:
    """Rows that try the forest's thresholds from both sides, and what is missing, endless or no category.

    Returns:
        Rows that have little in common, and rows of one context: most columns are the same in all. Always the same
        for the same forest.
    """
    random = np.random.default_rng(0)
    different = random.normal(size=(_ROWS, columns)).astype(np.float32)
    for column in range(columns):
        telling = _telling(forest, column)
        different[:, column] = telling[random.integers(len(telling), size=_ROWS)]
    alike = different.copy()
    constant = random.random(columns) < _CONSTANT
    alike[:, constant] = different[0, constant]
    return different, alike


def _telling(forest: Forest, column: int) -> Float32s:
    split = np.where(forest.input < 0, -2 - forest.input, forest.input)
    asked = forest.column[split] == column
    near = forest.threshold[asked & (forest.view[split] < View.CODE)]
    sides = [np.nextafter(near, np.float32(side)) for side in (-np.inf, np.inf)]
    codes = np.arange(-1, 40, dtype=np.float32) if (forest.view[split][asked] == View.CODE).any() else near[:0]
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-35, -1e-35, 0.5, -0.5, 3e9], dtype=np.float32)
    return np.concatenate([*(np.concatenate([some, -some]) for some in (near, *sides)), codes, odd])


def _same(ours: Floats, theirs: Floats) -> bool:
    return ours.shape == theirs.shape and bool(np.array_equal(_bits(ours), _bits(theirs)))


def _bits(numbers: Floats) -> NDArray[np.int64]:
    return np.ascontiguousarray(numbers).view(np.int64)

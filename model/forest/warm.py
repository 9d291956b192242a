"""Compile the scoring loops and keep them on disk, so that no start has to: `python -m model.forest.warm`."""

import numpy as np

from model.forest.flat import flatten
from model.forest.kernels import add_up, as_arrays
from model.forest.trees import Missing, Tree


def warm() -> None:
    """Score one row of the smallest forest; takes seconds the first time."""
    tree = Tree((0,), (0.5,), (False,), (False,), (Missing.NAN,), (-1,), (-2,), (0.0, 1.0), ())
    add_up(np.zeros((1, 1), dtype=np.float32), *as_arrays(flatten([[tree]])))


if __name__ == "__main__":
    warm()

"""What more declines change, of the last one's method and of others, told from few answers: a mean for every method."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.planning.beliefs import MORE_DECLINES

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Series:
    """Questions about the same moves after the same last decline.

    Args:
        method: Of the last decline.
        before: Of each question the method and number of the declines before the last; (0, 0) for the first, which
            has none.
        asked: Method of each move asked about, shape (q,).
    """

    method: int
    before: tuple[tuple[int, int], ...]
    asked: Int64s


def steps(series: Sequence[Series], answers: Sequence[Floats], methods: int) -> Floats:
    """Mean change by more declines of each method, before the last decline of each, for each.

    Args:
        answers: To the questions, one series after another.

    Returns:
        As `Interpolated.more`, shape (methods, methods, methods, MORE_DECLINES + 1).
    """
    from model.planning.probing import mean_changes  # loads the compiler, which whoever starts workers does without

    mean = np.zeros((methods, methods, methods, MORE_DECLINES + 1))
    if series:
        last = np.array([one.method for one in series], dtype=np.int64)
        sizes = np.array([one.asked.size for one in series], dtype=np.int64)
        begins = np.cumsum([0, *(len(one.before) for one in series)], dtype=np.int64)
        before = np.array([pair for one in series for pair in one.before], dtype=np.int64)
        asked = np.concatenate([one.asked for one in series])
        mean_changes(last, begins, before, sizes, asked, np.concatenate(answers), mean)
    return mean

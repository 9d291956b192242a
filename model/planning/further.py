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
    from model.planning.probing import add_changes  # loads the compiler, which whoever starts workers does without

    shape = (methods, methods, methods, MORE_DECLINES + 1)
    total, seen = np.zeros(shape), np.zeros(shape)
    begin = 0
    for one in series:
        end = begin + len(one.before)
        if end - begin > 1:
            before = np.array(one.before, dtype=np.int64)
            add_changes(total[one.method], seen[one.method], np.array(answers[begin:end]), before, one.asked)
        begin = end
    mean = np.divide(total, seen, out=np.zeros_like(total), where=seen > 0)
    every = np.arange(methods)
    for k in range(1, MORE_DECLINES + 1):
        # What was not asked changes as it does where the method was declined last too.
        own = mean[every, every]
        onward = own[..., k - 1] - own[..., k - 2] if k > 1 else np.zeros((methods, methods))
        mean[..., k] = np.where(seen[..., k] > 0, mean[..., k], mean[..., k - 1] + onward)
    return mean

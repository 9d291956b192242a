"""What more declines change is the mean over what was asked, and goes on as with the last one's own method else."""

from random import Random

import numpy as np
import pytest

from model.planning.beliefs import MORE_DECLINES
from model.planning.further import Series, steps


def test_the_steps_are_the_means_of_what_was_asked() -> None:
    random, methods = Random(5), 3
    series, answers = [], []
    for method in (0, 0, 1, 2):
        before = ((0, 0), *((method, k) for k in range(1, MORE_DECLINES + 1)), ((method + 1) % methods, 1))
        asked = np.array([random.randrange(methods) for _ in range(20)], dtype=np.int64)
        series.append(Series(method, before, asked))
        answers += [np.array([random.gauss(0.0, 1.0) for _ in asked]) for _ in before]
    found = steps(series, answers, methods)
    told: dict[tuple[int, int, int, int], list[float]] = {}
    begin = 0
    for one in series:
        alone = answers[begin]
        for (other, declines), answer in zip(one.before[1:], answers[begin + 1 :], strict=False):
            for then, changed in zip(one.asked.tolist(), (answer - alone).tolist(), strict=True):
                told.setdefault((one.method, other, then, declines), []).append(changed)
        begin += len(one.before)
    assert told
    for place, changes in told.items():
        assert found[place] == pytest.approx(np.mean(changes), rel=1e-12)
    # Two of another method were not asked: the second changes what the one before does of the method's own.
    own = found[1, 1]
    np.testing.assert_allclose(found[0, 1, :, 2] - found[0, 1, :, 1], own[:, 1])
    np.testing.assert_allclose(found[0, 1, :, 3] - found[0, 1, :, 2], own[:, 2] - own[:, 1])
    np.testing.assert_array_equal(found[..., 0], 0.0)


def test_nothing_asked_changes_nothing() -> None:
    assert not steps([Series(0, ((0, 0),), np.zeros(2, dtype=np.int64))], [np.ones(2)], 1).any()

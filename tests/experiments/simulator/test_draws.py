"""Draws depend on what they are about and on nothing else."""

import numpy as np
import pytest
from scipy import stats

from experiments.simulator.draws import Stream, exponential, normal, pick, uniform

KEYS = np.arange(200_000, dtype=np.int64)


def test_a_draw_does_not_depend_on_what_else_is_asked_for() -> None:
    together = uniform(7, Stream.METHOD, KEYS, 3)
    alone = uniform(7, Stream.METHOD, KEYS[1234:1235], 3)
    assert together[1234] == alone[0]


def test_seed_stream_key_and_order_of_keys_each_change_the_draw() -> None:
    one, two = np.array([1]), np.array([2])
    draws = [
        uniform(7, Stream.METHOD, one, two),
        uniform(8, Stream.METHOD, one, two),
        uniform(7, Stream.AMOUNT, one, two),
        uniform(7, Stream.METHOD, two, one),
        uniform(7, Stream.METHOD, one, one),
        uniform(7, Stream.METHOD, one),
    ]
    assert len({float(draw[0]) for draw in draws}) == len(draws)


@pytest.mark.parametrize("seed", [0, 7, -1, 2**70])
def test_uniforms_are_uniform_and_neighbours_are_independent(seed: int) -> None:
    draws = uniform(seed, Stream.CUSTOMER, KEYS, 0)
    assert draws.min() > 0.0
    assert draws.max() < 1.0
    assert stats.kstest(draws, "uniform").pvalue > 1e-4
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.01
    assert abs(np.corrcoef(draws, uniform(seed, Stream.CUSTOMER, KEYS, 1))[0, 1]) < 0.01


def test_normals_and_exponentials_follow_their_laws() -> None:
    assert stats.kstest(normal(7, Stream.METHOD, KEYS), "norm").pvalue > 1e-4
    assert stats.kstest(exponential(7, Stream.METHOD, KEYS), "expon").pvalue > 1e-4


def test_picking_agrees_with_walking_along_the_weights() -> None:
    weights = np.array([[0.5, 0.0, 1.5], [0.0, 3.0, 1.0], [2.0, 0.0, 0.0]])
    for draw in np.linspace(0.001, 0.999, 97):
        expected = []
        for row in weights:
            left, position = draw * row.sum(), 0
            while left >= row[position]:
                left -= row[position]
                position += 1
            expected.append(position)
        assert pick(np.full(3, draw), weights).tolist() == expected


def test_nothing_without_weight_is_ever_picked() -> None:
    assert set(pick(uniform(7, Stream.CHOICE, KEYS), np.array([0.0, 1.0, 0.0, 2.0, 0.0])).tolist()) == {1, 3}

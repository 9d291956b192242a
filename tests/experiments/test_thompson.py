"""Weights match the probability of being the best, and are never below the floor."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr

from experiments.thompson import chances_best, matched_weights


@pytest.mark.parametrize(
    ("gap", "errors"), [(0.0, (1.0, 1.0)), (0.3, (0.2, 0.5)), (-2.0, (0.01, 0.9)), (9.0, (1.0, 1e-3))]
)
def test_two_arms_have_the_closed_form(gap: float, errors: tuple[float, float]) -> None:
    found = chances_best(np.array([gap, 0.0]), np.array(errors))
    assert found[0] == pytest.approx(ndtr(gap / np.hypot(*errors)), abs=2e-3)
    assert found.sum() == pytest.approx(1.0)


def test_three_arms_agree_with_draws_from_their_posteriors() -> None:
    means, errors = np.array([0.40, 0.43, 0.41]), np.array([0.02, 0.03, 0.005])
    draws = np.random.default_rng(1).normal(means, errors, (400_000, 3))
    assert chances_best(means, errors) == pytest.approx(np.bincount(draws.argmax(axis=1)) / len(draws), abs=3e-3)


def test_many_experiments_at_once_are_those_one_by_one() -> None:
    rng = np.random.default_rng(2)
    means, errors = rng.normal(size=(5, 3)), rng.uniform(0.5, 2, (5, 3))
    assert chances_best(means, errors) == pytest.approx(
        np.stack([chances_best(*one) for one in zip(means, errors, strict=True)])
    )


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6).filter(lambda parts: sum(parts) > 0.01), st.integers(1, 1666))
def test_weights_are_whole_buckets_from_the_floor_on_and_add_up_to_one(parts: list[float], least: int) -> None:
    chances = {f"v{place}": part / sum(parts) for place, part in enumerate(parts)}
    found = matched_weights(chances, least / 10_000)
    buckets = {name: round(weight * 10_000) for name, weight in found.items()}
    assert sum(buckets.values()) == 10_000
    for name, chance in chances.items():
        assert buckets[name] >= least
        assert abs(buckets[name] - least - (10_000 - least * len(parts)) * chance) < 1 + 1e-6

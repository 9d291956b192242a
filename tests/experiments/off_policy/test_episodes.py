"""The value of whole episodes off a log equals the recursion over the true probabilities, with intervals that hold."""

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.off_policy.episodes import Episodes
from experiments.off_policy.verdict import valued
from experiments.resamples import Resamples

Floats = NDArray[np.float64]

STEPS, COST = 3, 0.05
APPROVED = np.array([[0.3, 0.5, 0.15], [0.2, 0.1, 0.35], [0.1, 0.25, 0.05]])  # by step and action
LOGGING = np.full(3, 1 / 3)
TARGET = np.array([0.2, 0.5, 0.3])


def worth() -> tuple[Floats, Floats]:
    """(q, v) of every step under the target: q (steps, actions), v (steps,)."""
    q, v = np.zeros((STEPS, 3)), np.zeros(STEPS + 1)
    for step in reversed(range(STEPS)):
        q[step] = APPROVED[step] * 1.0 - COST + (1 - APPROVED[step]) * v[step + 1]
        v[step] = q[step] @ TARGET
    return q, v


def log_of(rng: np.random.Generator, episodes: int, *, target: Floats = TARGET, bias: float = 0.0) -> Episodes:
    q, v = worth()
    action = rng.choice(3, size=(episodes, STEPS), p=LOGGING)
    won = rng.random((episodes, STEPS)) < APPROVED[np.arange(STEPS), action]
    made = np.concatenate([np.ones((episodes, 1), dtype=bool), ~np.logical_or.accumulate(won, axis=1)[:, :-1]], axis=1)
    episode, step = np.nonzero(made)
    return Episodes(
        episode=episode.astype(np.int64),
        reward=won[made].astype(np.float64) - COST,
        logged=LOGGING[action[made]],
        target=target[action[made]],
        customer=np.arange(episodes, dtype=np.int64),
        q=q[step, action[made]] + bias,
        v=v[step] + bias,
    )


def test_values_are_what_a_sheet_of_paper_says() -> None:
    log = Episodes(
        episode=np.array([0, 0, 1]),
        reward=np.array([-0.1, 0.9, 0.9]),
        logged=np.array([0.5, 0.5, 0.25]),
        target=np.array([0.25, 1.0, 0.25]),
        customer=np.arange(2),
        q=np.array([0.2, 0.6, 0.5]),
        v=np.array([0.3, 0.4, 0.7]),
    )
    np.testing.assert_allclose(log.rho, [0.5, 1.0, 1.0])
    assert log.values()["ips"] == pytest.approx((0.5 * -0.1 + 1.0 * 0.9 + 0.9) / 2)
    first = 0.3 + 0.5 * (-0.1 - 0.2)
    assert log.values()["dr"] == pytest.approx((first + 0.5 * 0.4 + 1.0 * (0.9 - 0.6) + 0.7 + (0.9 - 0.5)) / 2)
    assert log.values()["dm"] == pytest.approx((0.3 + 0.7) / 2)
    assert log.values()["snips"] == pytest.approx((0.5 / 0.75 * -0.1 + 0.9 / 1.0 + 0.9 / 0.75) / 2)


def test_every_estimate_finds_the_value_of_the_recursion() -> None:
    values = log_of(np.random.default_rng(1), 60_000).values()
    assert all(value == pytest.approx(worth()[1][0], abs=0.015) for value in values.values()), values


def test_sequential_doubly_robust_corrects_a_biased_model() -> None:
    values = log_of(np.random.default_rng(2), 60_000, bias=0.2).values()
    assert values["dm"] == pytest.approx(worth()[1][0] + 0.2)
    assert values["dr"] == pytest.approx(worth()[1][0], abs=0.015)


def test_intervals_cover_the_truth_of_500_logs() -> None:
    draws = Resamples.draw(np.arange(1_200), 400, seed=3)
    covered, refused = dict.fromkeys(("ips", "snips", "dr"), 0), 0
    for seed in range(500):
        told = valued({"target": log_of(np.random.default_rng(2_000 + seed), 1_200, bias=0.1)}, draws)["target"]
        refused += told.refusal is not None
        for name in covered if told.refusal is None else ():
            covered[name] += told.values[name].low <= worth()[1][0] <= told.values[name].high
    assert refused <= 20  # two standard errors are exceeded by chance in one of 44
    assert all(0.92 <= count / (500 - refused) <= 0.98 for count in covered.values()), covered


def test_a_target_that_does_what_the_log_rarely_did_is_refused() -> None:
    never = np.array([0.0, 0.0, 1.0])
    log = log_of(np.random.default_rng(4), 1_200, target=never)
    assert "effective sample" in str(log.support.refusal)

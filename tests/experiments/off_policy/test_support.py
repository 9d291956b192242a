"""What a target does that the log never did is seen by the mean of its weights, told from chance by customer."""

import numpy as np
import pytest

from experiments.off_policy.support import Support, support_of
from experiments.resamples import Resamples


def drawn(rows: int, chance: float, never: float, seed: int) -> Support:
    """Of a target that does one thing, logged with that chance, but for a share of rows in which it is never logged."""
    rng = np.random.default_rng(seed)
    done = (rng.random(rows) < chance) & (rng.random(rows) >= never)
    return support_of(done / chance, np.arange(rows))


def test_what_the_mean_weight_lacks_of_one_is_uncovered() -> None:
    assert support_of(np.tile([2.0, 0.0, 0.0], 400), np.arange(1_200)).uncovered == pytest.approx(1 / 3)
    assert support_of(np.tile([2.0, 2.0, 0.0], 400), np.arange(1_200)).uncovered == 0.0


def test_its_error_is_that_of_resampled_customers() -> None:
    rng = np.random.default_rng(1)
    customer = np.repeat(np.arange(500), 4)
    weight = np.where(rng.random(2_000) < np.repeat(rng.uniform(0.1, 0.9, 500), 4), 2.0, 0.0)
    means = Resamples.draw(customer, 2_000, seed=2).sums(np.stack([weight, np.ones(2_000)], axis=1))
    resampled = np.std(means[:, 0] / means[:, 1]) / weight.mean()
    assert support_of(weight, customer).uncovered_error == pytest.approx(resampled, rel=0.05)
    assert support_of(weight, np.arange(2_000)).uncovered_error < 0.9 * resampled


def test_a_covered_target_is_seldom_refused_and_one_of_which_a_sixth_is_uncovered_seldom_told() -> None:
    assert sum(drawn(6_000, 0.125, 0.0, seed).refusal is not None for seed in range(200)) <= 8
    assert sum(drawn(6_000, 0.125, 1 / 6, seed).refusal is None for seed in range(200)) <= 8


def test_in_a_long_log_so_little_is_accepted_as_can_hardly_move_a_value() -> None:
    assert drawn(400_000, 0.5, 0.01, 1).refusal is None
    assert "of what the target would do was never done in the log" in str(drawn(400_000, 0.5, 0.03, 1).refusal)


def test_nothing_logged_of_a_target_is_refused_without_a_figure_of_its_error() -> None:
    assert support_of(np.zeros(900), np.arange(900)).refusal is not None
    assert support_of(np.zeros(0), np.zeros(0, dtype=np.int64)).refusal is not None

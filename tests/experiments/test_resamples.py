"""Resampling customers gives intervals that hold what they promise."""

import numpy as np
import pytest

from experiments.resamples import Resamples, percentile_interval, pivot_interval


def test_sums_equal_the_sums_over_rows_weighted_by_how_often_their_customer_was_drawn() -> None:
    rng = np.random.default_rng(0)
    customers = rng.integers(100, 140, 300)
    values = rng.normal(size=(300, 3))
    resamples = Resamples.draw(customers, 70, seed=1)
    by_rows = np.stack([weights @ values for weights in resamples.weights()])
    np.testing.assert_allclose(resamples.sums(values), by_rows, rtol=1e-12, atol=1e-12)


def test_every_resample_draws_as_many_customers_as_there_are() -> None:
    resamples = Resamples.draw(np.repeat(np.arange(50), 4), 30, seed=2)
    assert (resamples.counts.sum(axis=1) == 50).all()


def test_the_interval_of_a_mean_covers_the_truth_about_95_times_in_100_though_rows_cling_together() -> None:
    rng = np.random.default_rng(3)
    covered_by_customer = covered_by_row = 0
    for trial in range(200):
        customers = np.repeat(np.arange(80), 5)
        rows = (rng.normal(size=80)[customers] + rng.normal(size=400))[:, None]
        for by_customer in (True, False):
            draws = Resamples.draw(customers if by_customer else np.arange(400), 200, seed=trial)
            interval = percentile_interval(float(rows.mean()), draws.sums(rows)[:, 0] / 400)
            covered_by_customer += by_customer and interval.low <= 0 <= interval.high
            covered_by_row += not by_customer and interval.low <= 0 <= interval.high
    assert 180 <= covered_by_customer <= 200
    assert covered_by_row < 170  # what drawing rows instead would have claimed


def test_the_pivot_interval_is_the_percentile_interval_mirrored_and_never_below_its_floor() -> None:
    resampled = np.linspace(1.0, 3.0, 1001)
    assert pivot_interval(1.5, resampled, floor=0.0).high == 3.0 - 1.05
    assert pivot_interval(1.2, resampled, floor=0.0).low == 0.0


def test_what_resampling_adds_is_taken_off_the_figure_itself() -> None:
    estimate = pivot_interval(0.05, np.linspace(0.05, 0.09, 401), floor=0.0)
    assert estimate.value == pytest.approx(0.05 - 0.02)
    assert estimate.low <= estimate.value <= estimate.high

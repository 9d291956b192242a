"""A distribution compared with itself has not moved, one that did is told, and noise is not taken for a move."""

import json

import numpy as np
import pytest
from scipy.stats import norm

from experiments.resamples import Floats
from features.errors import InputError
from training.reference import SHIFTED, Distribution, distribution_of, drift_of, from_json


def normal(rows: int, seed: int, mean: float = 0.0) -> Floats:
    return np.random.default_rng(seed).normal(mean, 1.0, rows)


def test_tenths_hold_a_tenth_each_and_the_unknown_apart() -> None:
    values = np.append(np.arange(1_000.0), [np.nan] * 250)
    kept = distribution_of(values)
    assert kept.share == pytest.approx([0.08] * 10 + [0.2])
    assert from_json(json.loads(json.dumps(kept.to_json())), "x") == kept


def test_categories_keep_their_codes_and_gather_the_rest() -> None:
    kept = distribution_of(np.array([3.0, 3.0, 5.0, np.nan]), is_category=True)
    assert kept == Distribution((3.0, 5.0), (0.5, 0.25, 0.0, 0.25), True)
    np.testing.assert_allclose(kept.shares_of(np.array([5.0, 7.0, 9.0, np.nan])), [0.0, 0.25, 0.5, 0.25])


def test_the_index_is_its_closed_form_for_a_shifted_normal() -> None:
    drift = drift_of("x", distribution_of(normal(400_000, 0)), 400_000, normal(400_000, 1, mean=0.5))
    edges = np.concatenate([[-np.inf], norm.ppf(np.arange(0.1, 1.0, 0.1)), [np.inf]])
    p, q = np.diff(norm.cdf(edges)), np.diff(norm.cdf(edges - 0.5))
    assert drift.index == pytest.approx(float(np.sum((q - p) * np.log(q / p))), rel=0.03)
    assert drift_of("x", distribution_of(normal(9_000, 0)), 9_000, normal(9_000, 1, mean=1.0)).is_shift


def test_without_a_shift_the_index_stays_within_its_noise() -> None:
    drifts = [drift_of("x", distribution_of(normal(300, s)), 300, normal(60, 10_000 + s)) for s in range(400)]
    assert np.mean([drift.index > drift.noise for drift in drifts]) < 0.02
    assert any(drift.index > SHIFTED for drift in drifts)
    assert np.mean([drift.is_shift for drift in drifts]) < 0.02


def test_a_reference_that_does_not_fit_together_is_refused_by_its_column() -> None:
    with pytest.raises(InputError, match=r"reference\.hour"):
        from_json({"edges": [1.0], "share": [1.0]}, "hour")
    with pytest.raises(InputError, match=r"reference\.hour"):
        from_json(None, "hour")

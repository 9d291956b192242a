"""How far a history reaches is counted from its rows."""

import numpy as np
import pytest

from experiments.resamples import Floats
from features.columns import COLUMNS
from features.table import CATEGORIES
from features.vocabulary import DeclineCategory
from model.prior_table import shipped_table
from training.support import Int64s, Matrix, learn_support

FUNDS = CATEGORIES.index(DeclineCategory.INSUFFICIENT_FUNDS)
OUTAGE = CATEGORIES.index(DeclineCategory.ISSUER_UNAVAILABLE)
_NAMES = [column.name for column in COLUMNS]


def history(hours: Floats, category: Int64s, before: Int64s) -> Matrix:
    """Retries with the same method and processor as the attempt before."""
    matrix = np.full((len(hours), len(COLUMNS)), np.nan, dtype=np.float32)
    named = {"hours_since_last_attempt": hours, "decline_category": category, "attempts_before": before}
    for name, values in (named | {"same_method": 1.0, "same_processor": 1.0}).items():
        matrix[:, _NAMES.index(name)] = values
    return matrix


def test_the_shortest_gap_is_the_one_that_a_leaf_of_repeats_was_made_within() -> None:
    hours = np.arange(1.0, 2001.0)
    category = np.where(hours <= 1900, FUNDS, OUTAGE)
    found = learn_support(history(hours, category, np.ones(2000, dtype=np.int64)), np.ones(2000), category, 50)
    assert found.gap_hours == {"any": 50.0, "insufficient_funds": 50.0, "issuer_unavailable": 1906.0}


def test_a_category_with_few_repeats_has_no_gap_of_its_own() -> None:
    hours = np.full(400, 30.0)
    category = np.where(np.arange(400) < 301, FUNDS, OUTAGE)
    found = learn_support(history(hours, category, np.ones(400, dtype=np.int64)), np.ones(400), category, 50)
    assert set(found.gap_hours) == {"any", "insufficient_funds"}


def test_the_drop_is_that_of_the_rates_and_the_attempts_those_that_rows_follow() -> None:
    rng = np.random.default_rng(4)
    before = rng.choice(np.arange(1, 6), 40_000, p=[0.4, 0.3, 0.2, 0.0995, 0.0005])
    y = (rng.random(40_000) < 1 / (1 + np.exp(0.7 * before - 0.5))).astype(np.float64)
    category = np.full(40_000, FUNDS)
    found = learn_support(history(np.full(40_000, 24.0), category, before), y, category, 50)
    assert found.attempts == 4.0
    assert found.drop == pytest.approx(0.7, abs=0.05)


def test_a_history_of_single_retries_takes_the_drop_of_the_prior() -> None:
    category = np.full(200, FUNDS)
    found = learn_support(
        history(np.full(200, 24.0), category, np.ones(200, dtype=np.int64)), np.ones(200), category, 50
    )
    assert found.attempts == 1.0
    assert found.drop == pytest.approx(-shipped_table().circumstances.declined_retry)

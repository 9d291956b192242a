"""Rates looked up together are those looked up one by one, to the bit."""

import numpy as np
import pytest

from features.instants import MICROS_PER_HOUR
from features.rates import FAMILIES, Counts, count, lookup_all
from features.rates_at_once import RatesAtOnce


def _learnt(random: np.random.Generator) -> dict[str, Counts]:
    """Counts of every family; some have none, and keys of one are often beyond those of another."""
    counts = {}
    for family in FAMILIES:
        size = int(random.choice([0, 1, 40, 300]))
        key = random.integers(-1, int(random.integers(1, 60)), size)
        known_at = random.integers(0, 4_000 * MICROS_PER_HOUR, size)
        counts[family.name] = count(family, key, known_at, random.random(size) < 0.4)
    return counts


@pytest.mark.parametrize("seed", range(12))
def test_all_families_together_answer_as_each_by_itself(seed: int) -> None:
    random = np.random.default_rng(seed)
    counts = _learnt(random)
    asked_at = random.integers(0, 5_000 * MICROS_PER_HOUR, 70)
    keys = {family.name: random.integers(-1, 90, 70) for family in FAMILIES}
    together, each = RatesAtOnce(counts)(keys, asked_at), lookup_all(counts, keys, asked_at)
    for family in FAMILIES:
        assert together[family.name].tobytes() == each[family.name].tobytes(), family.name

"""Decayed past-only rates against the definition, outcome by outcome."""

import numpy as np
import pytest

from features.instants import MICROS_PER_HOUR
from features.rates import FAMILIES, Family, count, lookup, silence

FAMILY = Family("test", ("issuer",), False, bucket_hours=6, half_life_hours=48, strength=5, parent=None)


def _by_definition(family: Family, key: int, asked: int, outcomes: list[tuple[int, int, bool]], parent: float) -> float:
    bucket = family.bucket_hours * MICROS_PER_HOUR
    attempts = approvals = 0.0
    for own, known_at, approved in outcomes:
        if own == key and known_at // bucket < asked // bucket:
            age = (asked // bucket - 1 - known_at // bucket) * family.bucket_hours
            weight = 0.5 ** (age / family.half_life_hours)
            attempts += weight
            approvals += weight * approved
    return (approvals + family.strength * parent) / (attempts + family.strength)


@pytest.mark.parametrize("seed", range(5))
def test_a_rate_is_the_decayed_share_of_earlier_buckets_shrunk_to_its_parent(seed: int) -> None:
    rng = np.random.default_rng(seed)
    key = rng.integers(-1, 4, 200)
    known_at = rng.integers(0, 400 * MICROS_PER_HOUR, 200)
    approved = rng.random(200) < 0.4
    asked_key = rng.integers(-1, 6, 60)
    asked_at = rng.integers(0, 500 * MICROS_PER_HOUR, 60)
    parent = rng.random(60)

    counts = count(FAMILY, key, known_at, approved)
    rates = lookup(FAMILY, counts, asked_key, asked_at, parent)

    outcomes = list(zip(key.tolist(), known_at.tolist(), approved.tolist(), strict=True))
    expected = [
        _by_definition(FAMILY, int(k), int(at), [o for o in outcomes if o[0] >= 0], float(p))
        for k, at, p in zip(asked_key, asked_at, parent, strict=True)
    ]
    np.testing.assert_allclose(rates, expected, rtol=1e-12)


def test_the_latest_counts_answer_the_same_after_the_history_has_ended() -> None:
    rng = np.random.default_rng(3)
    counts = count(FAMILY, rng.integers(0, 4, 100), rng.integers(0, 10**11, 100), rng.random(100) < 0.5)
    asked_at = np.full(4, 2 * 10**11)
    keys, parent = np.arange(4), np.full(4, 0.3)
    np.testing.assert_array_equal(
        lookup(FAMILY, counts, keys, asked_at, parent), lookup(FAMILY, counts.at_end(), keys, asked_at, parent)
    )


@pytest.mark.parametrize("seed", range(3))
def test_silence_is_counted_from_a_keys_last_event_to_the_last_of_any_known_by_then(seed: int) -> None:
    rng = np.random.default_rng(seed)
    key, known_at = rng.integers(-1, 4, 150), rng.integers(0, 400 * MICROS_PER_HOUR, 150)
    event = rng.random(150) < 0.3
    asked_key, asked_at = rng.integers(-1, 6, 60), rng.integers(0, 500 * MICROS_PER_HOUR, 60)
    length = FAMILY.bucket_hours * MICROS_PER_HOUR
    hours = silence(FAMILY, count(FAMILY, key, known_at, event), asked_key, asked_at)
    for answer, wanted, now in zip(hours, asked_key, asked_at, strict=True):
        known = event & (key >= 0) & (known_at // length < now // length)
        own = known & (key == wanted)
        if not own.any():
            assert np.isnan(answer)
        else:
            buckets = known_at[known].max() // length - known_at[own].max() // length
            assert answer == buckets * FAMILY.bucket_hours


def test_counts_learnt_long_ago_do_not_look_like_an_outage() -> None:
    counts = count(FAMILY, np.array([0, 1]), np.array([0, 0]), np.array([True, True]))
    months_later = np.full(2, 5000 * MICROS_PER_HOUR)
    assert silence(FAMILY, counts.at_end(), np.array([0, 1]), months_later).tolist() == [0, 0]


def test_nothing_counted_leaves_the_parent() -> None:
    counts = count(FAMILY, np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, bool))
    assert lookup(FAMILY, counts, np.array([2]), np.array([5]), np.array([0.25])).tolist() == [0.25]


def test_parents_stand_before_their_children() -> None:
    seen: set[str] = set()
    for family in FAMILIES:
        assert family.parent is None or family.parent in seen
        seen.add(family.name)

"""Variants are the same everywhere and for ever, independent between experiments, and a ramp only adds to them."""

import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from benchmarks.experiments.assignment_elsewhere import assigned_elsewhere
from experiment_builders import FAILED, START, a_definition, a_failure, running
from experiments.allocation import Share, divided, propensities
from experiments.assignment import assigned, bucket, coverage_at, place_in, variant_of
from experiments.definition import BUCKETS, HOLD_OUT, Change, Entry, Status
from features.money import Money
from features.vocabulary import DeclineCategory, Rail

DEFINITION = running(a_definition())
UNITS = 20_000


def variants(salt: str, count: int = UNITS, share: float = 0.5) -> NDArray[np.bool_]:
    """Whether consecutive ids are in the first of two variants."""
    end = round(share * BUCKETS)
    return np.array([bucket(salt, "acme", f"pay_{i:08d}") < end for i in range(count)])


@pytest.mark.parametrize("share", [0.5, 0.2, 0.05])
def test_the_neighbour_of_a_consecutive_id_shares_the_variant_as_often_as_chance_says(share: float) -> None:
    taken = variants("neighbours-1", share=share)
    neighbours = taken[1:][taken[:-1]]
    noise = 4 * np.sqrt(share * (1 - share) / len(neighbours))
    assert abs(neighbours.mean() - share) < noise
    assert abs(taken.mean() - share) < 4 * np.sqrt(share * (1 - share) / UNITS)


def test_two_experiments_with_the_same_weights_are_independent() -> None:
    first, second = variants("one-salt-1"), variants("two-salt-2")
    table = np.array(
        [[np.sum(first & second), np.sum(first & ~second)], [np.sum(~first & second), np.sum(~first & ~second)]]
    )
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / UNITS
    chi_squared = float(((table - expected) ** 2 / expected).sum())
    assert chi_squared < 15.1  # one degree of freedom, p = 0.0001


def test_the_place_in_a_namespace_says_nothing_about_the_variant() -> None:
    inside = np.array([place_in(DEFINITION.namespace, "acme", f"pay_{i:08d}") < BUCKETS // 2 for i in range(UNITS)])
    taken = variants(DEFINITION.salt)
    assert abs(taken[inside].mean() - taken[~inside].mean()) < 4 * np.sqrt(1.0 / UNITS)


def test_buckets_are_even() -> None:
    counts = np.bincount([bucket("even-salt-1", "acme", str(i)) // 100 for i in range(UNITS)], minlength=100)
    expected = UNITS / 100
    assert float(((counts - expected) ** 2 / expected).sum()) < 160  # 99 degrees of freedom, p = 0.0001


def test_a_second_implementation_assigns_alike() -> None:
    weights, hold_out, coverage = {"b": 0.3, "a": 0.3333, "c": 0.3667}, 0.07, 0.6
    shares = divided(weights, hold_out, coverage)
    elsewhere = assigned_elsewhere("elsewhere-1", "acme", UNITS, weights, hold_out, coverage)
    for number, theirs in enumerate(elsewhere):
        drawn = bucket("elsewhere-1", "acme", f"cus_{number}")
        ours = next((share.variant for share in shares if share.holds(drawn)), None)
        assert theirs == ours


weights_of_variants = st.lists(st.integers(1, 50), min_size=1, max_size=5).map(
    lambda parts: {f"v{i}": w for i, w in enumerate(whole(parts))}
)


def whole(parts: Sequence[int]) -> list[float]:
    """Weights in whole buckets that add up to 1."""
    ends = [round(BUCKETS * total / sum(parts)) for total in accumulate(parts)]
    return [(end - start) / BUCKETS for start, end in zip([0, *ends], ends, strict=False)]


@given(weights_of_variants, st.integers(0, 5000), st.lists(st.integers(0, BUCKETS), min_size=2, max_size=5))
def test_a_ramp_only_adds_buckets(weights: Mapping[str, float], hold_out: int, steps: list[int]) -> None:
    earlier: dict[int, str] = {}
    for coverage in sorted(steps):
        shares = divided(weights, hold_out / BUCKETS, coverage / BUCKETS)
        now = owners(shares)
        assert all(now.get(place) == variant for place, variant in earlier.items())
        earlier = now


@given(weights_of_variants, st.integers(0, 5000))
def test_full_coverage_gives_every_bucket_to_one_variant_by_its_weight(
    weights: Mapping[str, float], hold_out: int
) -> None:
    shares = divided(weights, hold_out / BUCKETS, 1.0)
    assert len(owners(shares)) == BUCKETS
    for name, weight in weights.items():
        assert abs(propensities(shares)[name] - weight * (1 - hold_out / BUCKETS)) <= 1 / BUCKETS


def owners(shares: Sequence[Share]) -> dict[int, str]:
    found: dict[int, str] = {}
    for share in shares:
        for place in range(share.first, share.end):
            assert place not in found
            found[place] = share.variant
    return found


def test_a_unit_is_settled_by_its_first_failure_whatever_is_ramped_later() -> None:
    tenth, later = running(a_definition(), 0.1), running(a_definition(), 0.1, 0.9)
    before, after = START + timedelta(hours=1), START + timedelta(days=2)
    assert (
        coverage_at(later, START - timedelta(seconds=1)),
        coverage_at(later, before),
        coverage_at(later, after),
    ) == (
        0.0,
        0.1,
        0.9,
    )
    found: Counter[bool] = Counter()
    for number in range(300):
        early = a_failure(f"cus_{number}", failed_at=before)
        late = replace(early, failed_at=after)
        assert assigned(later, early) == assigned(tenth, early)
        first, second = assigned(later, early), assigned(later, late)
        if first is not None and second is not None:
            assert first.variant == second.variant
        found[first is not None] += 1
        assert second is not None or first is None
    assert 10 < found[True] < 60


def test_a_stop_takes_nobody_new_and_keeps_who_is_in() -> None:
    stop = Entry(FAILED - timedelta(days=1), Change.STOPPED, "someone")
    stopped = replace(DEFINITION, status=Status.STOPPED, history=(*DEFINITION.history, stop))
    early = a_failure(failed_at=FAILED - timedelta(days=2))
    assert assigned(stopped, a_failure()) is None
    assert assigned(stopped, early) == assigned(DEFINITION, early) is not None
    assert assigned(replace(stopped, status=Status.CONCLUDED), early) is None
    assert assigned(a_definition(), a_failure()) is None


def test_payments_of_a_customer_share_the_variant_unless_the_unit_is_the_payment() -> None:
    reason = 'owner = "payments"\nunit = "payment"\nunit_reason = "Buyers are strangers."'
    by_payment = running(a_definition(('owner = "payments"', reason)))
    failures = [a_failure(payment_id=f"inv_{i}") for i in range(40)]
    assert len({assigned(DEFINITION, failure) for failure in failures}) == 1
    assert {found.variant for f in failures if (found := assigned(by_payment, f))} == {"fixed", "plan"}


def test_testers_get_the_variant_named_for_them_and_are_marked() -> None:
    named = running(
        a_definition(("\n[variants.fixed]", '\noverrides = { acme = { cus_1 = "plan" } }\n[variants.fixed]'))
    )
    outside = replace(named, target=replace(named.target, markets=("FR",)))
    found = assigned(outside, a_failure("cus_1"))
    assert found is not None
    assert (found.variant, found.tester, found.propensity) == ("plan", True, 1.0)
    assert assigned(outside, a_failure("cus_2")) is None


@pytest.mark.parametrize(
    ("target", "meets"),
    [
        ({"merchants": ("acme",), "markets": ("DE",), "rails": (Rail.CARD,)}, True),
        ({"decline_categories": (DeclineCategory.INSUFFICIENT_FUNDS,)}, True),
        ({"currency": "EUR", "min_minor": 4900, "max_minor": 4900}, True),
        ({"merchants": ("beta",)}, False),
        ({"markets": ("FR",)}, False),
        ({"rails": (Rail.BANK_DEBIT,)}, False),
        ({"decline_categories": (DeclineCategory.EXPIRED_CARD,)}, False),
        ({"currency": "USD"}, False),
        ({"currency": "EUR", "min_minor": 4901}, False),
        ({"currency": "EUR", "max_minor": 4899}, False),
    ],
)
def test_only_payments_of_the_target_take_part(target: dict[str, object], meets: bool) -> None:
    aimed = replace(DEFINITION, target=replace(DEFINITION.target, **target))  # type: ignore[arg-type] # of the table above
    assert (assigned(aimed, a_failure()) is not None) is meets
    assert Money(4900, "EUR") == a_failure().amount


def test_experiments_of_one_namespace_never_share_a_unit() -> None:
    low = replace(DEFINITION, namespace=replace(DEFINITION.namespace, end=4000))
    high = replace(DEFINITION, salt="second-salt", namespace=replace(DEFINITION.namespace, first=4000))
    for number in range(500):
        failure = a_failure(f"cus_{number}")
        assert (assigned(low, failure) is None) != (assigned(high, failure) is None)


def test_the_hold_out_is_a_variant_like_any_other() -> None:
    held = running(a_definition(("coverage = 1.0", "coverage = 1.0\nhold_out = 0.2")))
    found = Counter(one.variant for i in range(2000) if (one := variant_of(held, "acme", f"cus_{i}")))
    assert abs(found[HOLD_OUT] - 400) < 80
    assert found.total() == 2000


def test_the_digest_is_read_as_the_recipe_says() -> None:
    digest = sha256(b"plan-against-fixed-1\x1facme\x1fcus_1").digest()
    (number,) = struct.unpack(">Q", b"\0\0" + digest[:6])
    assert bucket("plan-against-fixed-1", "acme", "cus_1") == number % 10_000


def test_new_units_are_drawn_by_the_weights_of_their_first_failure_and_who_was_exposed_stays() -> None:
    step = Entry(START + timedelta(days=7), Change.REWEIGHTED, "someone", weights={"fixed": 0.1, "plan": 0.9})
    bandit = replace(DEFINITION, history=(*DEFINITION.history, step))
    early, late = START + timedelta(days=6), START + timedelta(days=8)
    variants_early: Counter[str] = Counter()
    variants_late: Counter[str] = Counter()
    for number in range(2_000):
        first = a_failure(f"cus_{number}", failed_at=early)
        before = assigned(bandit, first)
        assert before == assigned(DEFINITION, first) is not None
        assert before is not None
        after = assigned(bandit, replace(first, payment_id="inv_2", failed_at=late))
        assert after is not None
        assert (before.propensity, after.propensity) == (0.5, {"fixed": 0.1, "plan": 0.9}[after.variant])
        assert assigned(bandit, replace(first, payment_id="inv_2", failed_at=late), before) == before
        variants_early[before.variant] += 1
        variants_late[after.variant] += 1
    assert abs(variants_early["plan"] / 2_000 - 0.5) < 4 * (0.25 / 2_000) ** 0.5
    assert abs(variants_late["plan"] / 2_000 - 0.9) < 4 * (0.09 / 2_000) ** 0.5


def test_who_was_exposed_takes_part_as_long_as_the_payment_is_of_the_experiment() -> None:
    before = assigned(DEFINITION, a_failure())
    assert before is not None
    stopped = replace(DEFINITION, history=(*DEFINITION.history, Entry(START, Change.STOPPED, "someone")))
    assert assigned(stopped, a_failure(), before) is None
    assert assigned(DEFINITION, replace(a_failure(), failed_at=START - timedelta(days=1)), before) is None
    tester = replace(before, variant="nobody", tester=True)
    assert assigned(DEFINITION, a_failure(), tester) == before

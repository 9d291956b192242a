"""Several claims together err no more often than one."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from experiments.analysis.multiplicity import holm, shared


def test_holm_on_a_worked_example() -> None:
    assert holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005}) == {"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02}


@given(st.lists(st.floats(0, 1), max_size=8), st.floats(0.001, 0.5))
def test_it_rejects_what_the_step_down_procedure_rejects(p_values: list[float], alpha: float) -> None:
    """Holm as published: smallest first, compare with alpha / (number left), stop at the first that fails."""
    named = {str(i): p for i, p in enumerate(p_values)}
    left = sorted(named, key=lambda one: named[one])
    rejected = set()
    while left and named[left[0]] * len(left) <= alpha:
        rejected.add(left.pop(0))
    assert {name for name, p in holm(named).items() if p <= alpha} == rejected


def test_a_wrong_claim_appears_in_five_of_a_hundred_experiments_though_the_metrics_cling_together() -> None:
    rng = np.random.default_rng(1)
    alarms = 0
    for _ in range(3_000):
        z = 0.5**0.5 * rng.normal() + 0.5**0.5 * rng.normal(size=6)
        p = {str(i): math.erfc(abs(one) / 2**0.5) for i, one in enumerate(z.tolist())}
        alarms += min(holm(p).values()) <= 0.05
    assert alarms <= 3_000 * 0.05 + 3 * (3_000 * 0.05 * 0.95) ** 0.5


def test_alpha_is_shared_evenly_and_whole_where_there_is_nobody_to_share_with() -> None:
    assert shared(0.05, 5) == 0.01
    assert shared(0.05, 0) == 0.05

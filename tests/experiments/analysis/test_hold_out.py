"""The lift is what would be missing without us."""

import numpy as np
import pytest

from experiments.analysis.hold_out import hold_out_lift
from experiments.analysis.intervals import Tuning
from row_builders import clustered, rows


def test_all_treated_together_are_compared_with_the_hold_out() -> None:
    rng = np.random.default_rng(1)
    arms = [clustered(rng, 900), clustered(rng, 4_000, 0.1), clustered(rng, 5_000, 0.2)]
    lift = hold_out_lift(rows(arms, variants=("none", "a", "b")), "none", Tuning(9_900), 0.05)
    assert lift is not None
    treated = np.concatenate(arms[1:])
    plain = treated[:, 0].sum() / treated[:, 1].sum() - arms[0][:, 0].sum() / arms[0][:, 1].sum()
    assert lift.effect.difference == pytest.approx(plain, abs=3 * lift.effect.standard_error)
    assert lift.brought == pytest.approx(lift.effect.difference * treated[:, 1].sum())
    assert lift.brought_always.low < lift.brought < lift.brought_always.high
    assert lift.effect.units == (900, 9_000)
    assert lift.brought_always.low > 0


def test_a_small_hold_out_has_no_lift_yet() -> None:
    rng = np.random.default_rng(2)
    arms = [clustered(rng, 50), clustered(rng, 4_000, 0.1)]
    assert hold_out_lift(rows(arms, variants=("none", "a")), "none", Tuning(9_900), 0.05) is None

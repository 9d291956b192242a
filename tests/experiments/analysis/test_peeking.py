"""Immature units bias the figure by how early arms recover; the report never holds them."""

import numpy as np

from benchmarks.experiments.peeking import peek
from cohort_builders import Owed, cohort, instant
from experiments.analysis.intervals import Tuning
from experiments.metrics.catalogue import METRICS, PRIMARY
from experiments.metrics.cohort import Cohort
from experiments.metrics.maturity import Window


def _early_and_late(seed: int, units: int) -> Cohort:
    """Both arms recover 60 %; control in the first days, treatment about day 20."""
    rng = np.random.default_rng(seed)
    variant = rng.integers(0, 2, units)
    exposed = rng.uniform(0, 60, units)
    paid = np.where(variant == 0, rng.uniform(1, 4, units), rng.uniform(17, 24, units))
    paid[rng.random(units) > 0.6] = np.nan
    owed = [
        Owed(i, failed=at, paid=at + after)
        for i, (at, after) in enumerate(zip(exposed.tolist(), paid.tolist(), strict=True))
    ]
    return cohort(owed, variant.tolist(), exposed.tolist())


def test_a_policy_that_waits_looks_worse_early_and_is_not() -> None:
    found = peek(
        METRICS[PRIMARY],
        _early_and_late(1, 3_000),
        Window(30),
        instant(60),
        ("treatment", "control"),
        Tuning(3_000),
        0.05,
    )
    assert found.early is not None
    assert found.matured is not None
    assert found.early.always.high < 0  # as if it lost, and no doubt about it
    assert abs(found.matured.difference) < 3 * found.matured.standard_error
    assert found.bias is not None
    assert found.bias < -0.1
    assert found.mature + found.collecting == 3_000


def test_without_mature_units_there_is_no_bias_to_tell() -> None:
    few = _early_and_late(2, 250)
    found = peek(METRICS[PRIMARY], few, Window(30), instant(20), ("treatment", "control"), Tuning(250), 0.05)
    assert found.mature == 0
    assert found.matured is None
    assert found.bias is None

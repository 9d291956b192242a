"""Columns that cannot be right are refused by name."""

from dataclasses import replace

import numpy as np
import pytest

from cohort_builders import Owed, cohort
from experiments.metrics.cohort import Cohort
from features.errors import InvalidValueError

GOOD = cohort([Owed(0, retries=(1.0,)), Owed(1)], [0, 1], [0.0, 0.0], covariates={"past": np.array([1.0, 2.0])})


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ("variant", "units.variant"),
        ("payment unit", "payments.unit"),
        ("retry", "retries.payment"),
        ("length", "payments.amount"),
        ("negative", "payments.amount"),
        ("endless", "retries.fee"),
        ("exposure", "units.exposed_at"),
        ("covariate", "units.covariates"),
        ("propensity", "units.propensity"),
    ],
)
def test_a_broken_column_is_named(broken: str, named: str) -> None:
    units, payments, retries = GOOD.units, GOOD.payments, GOOD.retries
    nat = np.full(2, np.datetime64("NaT"), dtype="datetime64[us]")
    changed = {
        "variant": lambda: replace(GOOD, units=replace(units, variant=np.array([0, 2]))),
        "payment unit": lambda: replace(GOOD, payments=replace(payments, unit=np.array([0, -1]))),
        "retry": lambda: replace(GOOD, retries=replace(retries, payment=np.array([2]))),
        "length": lambda: replace(GOOD, payments=replace(payments, amount=np.array([1.0]))),
        "negative": lambda: replace(GOOD, payments=replace(payments, amount=np.array([1.0, -2.0]))),
        "endless": lambda: replace(GOOD, retries=replace(retries, fee=np.array([np.inf]))),
        "exposure": lambda: replace(GOOD, units=replace(units, exposed_at=nat)),
        "covariate": lambda: replace(GOOD, units=replace(units, covariates={"past": np.array([1.0, np.nan])})),
        "propensity": lambda: replace(GOOD, units=replace(units, propensity=np.array([0.5, 0.0]))),
    }
    with pytest.raises(InvalidValueError, match=named.replace(".", r"\.")):
        changed[broken]()


def test_an_empty_cohort_is_a_cohort() -> None:
    empty = cohort([], [], [])
    assert isinstance(empty, Cohort)
    assert len(empty.units) == 0

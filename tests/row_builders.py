"""Rows of units without a cohort behind them, for what judges rows."""

from collections.abc import Sequence

import numpy as np

from cohort_builders import START
from experiments.metrics.catalogue import METRICS, PRIMARY
from experiments.metrics.cohort import Floats, Instants
from experiments.metrics.unit_rows import UnitRows


def rows(
    arms: Sequence[Floats],
    *,
    metric: str = PRIMARY,
    variants: Sequence[str] = ("control", "treatment"),
    matured_at: Instants | None = None,
) -> UnitRows:
    """Rows of each arm's columns, shape (units, 4), in order of the variants."""
    columns = np.concatenate(arms)
    size = len(columns)
    return UnitRows(
        spec=METRICS[metric],
        variants=tuple(variants),
        variant=np.repeat(np.arange(len(arms)), [len(arm) for arm in arms]),
        columns=columns,
        weight=np.ones(size),
        matured_at=np.full(size, START) if matured_at is None else matured_at,
        unit=np.arange(size),
    )


def means(values: Floats, covariate: Floats | None = None) -> Floats:
    """Columns of a plain mean, with a covariate where there is one."""
    one = np.ones(len(values))
    return np.stack([values, one, np.zeros(len(values)) if covariate is None else covariate, one], axis=1)


def clustered(rng: np.random.Generator, units: int, lift: float = 0.0) -> Floats:
    """Ratio columns of units with several payments alike: recovered amount over failed amount, with a related past."""
    payments = 1 + rng.poisson(1.5, units)
    willing = rng.beta(2, 2, units)
    amount = rng.lognormal(3, 0.6, units)
    failed = payments * amount
    recovered = amount * rng.binomial(payments, np.clip(willing + lift, 0, 1))
    past = 1 + rng.poisson(3, units)
    return np.stack([recovered, failed, rng.binomial(past, willing).astype(float), past.astype(float)], axis=1)

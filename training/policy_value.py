"""What a choice of time built on a model is worth, from the propensities in a log: self-normalised importance sampling.

The policy that is valued is simple on purpose: with the method and processor of the log, retry at a time drawn evenly
from the best fifth of the times on offer. A logged retry speaks for it where its own time is among them, with the
weight of one over its propensity (Horvitz & Thompson 1952; self-normalised: Swaminathan & Joachims 2015). Routes that
the log offers more of weigh more; policies are compared, not forecast.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats

Flags = NDArray[np.bool_]

BEST_SHARE = 0.2
MOST_CERTAIN = 0.1
"""A retry with a larger propensity was hardly left to chance; its other times have no support."""

MIN_EFFECTIVE = 50.0


@dataclass(frozen=True, slots=True)
class PolicyValue:
    """Share approved of the retries that a policy would make; where it was played, its net value per failed payment.

    Args:
        standard_error: Of the value, by customer.
        parts: What each customer adds to the value, where all settings meet the same customers and the same luck.
    """

    value: float
    standard_error: float
    parts: tuple[float, ...] = ()


def value_of_best_times(
    y: Floats, propensity: Floats, customer: NDArray[np.int64], own: Floats, others: Floats
) -> PolicyValue | None:
    """The policy's value; None where fewer than 50 effective rows, (Σw)² / Σw² (Kish), speak for it.

    Args:
        y: 1 approved, shape (n,).
        propensity: Of each logged action, in (0, 1], shape (n,).
        customer: Who owes, shape (n,).
        own: Score of each retry at its logged time, shape (n,).
        others: Scores at the times on offer, shape (n, times).
    """
    weight = _chosen(own, others) / propensity
    total = float(weight.sum())
    effective = total**2 / float(np.sum(weight**2)) if total > 0 else 0.0
    if effective < MIN_EFFECTIVE:
        return None
    value = float(np.sum(weight * y)) / total
    _, cluster = np.unique(customer, return_inverse=True)
    residual = np.bincount(cluster, weights=weight * (y - value))
    return PolicyValue(value, float(np.sqrt(np.sum(residual**2)) / total))


def _chosen(own: Floats, others: Floats) -> Floats:
    """Probability that each retry's own time is among the best fifth, ties broken evenly, shape (n,)."""
    better = np.mean(others > own[:, None], axis=1)
    alike = np.maximum(np.mean(others == own[:, None], axis=1), 1.0 / others.shape[1])
    return np.asarray(np.clip((BEST_SHARE - better) / alike, 0.0, 1.0), dtype=np.float64)

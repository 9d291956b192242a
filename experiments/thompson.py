"""Probability matching: every arm is given the probability that it is the best, of the next units (Thompson 1933).

With independent normal posteriors N(m_a, s_a²) of the arms' values (flat priors, and estimates of many units),

    P(a is best) = integral of phi_a(x) prod_(b != a) Phi((x - m_b) / s_b) dx                    (Scott 2010, section 2)

which is taken by the trapezoid rule, so that nothing is drawn and the same outcomes give the same weights.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import ndtr

from experiments.allocation import in_buckets
from experiments.definition import BUCKETS
from experiments.metrics.cohort import Floats

_REACH, _POINTS = 8.0, 1601


def chances_best(means: Floats, errors: Floats) -> Floats:
    """P(each arm has the highest value), adding up to 1.

    Args:
        means, errors: Of the posteriors, shape (..., arms); errors above zero.

    >>> chances_best(np.array([0.0, 1.0]), np.array([1.0, 1.0])).round(4)
    array([0.2398, 0.7602])
    """
    z = np.linspace(-_REACH, _REACH, _POINTS)
    density = np.exp(-(z**2) / 2)
    at = means[..., None, :] + z[:, None] * errors[..., None, :]
    found = np.empty(means.shape)
    for arm in range(means.shape[-1]):
        below = ndtr((at[..., arm, None] - means[..., None, :]) / errors[..., None, :])
        below[..., arm] = 1.0
        found[..., arm] = (below.prod(axis=-1) * density).sum(axis=-1)
    weights: Floats = found / found.sum(axis=-1, keepdims=True)
    return weights


def matched_weights(chances: Mapping[str, float], floor: float) -> dict[str, float]:
    """The arms' next weights in whole buckets: the floor for each, and of what is left its chance to be the best.

    Args:
        floor: Least weight, in whole buckets; the floors of all arms are at most 1 together.

    >>> matched_weights({"fixed": 0.05, "plan": 0.95}, floor=0.1)
    {'fixed': 0.14, 'plan': 0.86}
    """
    least = in_buckets(floor)
    left = BUCKETS - least * len(chances)
    wanted = {name: left * chance for name, chance in sorted(chances.items())}
    given = {name: int(share) for name, share in wanted.items()}
    # The largest remainders have what rounding down has left over.
    largest = sorted(wanted, key=lambda name: (given[name] - wanted[name], name))
    for name in largest[: left - sum(given.values())]:
        given[name] += 1
    return {name: (least + share) / BUCKETS for name, share in given.items()}

"""Whether a covariate takes off the square of its correlation, between experiments and as reported within one."""

from dataclasses import dataclass

import numpy as np

from benchmarks.experiments.lines import Line
from experiments.analysis.difference import contrast
from experiments.analysis.moments import Moments
from experiments.metrics.cohort import Floats

CORRELATIONS = (0.3, 0.5, 0.7, 0.9)
_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Reduction:
    """What a covariate took off.

    Args:
        between: One less the variance of the differences over experiments with, by that without.
        reported: The mean of what experiments report.
        error: Standard error of `between`, by the batches.
    """

    correlation: float
    between: float
    reported: float
    error: float
    experiments: int


def reduction(seed: int, correlation: float, experiments: int, units: int = 400) -> Reduction:
    """Run experiments of so many units an arm on an outcome and a covariate of a known correlation."""
    rng = np.random.default_rng(seed)
    plain, adjusted, reported = [], [], []
    for start in range(0, experiments, _AT_ONCE):
        some = min(_AT_ONCE, experiments - start)
        past = rng.normal(size=(2, some, units))
        outcome = correlation * past + (1 - correlation**2) ** 0.5 * rng.normal(size=(2, some, units))
        one = np.ones_like(past)
        known = Moments.of(np.stack([outcome, one, past, one], axis=-1))
        found = contrast(_arm(known, 0), _arm(known, 1))
        plain.append(known.mean[1, :, 0] - known.mean[0, :, 0])
        adjusted.append(found.difference)
        reported.append(found.reduction)
    return Reduction(
        correlation,
        between=_taken_off(np.concatenate(plain), np.concatenate(adjusted)),
        reported=float(np.concatenate(reported).mean()),
        error=float(
            np.std([_taken_off(a, b) for a, b in zip(plain, adjusted, strict=True)], ddof=1) / len(plain) ** 0.5
        ),
        experiments=experiments,
    )


def line(found: Reduction) -> Line:
    """The line of the table."""
    square = found.correlation**2
    ratio, half = found.between / square, 1.96 * found.error / square
    return Line(
        f"CUPED takes off the square of the correlation within 10 % (correlation {found.correlation})",
        f"{found.between:.3f} of the variance where {square:.2f} is right: {ratio:.1%} ({ratio - half:.1%} to "
        f"{ratio + half:.1%}); reported within experiments {found.reported:.3f}",
        f"{found.experiments:,} experiments",
        abs(ratio - 1) <= 0.1 and abs(found.reported / square - 1) <= 0.1,
    )


def _arm(both: Moments, arm: int) -> Moments:
    return Moments(both.units[arm], both.mean[arm], both.covariance[arm])


def _taken_off(
    plain: Floats,
    adjusted: Floats,
) -> float:
    return float(1 - np.var(adjusted) / np.var(plain))

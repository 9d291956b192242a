"""Two intervals for a difference: one for a single look agreed beforehand, one for looking whenever one likes.

**Fixed horizon.** difference ± z standard errors: covers in 95 % at one look, and misleads whoever looks daily.

**Always valid.** The asymptotic confidence sequence of Waudby-Smith, Arbour, Sinha, Kennedy & Ramdas (Annals of
Statistics 52, 2024), which is Robbins' normal mixture (1970) and the mSPRT of Johari et al. (2022) with an
estimated variance. With n units in both arms, standard error s and a tuning constant rho,

    difference ± s sqrt( 2 (n rho² + 1) / (n rho²) · log( sqrt(n rho² + 1) / alpha ) )

covers the truth at all looks together with probability 1 - alpha. rho is chosen before the start so that the interval
is tight at the planned size (by the paper's approximation); at any other it holds as well. It is asymptotic: no look is
taken before each arm has `FEWEST` mature units.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from experiments.metrics.cohort import Floats
from features.errors import InvalidValueError

FEWEST = 100


@dataclass(frozen=True, slots=True)
class Tuning:
    """For how many units in both arms the always-valid interval is tight, and the confidence it is tuned for.

    Raises:
        InvalidValueError: Not a positive number of units, or alpha is not between 0 and 1.
    """

    units: float
    alpha: float = 0.05

    def __post_init__(self) -> None:
        if not self.units >= 1:
            raise InvalidValueError("planned_units", self.units, "at least one unit")
        check_alpha(self.alpha)

    @property
    def rho_squared(self) -> float:
        """rho² = (-2 log alpha + log(-2 log alpha + 1)) / units."""
        width = -2 * math.log(self.alpha)
        return (width + math.log(width + 1)) / self.units


def check_alpha(alpha: float) -> float:
    """The chance of a false alarm.

    Raises:
        InvalidValueError: It is not between 0 and 1.
    """
    if not 0 < alpha < 1:
        raise InvalidValueError("alpha", alpha, "a chance of a false alarm between 0 and 1, usually 0.05")
    return alpha


def fixed_multiplier(alpha: float) -> float:
    """How many standard errors to each side: the normal quantile."""
    return float(-ndtri(check_alpha(alpha) / 2))


def always_valid_multiplier(units: Floats | float, tuning: Tuning, alpha: float) -> Floats:
    """How many standard errors to each side at so many units in both arms, shape (...)."""
    grown = np.asarray(units, dtype=np.float64) * tuning.rho_squared
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.sqrt(2 * (grown + 1) / grown * np.log(np.sqrt(grown + 1) / check_alpha(alpha)))
    return found


def fixed_p(z: Floats | float) -> Floats:
    """Two-sided p-value of a difference of z standard errors, at one look."""
    found: Floats = 2 * ndtr(-np.abs(z))
    return found


def always_valid_p(z: Floats | float, units: Floats | float, tuning: Tuning) -> Floats:
    """The alpha at which the always-valid interval just touches zero: below 0.05 at any look with a chance of 5 %."""
    grown = np.asarray(units, dtype=np.float64) * tuning.rho_squared
    found: Floats = np.minimum(1.0, np.sqrt(grown + 1) * np.exp(-(np.asarray(z) ** 2) * grown / (2 * (grown + 1))))
    return found

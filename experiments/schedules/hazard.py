"""When a failed payment clears, read from a log: P(clears on day d | it last failed on day l), both since the failure.

A log shows only the days on which the merchant tried, and a payment leaves it when it clears; what it does show without
bias, as long as the day of a try was not chosen for what the balance would be, is the share of tries on day `d` that
cleared among payments that had last failed on day `l`. With these hazards the value of a schedule `s1 < s2 < … < sK` is

    V(s) = 1 - (1 - h(0, s1)) (1 - h(s1, s2)) … (1 - h(s(K-1), sK))

under the assumption that of the failures so far only the latest matters (a try that clears ends the payment, so no more
than this chain is ever needed). Few tries lie in one cell, so that the table is a product of two curves:

    h(l, d) = by_day(d) · by_gap(d - l)

each the observed approvals over those expected from the other one, smoothed over neighbouring days with a Gaussian
kernel, found by turns. `by_gap` is what a failure so many days before leaves of the chance: retrying tomorrow where
today failed is worth little. For parts of the month `by_day` is estimated for each part and shrunk to that of all with
a weight of `prior_tries`; `by_gap` is common. Widths and weight are chosen by the log loss on payments left out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from experiments.schedules.tries import Tries

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]

WIDTHS = (0.5, 1.0, 2.0, 4.0)
PRIOR_TRIES = (5.0, 20.0, 80.0, 320.0)
MOST = 0.98  # the highest hazard that is believed
_ROUNDS = 4
_FOLDS = 5
_ARRANGEMENTS = 4  # of the payments in folds: what is chosen shall not hang on one of them
_PRIOR_APPROVALS = 5.0  # weight of "no influence" in the curve by gap
_LEAST_TRIES = 3.0  # weight of tries near a day below which the log says nothing about it


@dataclass(frozen=True, slots=True)
class Curves:
    """What a log tells.

    Args:
        day_width, gap_width: Standard deviations of the smoothing, in days.
        by_day: P(clears) on each day after the failure, shape (days + 1,); position 0 is not used.
        by_gap: What the days since the latest failure leave of it, shape (days + 1,).
        tried: Whether tries lie near each day, shape (days + 1,).
    """

    day_width: float
    gap_width: float
    by_day: Floats
    by_gap: Floats
    tried: NDArray[np.bool_]

    @property
    def hazard(self) -> Floats:
        """h(l, d), shape (days, days + 1); NaN where `d <= l` or no try lies near `d`."""
        return self._table(self.by_day)

    def part(self, tries: Tries, prior_tries: float) -> Floats:
        """The hazards of a part of the log, its curve by day shrunk to that of all."""
        made, approved = _by_day(tries, self.by_gap)
        kernel = _kernel(len(made), self.day_width)
        by_day = (kernel @ approved + prior_tries * self.by_day) / (kernel @ made + prior_tries)
        return self._table(by_day)

    def _table(self, by_day: Floats) -> Floats:
        days = len(by_day) - 1
        gap = np.arange(days + 1) - np.arange(days)[:, None]
        rate = np.minimum(by_day * self.by_gap[np.maximum(gap, 0)], MOST)
        return np.where((gap > 0) & self.tried, rate, np.nan)


def curves(tries: Tries, days: int, day_width: float, gap_width: float) -> Curves:
    """Both curves, found by turns from `by_gap` = 1."""
    over_day, over_gap = _kernel(days + 1, day_width), _kernel(days + 1, gap_width)
    gap = tries.day - tries.last
    approved_at = np.bincount(gap, weights=tries.approved, minlength=days + 1)
    everyone = float(tries.approved.mean()) if len(tries) else 0.0
    by_day, by_gap = np.full(days + 1, everyone), np.ones(days + 1)
    for _ in range(_ROUNDS):
        made, approved = _by_day(tries, by_gap)
        by_day = (over_day @ approved + _LEAST_TRIES * everyone) / (over_day @ made + _LEAST_TRIES)
        expected_at = np.bincount(gap, weights=by_day[tries.day], minlength=days + 1)
        by_gap = (over_gap @ approved_at + _PRIOR_APPROVALS) / (over_gap @ expected_at + _PRIOR_APPROVALS)
    near = over_day @ np.bincount(tries.day, minlength=days + 1)
    return Curves(day_width, gap_width, by_day, by_gap, near >= _LEAST_TRIES)


def fitted(tries: Tries, days: int) -> Curves:
    """The curves of the whole log with the widths that predict left-out payments best."""

    def loss(widths: tuple[float, float]) -> float:
        return sum(_loss(curves(seen, days, *widths).hazard, asked) for seen, asked in _folds(tries))

    return curves(tries, days, *min(product(WIDTHS, WIDTHS), key=loss))


def fitted_parts(tries: Tries, part: Int64s, parts: int, everyone: Curves) -> list[Floats]:
    """Hazards of each part of the month; width by day and weight of all are those that predict left-out payments best.

    Args:
        part: Part of each try, 0 to parts - 1, shape (n,).
        everyone: The curves of the whole log.
    """
    days = len(everyone.by_day) - 1
    parts_of = dict(zip(tries.payment.tolist(), part.tolist(), strict=True))

    def loss(choice: tuple[float, float]) -> float:
        day_width, prior_tries = choice
        total = 0.0
        for seen, asked in _folds(tries):
            common = curves(seen, days, day_width, everyone.gap_width)
            for number in range(parts):
                few, theirs = (t.take(_in_part(t, parts_of, number)) for t in (seen, asked))
                total += _loss(common.part(few, prior_tries), theirs)
        return total

    day_width, prior_tries = min(product(WIDTHS, PRIOR_TRIES), key=loss)
    common = curves(tries, days, day_width, everyone.gap_width)
    return [common.part(tries.take(part == number), prior_tries) for number in range(parts)]


def best_days(hazard: Floats, most: int) -> tuple[int, ...]:
    """The days whose schedule has the highest value, found exactly by recursion over (days left, latest day).

    Args:
        hazard: h(l, d), shape (days, days + 1); NaN for days never to be chosen.
    """
    days = len(hazard)
    fails = np.where(np.isnan(hazard), 1.0, 1.0 - hazard)
    left = np.ones(days + 1)  # least P(still failing) from the latest failure on, with no retry left
    then: list[Int64s] = []
    for _ in range(most):
        open_after = fails * left[None, :]
        open_after = np.where(np.isnan(hazard), np.inf, open_after)
        choice = np.argmin(open_after, axis=1)
        best = open_after[np.arange(days), choice]
        then.append(np.where(np.isfinite(best), choice, 0))
        left = np.append(np.where(np.isfinite(best), best, 1.0), 1.0)
    return tuple(_path(then[::-1], days))


def _path(then: Sequence[Int64s], days: int) -> Iterator[int]:
    last = 0
    for choice in then:
        day = int(choice[last]) if last < days else 0
        if day == 0:
            return
        yield day
        last = day


def _by_day(tries: Tries, by_gap: Floats) -> tuple[Floats, Floats]:
    """(tries, each counted by what its gap leaves; approvals) by day, each of the shape of `by_gap`."""
    made = np.bincount(tries.day, weights=by_gap[tries.day - tries.last], minlength=len(by_gap))
    approved = np.bincount(tries.day, weights=tries.approved, minlength=len(by_gap))
    return made.astype(np.float64), approved.astype(np.float64)


def _in_part(tries: Tries, parts_of: Mapping[int, int], number: int) -> NDArray[np.bool_]:
    return np.array([parts_of[payment] == number for payment in tries.payment.tolist()], dtype=np.bool_)


def _kernel(size: int, width: float) -> Floats:
    gap = (np.arange(size)[:, None] - np.arange(size)[None, :]) / width
    return np.asarray(np.exp(-0.5 * gap**2), dtype=np.float64)


def _folds(tries: Tries) -> Iterator[tuple[Tries, Tries]]:
    """(seen, left out) for each fold of payments, for each way of dealing the payments out."""
    names, payment = np.unique(tries.payment, return_inverse=True)
    for arrangement in range(_ARRANGEMENTS):
        dealt = np.random.default_rng(arrangement).permutation(len(names))[payment] % _FOLDS
        for fold in range(_FOLDS):
            yield tries.take(dealt != fold), tries.take(dealt == fold)


def _loss(hazard: Floats, asked: Tries) -> float:
    p = hazard[asked.last, asked.day]
    p = np.clip(np.where(np.isnan(p), 0.5, p), 1e-6, 1 - 1e-6)
    return float(-np.sum(np.where(asked.approved > 0, np.log(p), np.log1p(-p))))

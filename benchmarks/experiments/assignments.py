"""Assignment: neighbours share a variant by chance only, experiments are independent, another program assigns alike."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2_contingency

from benchmarks.experiments.assignment_elsewhere import differing
from benchmarks.experiments.lines import Line
from experiments.assignment import bucket
from experiments.definition import BUCKETS

SHARES = (0.5, 0.2, 0.05)
PAIRS = 200
"""Pairs of experiments that are held against each other."""
_FEWEST = 0.01  # of a hundred sound runs one gives a smaller p


def lines(ids: int, units: int, assignments: int) -> Sequence[Line]:
    """The three promises.

    Args:
        ids: Consecutive ids whose neighbours are looked at.
        units: Of each pair of experiments.
        assignments: That are made twice.
    """
    return [*(_neighbours(share, ids) for share in SHARES), _independent(units), _elsewhere(assignments)]


def taken(salt: str, count: int, share: float) -> NDArray[np.bool_]:
    """Whether consecutive ids are in a variant of that share, shape (count,)."""
    end = round(share * BUCKETS)
    return np.fromiter((bucket(salt, "acme", f"cus_{i:08d}") < end for i in range(count)), dtype=np.bool_, count=count)


def _neighbours(share: float, ids: int) -> Line:
    found = taken(f"neighbours-{share}", ids, share)
    after = found[1:][found[:-1]]
    noise = 1.96 * float(np.sqrt(share * (1 - share) / len(after)))
    mean = float(after.mean())
    return Line(
        f"of consecutive ids the neighbour shares a variant of {share:.0%} as often as chance says",
        f"{mean:.2%} ({mean - noise:.2%} to {mean + noise:.2%})",
        f"{len(after):,} neighbours of {ids:,} ids",
        abs(mean - share) < 1.5 * noise,  # p = 0.003
    )


def _independent(units: int) -> Line:
    """By the share of pairs whose chi-squared test says otherwise at five per cent, and by the smallest p of all."""
    p = []
    for pair in range(PAIRS):
        first, second = (taken(f"{side}-{pair}", units, 0.5) for side in ("one", "two"))
        table = [[int(np.sum((first == a) & (second == b))) for b in (True, False)] for a in (True, False)]
        p.append(float(chi2_contingency(table, correction=False).pvalue))
    small, least = sum(one < 0.05 for one in p), min(1.0, min(p) * PAIRS)
    return Line(
        "two experiments with the same weights are independent",
        f"{small / PAIRS:.1%} of pairs differ at 5 %; smallest p, corrected, {least:.2g}",
        f"{PAIRS} pairs of {units:,} units",
        0.01 <= small / PAIRS <= 0.10 and least > _FEWEST,
    )


def _elsewhere(assignments: int) -> Line:
    found = differing(assignments)
    promise = "a second implementation, written from the page alone, assigns alike"
    return Line(promise, f"{found:,} differ", f"{assignments:,} assignments", found == 0)

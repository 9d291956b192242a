"""Whether an effect can be read yet: whether enough units of each arm carry it, not only whether there are enough.

Both intervals are asymptotic, and how many units that takes depends on how evenly they count. Values v of an arm's
units count like

    effective = (sum |v|)² / sum v²

equal ones: as many as there are where all are alike, and few where a handful decides. It is asked of what stands
below the line, and of u = y - r x, what a unit adds to the error of its arm's ratio r; of u alone a unit so large
that the ratio is its own would go unseen. A ratio also needs `FEWEST_BELOW` units with something below the line:
recoveries, where it is of those. A share of units has no tail, and rare events have units of their own
(`Moments.with_one_more_of_each`); neither is asked how evenly they count. How the numbers were chosen, and what
remains: docs/decisions/0293-when-an-effect-is-readable.md.
"""

from dataclasses import dataclass

import numpy as np

from experiments.metrics.cohort import Flags, Floats, Int64s
from experiments.metrics.spec import Kind
from experiments.metrics.unit_rows import UnitRows

FEWEST_EFFECTIVE = 40
FEWEST_ADDING = 20
FEWEST_BELOW = 50

_ROUNDING = 1e-24


@dataclass(frozen=True, slots=True)
class Carried:
    """What carries one arm's figure at each look, shape (looks,).

    Args:
        below: Units with something below the line.
        effective: How many equal units count as much below the line; infinite where that is not asked.
        adding: How many equal units add as much to the error; infinite also where nothing varies.
    """

    below: Int64s
    effective: Floats
    adding: Floats

    @property
    def enough(self) -> Flags:
        """Whether the figure can be read."""
        even = (self.effective >= FEWEST_EFFECTIVE) & (self.adding >= FEWEST_ADDING)
        found: Flags = (self.below >= FEWEST_BELOW) & even
        return found


def carried(rows: UnitRows, name: str, look: Int64s, looks: int) -> Carried:
    """Of one arm at each look; row i is there from `look[i]` on."""
    arm = rows.arm(name)
    order = np.argsort(look[arm], kind="stable")
    y, x = rows.weighted[arm][order, :2].T
    ends = np.cumsum(np.bincount(look[arm], minlength=looks))
    below = np.concatenate([[0], np.cumsum(x != 0)])[ends]
    if rows.spec.kind is Kind.EVENT or _is_share(rows):
        return Carried(below, np.full(looks, np.inf), np.full(looks, np.inf))
    effective, adding = np.array([_effective(y[:end], x[:end]) for end in ends]).T
    return Carried(below, effective, adding)


def unreadable(rows: UnitRows, variant: str, control: str) -> str | None:
    """Why the effect in all rows cannot be read yet, in a sentence; None where it can."""
    look = np.zeros(len(rows), dtype=np.int64)
    for name in (control, variant):
        found = carried(rows, name, look, 1)
        below, effective, adding = int(found.below[0]), float(found.effective[0]), float(found.adding[0])
        metric, line = rows.spec.name, rows.spec.denominator
        if below < FEWEST_BELOW:
            return (
                f"{metric} is not readable yet: {below:,} mature units of {name} have any {line}, and at least "
                f"{FEWEST_BELOW} are needed."
            )
        for counted, least in ((effective, FEWEST_EFFECTIVE), (adding, FEWEST_ADDING)):
            if counted < least:
                return (
                    f"{metric} is not readable yet: a few units of {name} outweigh the rest, so that all of them count "
                    f"like {counted:.0f} equal ones, and at least {least} are needed."
                )
    return None


def _is_share(rows: UnitRows) -> bool:
    """Whether the metric counts units that did something among all units."""
    return rows.spec.kind is Kind.MEAN and bool(np.isin(rows.columns[:, 0], (0.0, 1.0)).all())


def _effective(y: Floats, x: Floats) -> tuple[float, float]:
    """Of what stands below the line, and of what is added to the error."""
    total = float(x.sum())
    if not total:
        return 0.0, 0.0
    ratio = float(y.sum()) / total
    added = y - ratio * x
    varies = float(added @ added) > _ROUNDING * float(y @ y + ratio**2 * (x @ x))
    return _equal(x), _equal(added) if varies else float("inf")


def _equal(values: Floats) -> float:
    return float(np.abs(values).sum()) ** 2 / float(values @ values)

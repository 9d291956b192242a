"""What all policies together brought: everybody treated against the hold-out, which gets no recovery of ours.

What comes back by itself (customers who pay by hand, methods updated elsewhere) comes back in the hold-out as well, so
the difference is what would be missing without us; gross recovery is not.
"""

from dataclasses import dataclass, replace

import numpy as np

from experiments.analysis.effect import Effect, Interval, effect
from experiments.analysis.intervals import Tuning
from experiments.metrics.unit_rows import UnitRows


@dataclass(frozen=True, slots=True)
class Lift:
    """Treated less hold-out.

    Args:
        effect: Per unit of the denominator; the variant is called "treated".
        brought: The difference times the denominator of all treated: what would be missing, in the numerator's unit.
        brought_always: Its always-valid interval.
    """

    effect: Effect
    brought: float
    brought_always: Interval


def hold_out_lift(rows: UnitRows, hold_out: str, tuning: Tuning, alpha: float) -> Lift | None:
    """The lift over the hold-out; None while either side has too few mature units.

    Treated units count as they were assigned, whatever their variant: the share of the hold-out must not have changed.
    So a bandit's epochs are of no concern here: they move units between variants, and all of these are treated.
    """
    treated = ~rows.arm(hold_out)
    both = replace(
        rows, variants=(hold_out, "treated"), variant=treated.astype(np.int64), weight=np.ones(len(rows)), epoch=None
    )
    found = effect(both, "treated", hold_out, tuning, alpha)
    if found is None:
        return None
    scale = float(rows.columns[treated, 1].sum())
    interval = Interval(found.always.low * scale, found.always.high * scale)
    return Lift(found, found.difference * scale, interval)

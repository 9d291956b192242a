"""The effect as it stood at the end of each day, with its sequential band: what a report plots."""

import numpy as np

from experiments.analysis.effect import Effect, effects_by_look
from experiments.analysis.intervals import Tuning
from experiments.metrics.cohort import Instants
from experiments.metrics.unit_rows import UnitRows


def timeline(
    rows: UnitRows, variant: str, control: str, looks: Instants, tuning: Tuning, alpha: float
) -> list[Effect | None]:
    """The effect among the units mature at each look; `looks` ascend, shape (k,), one answer for each."""
    look = np.searchsorted(looks, rows.matured_at)
    seen = look < len(looks)
    return effects_by_look(rows.where(seen), variant, control, look[seen], len(looks), tuning, alpha)

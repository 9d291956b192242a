"""The prior's log-odds row by row, compiled; `prior_rows.py` says the same in array operations."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from model.prior_few import Figures

Floats = NDArray[np.float64]

# The columns of the facts, in the order of `features.few.framed.Fact`.
(
    CATEGORY, ERROR, RETRYABILITY, FAILURES, HOURS, MOVED, APPROVED, HOUR, BANKING, FROM_PAYDAY, TO_PAYDAY, RAIL,
) = range(12)  # fmt: skip


@compiled
def add_up(  # noqa: C901 - one loop, as every call counts references
    facts: Floats, figures: Figures
) -> Floats:
    """Log-odds of each row, shape (rows,)."""
    mean, edges, shift, technical, no_use = (
        figures.mean, figures.edges, figures.shift, figures.technical, figures.no_use,
    )  # fmt: skip
    hour_edges, hour_shift = figures.hour_edges, figures.hour_shift
    payday_edges, payday_shift = figures.payday_edges, figures.payday_shift
    logits = np.empty(facts.shape[0])
    untried = mean.shape[0] - 1
    for row in range(facts.shape[0]):
        failed = facts[row, FAILURES] > 0
        category = int(facts[row, CATEGORY])
        if not failed:
            category = untried
        elif category < 0 or category == figures.unknown:
            category = figures.processing if facts[row, ERROR] > 0 else figures.unknown
        score = mean[category, int(facts[row, RAIL])]
        step = 0
        while step < hour_edges.shape[0] and hour_edges[step] <= facts[row, HOUR]:
            step += 1
        score += hour_shift[step]
        if not technical[category] and not facts[row, BANKING] > 0:
            score += figures.bank_holiday
        if facts[row, APPROVED] <= figures.approved_within:
            score += figures.approved_lately
        if failed:
            step = 0
            while step < edges.shape[1] and edges[category, step] <= facts[row, HOURS]:
                step += 1
            after = shift[category, step]
            after += min(facts[row, FAILURES] - 1.0, figures.declined_retries_at_most) * figures.declined_retry
            retryability = int(facts[row, RETRYABILITY])
            after += figures.no_use_unchanged if retryability >= 0 and no_use[retryability] else 0.0
            if facts[row, MOVED] > 0:
                after += figures.other_processor_technical if technical[category] else figures.other_processor
            score += after
        if failed and category == figures.money and facts[row, FROM_PAYDAY] >= 0:
            step = 0
            while step < payday_edges.shape[0] and payday_edges[step] <= facts[row, FROM_PAYDAY]:
                step += 1
            came = payday_shift[step]
            ahead = facts[row, TO_PAYDAY]
            score += figures.before_shift if 0 < ahead <= figures.before_days and came <= 0.0 else came
        logits[row] = min(max(score, figures.lowest), figures.highest)
    return logits

"""The prior's log-odds row by row, compiled; `prior_rows.py` says the same in array operations."""

import numpy as np
from numpy.typing import NDArray

from features.compiled import compiled
from model.prior_few import Figures

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

# The columns of the facts, in the order of `features.few.framed.Fact`.
(
    CATEGORY, ERROR, RETRYABILITY, FAILURES, HOURS, MOVED, APPROVED, HOUR, BANKING, FROM_PAYDAY, TO_PAYDAY, RAIL,
) = range(12)  # fmt: skip


@compiled
def categories(facts: Floats, untried: int, unknown: int, processing: int) -> Int64s:
    """Why each row's method failed last; what never reached the issuer failed for a technical reason; shape (rows,)."""
    found = np.empty(facts.shape[0], dtype=np.int64)
    for row in range(facts.shape[0]):
        category = int(facts[row, CATEGORY])
        if not facts[row, FAILURES] > 0:
            category = untried
        elif category < 0 or category == unknown:
            category = processing if facts[row, ERROR] > 0 else unknown
        found[row] = category
    return found


@compiled
def add_up(facts: Floats, category_of: Int64s, figures: Figures) -> Floats:
    """Log-odds of each row, shape (rows,); what is taken out of the figures is in the order of their fields."""
    (
        _,
        mean,
        edges,
        shift,
        technical,
        no_use,
        money,
        hour_edges,
        hour_shift,
        payday_edges,
        payday_shift,
        before_days,
        before_shift,
        declined_retry,
        declined_retries_at_most,
        no_use_unchanged,
        bank_holiday,
        other_processor_technical,
        other_processor,
        approved_lately,
        approved_within,
    ) = figures
    logits = np.empty(facts.shape[0])
    for row in range(facts.shape[0]):
        failed, category = facts[row, FAILURES] > 0, category_of[row]
        score = mean[category, int(facts[row, RAIL])]
        step = 0
        while step < hour_edges.shape[0] and hour_edges[step] <= facts[row, HOUR]:
            step += 1
        score += hour_shift[step]
        if not technical[category] and not facts[row, BANKING] > 0:
            score += bank_holiday
        if facts[row, APPROVED] <= approved_within:
            score += approved_lately
        if failed:
            step = 0
            while step < edges.shape[1] and edges[category, step] <= facts[row, HOURS]:
                step += 1
            after = shift[category, step]
            after += min(facts[row, FAILURES] - 1.0, declined_retries_at_most) * declined_retry
            retryability = int(facts[row, RETRYABILITY])
            after += no_use_unchanged if retryability >= 0 and no_use[retryability] else 0.0
            if facts[row, MOVED] > 0:
                after += other_processor_technical if technical[category] else other_processor
            score += after
        if failed and category == money and facts[row, FROM_PAYDAY] >= 0:
            step = 0
            while step < payday_edges.shape[0] and payday_edges[step] <= facts[row, FROM_PAYDAY]:
                step += 1
            came = payday_shift[step]
            ahead = facts[row, TO_PAYDAY]
            score += before_shift if 0 < ahead <= before_days and came <= 0.0 else came
        logits[row] = score
    return logits

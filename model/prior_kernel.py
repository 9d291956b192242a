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
    """Log-odds of each row, shape (rows,); what is taken out of the figures is in the order of their fields."""
    (
        mean,
        edges,
        shift,
        technical,
        no_use,
        money,
        unknown,
        processing,
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
        lowest,
        highest,
    ) = figures
    logits = np.empty(facts.shape[0])
    untried = mean.shape[0] - 1
    for row in range(facts.shape[0]):
        failed = facts[row, FAILURES] > 0
        category = int(facts[row, CATEGORY])
        if not failed:
            category = untried
        elif category < 0 or category == unknown:
            category = processing if facts[row, ERROR] > 0 else unknown
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
        logits[row] = min(max(score, lowest), highest)
    return logits

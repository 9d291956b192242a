"""What each attempt was within its own payment, as it was known when its own outcome became known.

Facts about a customer's earlier payments (how long a recovery took, between which days the money came) are facts
about single attempts. They are worked out once for a whole table, from nothing that became known after the attempt's
own outcome, so that whoever may know the attempt may know them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.instants import MICROS_PER_DAY
from features.table import AttemptTable

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class OwnPayment:
    """Facts about attempts of a table, shape (n,); attempts that were not asked about keep the first value.

    Args:
        waited_days: Days from the earliest attempt of the payment known of; 0.
        failed_before: Position of the payment's latest failure before it; -1 for none.
        new_reason: Whether it failed for a reason for which no earlier attempt of the payment had failed; False.
    """

    waited_days: Floats
    failed_before: Int64s
    new_reason: Flags


def own_payment(table: AttemptTable, attempts: Int64s) -> OwnPayment:
    """Work the facts out.

    Args:
        attempts: Positions to work them out for, with each attempt all others of its payment.
    """
    attempts = np.sort(attempts)
    order = attempts[np.lexsort((table.known_at[attempts], table.payment.codes[attempts]))]
    payment = table.payment.codes[order]
    places = np.arange(order.size, dtype=np.int64)
    start = np.maximum.accumulate(np.where(np.append(True, payment[1:] != payment[:-1])[: order.size], places, 0))
    facts = OwnPayment(np.zeros(len(table)), np.full(len(table), -1), np.zeros(len(table), dtype=np.bool_))
    facts.waited_days[order] = (table.at[order] - table.at[_running_earliest(order, start)]) / MICROS_PER_DAY
    failed = np.append(-1, np.maximum.accumulate(np.where(table.failed[order], places, -1))[:-1])[: order.size]
    facts.failed_before[order] = np.where(failed >= start, order[np.maximum(failed, 0)], -1)
    facts.new_reason[order] = _first_of_reason(payment, table.category[order])
    return facts


def _running_earliest(order: Int64s, start: Int64s) -> Int64s:
    """Position, among the same payment's attempts so far, of the one made first: positions are ordered by time."""
    size = int(order.max(initial=0)) + 1
    # Taking a multiple of the size away makes one running minimum restart at every payment.
    earliest: Int64s = np.minimum.accumulate(order - start * size) + start * size
    return earliest


def _first_of_reason(payment: Int64s, reason: Int64s) -> Flags:
    """Whether an entry is the first of its payment with its reason; -1 is no reason."""
    new = np.zeros(reason.size, dtype=np.bool_)
    given = np.flatnonzero(reason >= 0)
    _, first = np.unique(payment[given] * (reason.max(initial=0) + 1) + reason[given], return_index=True)
    new[given[first]] = True
    return new

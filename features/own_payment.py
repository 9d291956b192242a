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
    """Facts about every attempt of a table, shape (n,).

    Args:
        waited_days: Days from the earliest attempt of the payment known of.
        failed_before: Position of the payment's latest failure before it, -1 for none.
        new_reason: Whether it failed for a reason for which no earlier attempt of the payment had failed.
    """

    waited_days: Floats
    failed_before: Int64s
    new_reason: Flags


def own_payment(table: AttemptTable, order: Int64s) -> OwnPayment:
    """Work the facts out.

    Args:
        order: Positions ordered by payment, then by when the outcome became known (`Known.order` of payments).
    """
    payment = table.payment.codes[order]
    places = np.arange(order.size, dtype=np.int64)
    start = np.maximum.accumulate(np.where(np.append(True, payment[1:] != payment[:-1])[: order.size], places, 0))
    waited, before = np.empty(order.size), np.empty(order.size, dtype=np.int64)
    waited[order] = (table.at[order] - table.at[order[_running_earliest(order, start)]]) / MICROS_PER_DAY
    failed = np.append(-1, np.maximum.accumulate(np.where(table.failed[order], places, -1))[:-1])[: order.size]
    before[order] = np.where(failed >= start, order[np.maximum(failed, 0)], -1)
    return OwnPayment(waited, before, _first_of_reason(table, order, payment))


def _running_earliest(order: Int64s, start: Int64s) -> Int64s:
    """Place, among the same payment's places so far, of the attempt made first: positions are ordered by time."""
    size = order.size
    # Taking a multiple of the size away makes one running minimum restart at every payment.
    running = np.minimum.accumulate(order - start * size) + start * size
    place = np.empty(size, dtype=np.int64)
    place[order] = np.arange(size, dtype=np.int64)
    earliest: Int64s = place[running]
    return earliest


def _first_of_reason(table: AttemptTable, order: Int64s, payment: Int64s) -> Flags:
    width = np.int64(int(table.category.max(initial=0)) + 1)
    failed = np.flatnonzero(table.category[order] >= 0)
    _, first = np.unique(payment[failed] * width + table.category[order][failed], return_index=True)
    new = np.zeros(order.size, dtype=np.bool_)
    new[order[failed[first]]] = True
    return new

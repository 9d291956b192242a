"""Folds of customers × windows of time: what may be learnt from, and what is judged by it.

For each window and each fold, the *other* customers' events *before* the window teach, and the fold's events *in* the
window are judged. Without windows a fold is judged on its whole time by what the others' whole time taught.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.errors import InputError
from features.instants import MICROS_PER_DAY
from features.merchants import BETWEEN, owned, several_merchants
from features.payment import Payment
from features.vocabulary import Rail

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_JUDGED_ROWS = 80
_LEARN_FIRST = 0.4  # share of the events, by time, before the first window


@dataclass(frozen=True, slots=True)
class Part:
    """One model's share of the work.

    Args:
        fold: The fold judged.
        folds: How many there are.
        until: What became known at or after this instant (microseconds) does not teach.
        learn, judge: Positions of the events that teach and that are judged.
    """

    fold: int
    folds: int
    until: int
    learn: Int64s
    judge: Int64s

    def teaches(self, customer_ids: Sequence[str], known: Int64s) -> Flags:
        """Which rows of a log teach, from their customers and when their outcomes became known, shape (n,)."""
        return np.not_equal(folds_of(customer_ids, self.folds), self.fold) & np.less(known, self.until)


def parts_of(at: Sequence[int], customer_ids: Sequence[str], folds: int, windows: int) -> Iterator[Part]:
    """Every part that has something to judge.

    Args:
        at: Instant of each event, microseconds.
        customer_ids: Whose event each is.
    """
    when, fold = np.array(at, dtype=np.int64), folds_of(customer_ids, folds)
    for start, end in _windows(when, windows):
        until = end if windows == 0 else start
        for number in range(folds):
            judge = np.flatnonzero((fold == number) & (when >= start) & (when < end))
            if judge.size:
                yield Part(number, folds, until, np.flatnonzero((fold != number) & (when < until)), judge)


def folds_of(customer_ids: Sequence[str], folds: int) -> Int64s:
    """The fold of each customer by the hash of its id; not the hash by which the pipeline makes its own folds."""
    known: dict[str, int] = {}
    for name in customer_ids:
        if name not in known:
            digest = hashlib.sha256(f"recoup-cross-fit:{name}".encode()).digest()
            known[name] = int.from_bytes(digest[:8]) % folds
    return np.array([known[name] for name in customer_ids], dtype=np.int64)


def log_of(history: pa.Table, part: Part) -> pa.Table:
    """The rows of a log that teach a part."""
    return history.filter(pa.array(part.teaches(customers_of(history), known_at(history))))


def customers_of(history: pa.Table) -> list[str]:
    """Whose each row is, as `features.merchants.owned` says it, shape (n,)."""
    merchants, customers = history["merchant_id"], history["customer_id"]
    told = pc.binary_join_element_wise(merchants, customers, BETWEEN) if several_merchants(merchants) else customers
    return [str(name) for name in told.to_pylist()]


def owners_of(payments: Iterable[Payment], history: pa.Table) -> list[str]:
    """Whose each payment of a history is, by the names that `customers_of` gives its rows."""
    several = several_merchants(history["merchant_id"])
    return [owned(payment.merchant_id, payment.customer_id, several=several) for payment in payments]


def last_days(day: Int64s) -> int:
    """Fewest last days that leave the training pipeline enough rows for a verdict of its own; the rest teaches.

    Args:
        day: Day of the decision of each row whose outcome could no longer change at the end, shape (n,).

    Raises:
        InputError: There are too few rows to learn from.
    """
    if len(day) < 2 * _JUDGED_ROWS:
        raise InputError(f"a part of the log holds {len(day)} rows; at least {2 * _JUDGED_ROWS} are needed to learn")
    return int(day.max()) - int(np.sort(day)[-_JUDGED_ROWS]) + 1


def maturity_of(history: pa.Table, by_rail: Mapping[Rail, int]) -> int:
    """Days after which the outcome of every attempt of a log is final where it does not say when it was known."""
    return max(by_rail.get(Rail(rail), 0) for rail in pc.unique(history["rail"]).to_pylist())


def known_at(history: pa.Table) -> Int64s:
    """When each row's outcome was known, microseconds, shape (n,)."""
    at = history["attempted_at"].cast(pa.int64())
    known = pc.coalesce(history["outcome_at"].cast(pa.int64()), at) if "outcome_at" in history.column_names else at
    return np.asarray(np.maximum(at.to_numpy(), known.to_numpy()), dtype=np.int64)


def _windows(at: Int64s, windows: int) -> list[tuple[int, int]]:
    """[start, end) of each window: UTC midnights that part the later events evenly."""
    beyond = int(at.max()) + MICROS_PER_DAY
    if windows == 0:
        return [(int(at.min()), beyond)]
    shares = np.linspace(_LEARN_FIRST, 1.0, windows + 1)[:-1]
    starts = np.unique(np.quantile(at, shares).astype(np.int64) // MICROS_PER_DAY * MICROS_PER_DAY)
    return list(zip(starts.tolist(), [*starts[1:].tolist(), beyond], strict=True))

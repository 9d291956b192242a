"""Labelled rows as of each decision: which attempts of a history teach, and why the others do not."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats
from features.columns import COLUMNS
from features.encoders import Encoders, learn
from features.errors import InputError
from features.frame import frame
from features.instants import MICROS_PER_DAY
from features.known import pick
from features.rows import Rows, rows_of_history
from features.table import CATEGORIES, INITIATORS, RETRYABILITIES, UNKNOWN_OUTCOME
from features.time_zones import weekday
from features.vocabulary import Initiator, Rail, Retryability
from model.prior_rows import prior_logits
from training.baselines import Lesson
from training.config import TrainingConfig
from training.fit import ColumnShape
from training.load import History
from training.split import customer_folds

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]

_NEVER = RETRYABILITIES.index(Retryability.NEVER)
_CUSTOMER = INITIATORS.index(Initiator.CUSTOMER)
_LATEST_ATTEMPT = 6
_SLOW = 0.99  # share of the stated outcomes of a rail that are in when it counts as final


@dataclass(frozen=True, slots=True)
class Group:
    """One way of slicing rows: the word of each row as a position in `words`, -1 for none, shape (n,)."""

    codes: Int64s
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Labelled rows; arrays have shape (n,).

    Args:
        matrix: The columns, float32 (n, columns).
        index: Position of each row's attempt in the history's table.
        y: 1 approved, 0 declined or failed.
        customer: Which customer, as an integer.
        fold: The customer's fold.
        decided_at, at, final_at: Microseconds; `final_at` is when outcomes of the rail are final, whatever they are.
        attempt: Number of the attempt in its payment, from 1, as known at the decision.
        code: Raw code of the payment's latest failure, -1 for none.
        hour: Issuer's local hour of the attempt, NaN where only the day is known.
        weekday: Issuer's local weekday, 0 Monday.
        prior: Logit of approval by the shipped prior.
        groups: Ways of slicing, by name.
        read: Attempts in the history.
        left_out: How many attempts became no row, by reason.
        encoders: What the columns were computed with.
    """

    matrix: Matrix
    index: Int64s
    y: Floats
    customer: Int64s
    fold: Int64s
    decided_at: Int64s
    at: Int64s
    final_at: Int64s
    attempt: Int64s
    code: Int64s
    hour: Floats
    weekday: Int64s
    prior: Floats
    groups: Mapping[str, Group]
    read: int
    left_out: Mapping[str, int]
    encoders: Encoders

    def __len__(self) -> int:
        return len(self.y)

    @property
    def category(self) -> Int64s:
        """Decline category of the payment's latest failure, -1 for none."""
        return self.groups["category"].codes

    @property
    def lesson(self) -> Lesson:
        """The rows as a baseline sees them."""
        return Lesson(self.matrix, self.y, self.code, self.attempt, column_shapes())


def column_shapes() -> tuple[ColumnShape, ...]:
    """What the trees need to know of each column."""
    return tuple(ColumnShape(column.name, column.kind == "category", column.monotone) for column in COLUMNS)


def labelled_rows(history: History, config: TrainingConfig, encoders: Encoders | None = None) -> Dataset:
    """The rows of a history that teach.

    Left out, each counted once under the first reason that holds: first attempts (unless asked for) and attempts
    that follow no known failure; attempts the customer made; outcomes that are unknown, or not final by the end
    of the history; and attempts on a method whose latest answer was one that must never be tried again, because
    those are decided by a rule and would teach the policy that made them.

    Args:
        encoders: Compute columns with these, as a trained model does; by default they are learnt from the history.

    Raises:
        InputError: No row is left.
    """
    table = history.table
    every = rows_of_history(table, first_attempts=config.first_attempts)
    final_at = _final_at(history, config.maturity_days)
    reasons = _reasons(every, final_at)
    chosen = ~np.any(list(reasons.values()), axis=0)
    if not chosen.any():
        raise InputError(
            f"{history.path}: no retry to learn from among {len(table)} attempts ({_told(every, reasons)})"
        )
    rows = Rows(table, every.index[chosen], every.decided_at[chosen])
    encoders = encoders or learn(table)
    folds = customer_folds(table.customer.texts(), config.trees.boosters)
    customer = table.customer.codes[rows.index]
    attempt = rows.of_payment.count + 1
    return Dataset(
        matrix=frame(rows, encoders),
        index=rows.index,
        y=table.approved[rows.index].astype(np.float64),
        customer=customer,
        fold=folds[customer],
        decided_at=rows.decided_at,
        at=rows.at,
        final_at=final_at[rows.index],
        attempt=attempt,
        code=pick(history.code.codes, rows.of_payment.last(table.failed), -1).astype(np.int64),
        hour=rows.hour,
        weekday=weekday(rows.day).astype(np.int64),
        prior=prior_logits(rows),
        groups=_groups(history, rows, attempt),
        read=len(table),
        left_out={"not a retry": len(table) - len(every)} | _first_reason_counts(reasons),
        encoders=encoders,
    )


def _final_at(history: History, maturity_days: Mapping[Rail, int]) -> Int64s:
    """When each outcome was final, whatever it was, shape (n,).

    A debit that fails is heard of sooner than one that is paid. If each row counted from the instant its own outcome
    became known, the last days before any cut would hold the failures and not yet the successes. So an outcome is
    final when the slow ones of its rail are: the 99 % quantile of the delays that the history states, or where it
    states none, the rail's maturity.
    """
    table = history.table
    delay = np.zeros(len(table), dtype=np.int64)
    for code, rail in enumerate(Rail):
        own = table.rail.codes == code
        stated = own & history.outcome_stated & (table.outcome != UNKNOWN_OUTCOME)
        delay[own] = maturity_days.get(rail, 0) * MICROS_PER_DAY
        if stated.any():
            slow = np.quantile(table.known_at[stated] - table.at[stated], _SLOW, method="lower")
            delay[own & history.outcome_stated] = slow
    return np.asarray(np.maximum(table.known_at, table.at + delay), dtype=np.int64)


def _reasons(rows: Rows, final_at: Int64s) -> dict[str, Flags]:
    table, index = rows.table, rows.index
    end = int(max(table.at.max(), table.known_at[table.outcome != UNKNOWN_OUTCOME].max(initial=0)))
    latest = rows.of_method.last()
    never = np.equal(pick(table.retryability, latest, -1), _NEVER)
    return {
        "made by the customer": np.equal(table.initiator[index], _CUSTOMER),
        "outcome unknown": np.equal(table.outcome[index], UNKNOWN_OUTCOME),
        "outcome not final by the end": final_at[index] > end,
        "method must never be retried": never,
    }


def _first_reason_counts(reasons: Mapping[str, Flags]) -> dict[str, int]:
    counts, taken = {}, np.zeros_like(next(iter(reasons.values())))
    for reason, holds in reasons.items():
        counts[reason] = int(np.sum(holds & ~taken))
        taken |= holds
    return counts


def _told(rows: Rows, reasons: Mapping[str, Flags]) -> str:
    if not len(rows):
        return "none follows a known failure of its payment"
    return ", ".join(f"{reason}: {count}" for reason, count in _first_reason_counts(reasons).items() if count)


def _groups(history: History, rows: Rows, attempt: Int64s) -> dict[str, Group]:
    table, index = rows.table, rows.index
    months, month = np.unique(rows.decided_at.astype("datetime64[us]").astype("datetime64[M]"), return_inverse=True)
    number = np.minimum(attempt, _LATEST_ATTEMPT) - 1
    numbers = [str(n) for n in range(1, _LATEST_ATTEMPT)] + [f"{_LATEST_ATTEMPT} or later"]
    return {
        "category": Group(rows.last_category, tuple(str(word) for word in CATEGORIES)),
        "market": Group(history.market.codes[index], tuple(history.market.texts())),
        "attempt": Group(number.astype(np.int64), tuple(numbers)),
        "network": Group(table.network.codes[index], tuple(table.network.texts())),
        "processor": Group(table.processor.codes[index], tuple(table.processor.texts())),
        "month": Group(month.astype(np.int64), tuple(str(m) for m in months)),
    }

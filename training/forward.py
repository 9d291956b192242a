"""Forward folds: train on what was final before a window, judge other customers in it; the test window stays shut."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats
from features.context import Context
from features.errors import InputError
from features.frame import frame
from features.instants import MICROS_PER_HOUR
from features.merchants import owned
from features.payment import Payment
from model.boosted import boosters_of, raw_logits
from training.config import TrainingConfig
from training.dataset import Dataset, column_shapes, labelled_rows
from training.fit import Bag, TreeSettings, fit_bag
from training.load import History, load_history
from training.metrics import log_loss, probability
from training.other_times import rows_at
from training.plan_value import MIN_PAYMENTS, Stage, plan_value
from training.policy_value import MOST_CERTAIN, PolicyValue, value_of_best_times
from training.split import customer_folds, split_by_time
from training.uncertainty import out_of_fold

Flags = NDArray[np.bool_]
Int64s = NDArray[np.int64]
Matrix = NDArray[np.float32]

Objective = Literal["plan value", "policy value", "log loss"]
"""What settings are ranked by; log loss decides among what the other two cannot tell apart."""

MIN_ROWS = 50
_FIRST_PART = 0.4  # of the rows, which only train
_HALVES = 2  # of the customers: each half is judged by the booster that was fitted on the other
_MOST_JUDGED = 1_500  # retries whose other times are scored, a fold
_TIMES = 25


@dataclass(frozen=True, slots=True)
class Chance:
    """Retries of a window whose time was left to chance, with other times they could have been made at.

    Args:
        rows: Their positions among the rows of the data set, shape (n,).
        propensity: Shape (n,).
        others: Columns at the other times, shape (n · times, columns).
    """

    rows: Int64s
    propensity: Floats
    others: Matrix


@dataclass(frozen=True, slots=True)
class ForwardFold:
    """One window to judge on, and what may be learnt before it.

    Args:
        played: Failed payments of the window on which plans are played; none without a world.
    """

    train: Flags
    judge: Flags
    chance: Chance | None
    played: tuple[Context, ...] = ()


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trees that settings grew on one fold's past, and their log loss in its window."""

    log_loss: float
    bag: Bag


@dataclass(frozen=True, slots=True)
class ForwardFolds:
    """A history cut for tuning.

    Args:
        digest: SHA-256 of the history, hex.
        customer_folds: How many folds of customers the rows have.
        several_merchants: Whether the rows are of more than one.
        stage: Where plans are played; None to read a policy's value off the log.
    """

    digest: str
    data: Dataset
    folds: tuple[ForwardFold, ...]
    customer_folds: int
    several_merchants: bool
    stage: Stage | None = None

    def __len__(self) -> int:
        return len(self.folds)

    @property
    def rows(self) -> int:
        """How many rows the last fold learns from, which has the longest past."""
        return int(self.folds[-1].train.sum())

    @property
    def objective(self) -> Objective:
        """The plan's value where it can be played, a policy's where the log supports it, else log loss."""
        if self.stage is not None:
            return "plan value"
        return "policy value" if all(fold.chance is not None for fold in self.folds) else "log loss"

    def fit(self, number: int, settings: TreeSettings) -> Fitted:
        """Fit on one fold's past with these settings and judge on its window, customers apart."""
        fold, data, settings = self.folds[number], self.data, replace(settings, boosters=_HALVES)
        half = data.fold % _HALVES
        bag = fit_bag(data.matrix[fold.train], data.y[fold.train], half[fold.train], column_shapes(), settings)
        judged = out_of_fold(bag, data.matrix[fold.judge], half[fold.judge], settings.threads)
        return Fitted(log_loss(data.y[fold.judge], probability(judged)), bag)

    def value(self, number: int, fitted: Fitted, threads: int) -> PolicyValue | None:
        """What a policy built on the trees is worth in the fold's window; None where nothing can tell."""
        fold = self.folds[number]
        if self.stage is not None:
            return plan_value(self.stage, fold.played, fitted.bag, self.data.encoders, self.half_of, threads)
        return None if fold.chance is None else self._policy(fitted.bag, fold.chance, threads)

    def half_of(self, payment: Payment) -> int:
        """The half of the customers to which a payment's belongs, as its rows do."""
        customer = owned(payment.merchant_id, payment.customer_id, several=self.several_merchants)
        return int(customer_folds([customer], self.customer_folds)[0]) % _HALVES

    def _policy(self, bag: Bag, chance: Chance, threads: int) -> PolicyValue | None:
        data, half, boosters = self.data, self.data.fold % _HALVES, boosters_of(bag.texts)
        unseen, times = bag.unseen(half[chance.rows]), len(chance.others) // len(chance.rows)
        own = _mean(raw_logits(boosters, data.matrix[chance.rows], threads), unseen)
        others = _mean(raw_logits(boosters, chance.others, threads), np.repeat(unseen, times, axis=0))
        y, customer = data.y[chance.rows], data.customer[chance.rows]
        return value_of_best_times(y, chance.propensity, customer, own, others.reshape(-1, times))


def forward_folds(config: TrainingConfig, number: int, stage: Stage | None = None) -> ForwardFolds:
    """Cut a history's rows before its test window into a first part to train on and windows that follow each other.

    Args:
        stage: Where plans are played, the history's own world.

    Raises:
        InputError: The history cannot be read, a window or what comes before it holds fewer than 50 rows, or a window
            fewer than 20 payments to play.
    """
    history = load_history(config.history)
    data = labelled_rows(history, config)
    split = split_by_time(
        data.decided_at, data.final_at, test_days=config.test_days, calibrate_days=config.calibrate_days
    )
    open_rows = data.decided_at[split.before_test]
    if not open_rows.size:
        raise InputError("no retry was final before the test window; bring a longer history")
    edges = np.quantile(open_rows, np.linspace(_FIRST_PART, 1.0, number + 1)).astype(np.int64)
    edges[-1] = split.test_from
    folds = []
    for k in range(number):
        past = (data.decided_at < edges[k]) & (data.final_at < edges[k])
        window = split.before_test & (data.decided_at >= edges[k]) & (data.decided_at < edges[k + 1])
        if min(past.sum(), window.sum()) < MIN_ROWS:
            raise InputError(
                f"forward fold {k + 1} of {number} holds {window.sum()} retries with {past.sum()} before it; at least "
                f"{MIN_ROWS} each are needed; ask for fewer folds, or bring a longer history"
            )
        if stage is None:
            folds.append(ForwardFold(past, window, _chance(history, data, window, config.seed + k)))
        else:
            played = stage.between(int(edges[k]), int(edges[k + 1]), split.test_from)
            _require_payments(len(played), k, number, stage)
            folds.append(ForwardFold(past, window, None, played))
    return ForwardFolds(
        history.digest, data, tuple(folds), config.trees.boosters, history.several_merchants, stage=stage
    )


def _require_payments(played: int, fold: int, folds: int, stage: Stage) -> None:
    if played < MIN_PAYMENTS:
        raise InputError(
            f"forward fold {fold + 1} of {folds} holds {played} failed payments of the world with {stage.horizon_days} "
            f"days left before the test window; at least {MIN_PAYMENTS} are needed; ask for fewer folds or fewer "
            "--horizon-days, or bring a longer history"
        )


def _chance(history: History, data: Dataset, window: Flags, seed: int) -> Chance | None:
    """The window's retries whose time was left to chance, and columns at other times within the usual waits."""
    propensity = history.propensity[data.index]
    rows = np.flatnonzero(window & (propensity <= MOST_CERTAIN))
    if rows.size < MIN_ROWS:
        return None
    wait = data.at[rows] - data.decided_at[rows]
    low, high = np.quantile(wait, (0.05, 0.95))
    rows = rows[(wait >= low) & (wait <= high)]
    rng = np.random.default_rng(seed)
    rows = np.sort(rng.choice(rows, min(_MOST_JUDGED, rows.size), replace=False))
    waits = rng.uniform(max(low, MICROS_PER_HOUR), high, (rows.size, _TIMES)).astype(np.int64)
    decided = data.decided_at[rows]
    others = rows_at(history.table, data.index[rows], decided, decided[:, None] + waits)
    return Chance(rows, propensity[rows], frame(others, data.encoders))


def _mean(logits: Floats, chosen: Flags) -> Floats:
    """Mean over the chosen boosters of each row."""
    return np.asarray(np.sum(logits * chosen, axis=1) / chosen.sum(axis=1), dtype=np.float64)

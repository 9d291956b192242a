"""Fits the bag: gradient-boosted trees, each booster without two folds of customers, all grown in step."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import lightgbm as lgb
import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Floats

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]
Matrix = NDArray[np.float32]

Progress = Callable[[int, int], None]
"""Called with (done, total) as work goes on."""


@dataclass(frozen=True, slots=True)
class TreeSettings:
    """How trees are grown.

    Args:
        boosters: How many boosters the bag holds, and how many customer folds there are; at least 2.
        max_trees: Most trees a booster may have.
        patience: Trees without a gain on unseen customers after which growing stops.
        leaves: Leaves a tree; None takes 8 below 20,000 rows, 16 below 100,000 and 31 from there on.
        learning_rate: Weight of each tree.
        min_rows_in_leaf: Fewest rows a leaf may hold.
        l2: Ridge penalty on leaf values.
        column_share: Share of columns each tree may look at.
        cat_smooth: Rows by which the rate of a category is drawn to that of its leaf when categories are ordered.
        threads: How many boosters grow at the same time; 0 is one a core. The result does not depend on it.
    """

    boosters: int = 5
    max_trees: int = 600
    patience: int = 40
    leaves: int | None = None
    learning_rate: float = 0.05
    min_rows_in_leaf: int = 50
    l2: float = 5.0
    column_share: float = 0.7
    cat_smooth: float = 20.0
    seed: int = 17
    threads: int = 0

    def leaves_for(self, rows: int) -> int:
        """Leaves a tree, given how many rows there are to learn from."""
        if self.leaves is not None:
            return self.leaves
        return next((leaves for most, leaves in ((20_000, 8), (100_000, 16)) if rows < most), 31)

    @property
    def workers(self) -> int:
        """Boosters that grow at the same time, each on one thread: they need not wait for each other in a tree."""
        return min(self.boosters, self.threads or os.cpu_count() or 1)

    @property
    def folds_left_out(self) -> int:
        """Folds each booster does not see: two, so that two boosters can score every customer unseen."""
        return 2 if self.boosters >= 4 else 1


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """What the trees need to know of a column."""

    name: str
    is_category: bool
    monotone: Literal[-1, 0, 1]


@dataclass(frozen=True, slots=True)
class Bag:
    """Fitted boosters as text.

    Args:
        texts: One LightGBM model a booster, without the parameters that name the machine.
        held_out: Folds of customers each booster did not see.
        trees: How many trees each kept.
        seen_loss: Mean log loss on the boosters' own rows after each tree, shape (grown,).
        unseen_loss: The same on the customers they did not see; its minimum chose `trees`.
        gain: Share of the total gain of each column, shape (columns,).
    """

    texts: tuple[str, ...]
    held_out: tuple[frozenset[int], ...]
    trees: int
    seen_loss: Floats
    unseen_loss: Floats
    gain: Floats

    def unseen(self, fold: Int64s) -> Flags:
        """Which boosters have not seen each row's customer, shape (n, boosters)."""
        return np.stack([np.isin(fold, sorted(folds)) for folds in self.held_out], axis=1)


def fit_bag(
    matrix: Matrix,
    y: Floats,
    fold: Int64s,
    columns: Sequence[ColumnShape],
    settings: TreeSettings,
    *,
    trees: int | None = None,
    progress: Progress | None = None,
) -> Bag:
    """Grow all boosters tree by tree until customers they did not see stop gaining.

    Booster k leaves out folds k and k + 1, so each is fitted on three fifths of the customers (of five) and every
    customer is unseen by two boosters. Growing in step means that one number of trees is chosen for all, on all
    rows at once; it costs no extra fit.

    Args:
        matrix: Shape (n, columns), NaN for not known, categories as codes.
        y: 1 approved, 0 not, shape (n,).
        fold: Customer fold of each row, shape (n,).
        trees: Grow exactly this many instead of choosing.
    """
    whole = lgb.Dataset(
        matrix,
        label=y,
        feature_name=[column.name for column in columns],
        categorical_feature=[i for i, column in enumerate(columns) if column.is_category],
        params=_parameters(columns, settings, 0, len(y)),
        free_raw_data=True,
    ).construct()
    del matrix  # four times as large as the bins that stand for it now
    held_out = _held_out(settings)
    boosters = [_start(whole, fold, folds, columns, settings, k) for k, folds in enumerate(held_out)]
    losses = _grow(boosters, settings, trees, progress)
    kept = trees or int(np.argmin(losses[:, 1])) + 1
    return Bag(
        texts=tuple(_text(booster, kept) for booster in boosters),
        held_out=held_out,
        trees=kept,
        seen_loss=losses[:, 0],
        unseen_loss=losses[:, 1],
        gain=_gain_shares(boosters, kept),
    )


def _quiet() -> None:
    """Silence LightGBM in the calling thread; its verbosity is kept per thread and set by whatever is made there."""
    lgb.Dataset(np.zeros((2, 1)), params={"verbosity": -1}).construct()


def _held_out(settings: TreeSettings) -> tuple[frozenset[int], ...]:
    number = settings.boosters
    return tuple(frozenset((k + step) % number for step in range(settings.folds_left_out)) for k in range(number))


def _parameters(columns: Sequence[ColumnShape], settings: TreeSettings, booster: int, rows: int) -> dict[str, object]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "num_leaves": settings.leaves_for(rows),
        "learning_rate": settings.learning_rate,
        "min_data_in_leaf": settings.min_rows_in_leaf,
        "lambda_l2": settings.l2,
        "feature_fraction": settings.column_share,
        "monotone_constraints": [column.monotone for column in columns],
        "monotone_constraints_method": "intermediate",
        # Categories are reordered by their rates in a leaf; few rows a category would learn noise.
        "cat_smooth": settings.cat_smooth,
        "min_data_per_group": 50,
        "seed": settings.seed + booster,
        "num_threads": 1,
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }


def _start(
    whole: lgb.Dataset,
    fold: Int64s,
    held_out: frozenset[int],
    columns: Sequence[ColumnShape],
    settings: TreeSettings,
    number: int,
) -> lgb.Booster:
    unseen = np.isin(fold, sorted(held_out))
    parameters = _parameters(columns, settings, number, len(fold))
    booster = lgb.Booster(parameters, _subset(whole, ~unseen, parameters))
    if unseen.any():
        booster.add_valid(_subset(whole, unseen, parameters), "unseen")
    return booster


def _subset(whole: lgb.Dataset, rows: Flags, parameters: dict[str, object]) -> lgb.Dataset:
    """The binned rows, copied by an array of positions that is let go of: no Python object a row."""
    taken = whole.subset([], parameters)
    taken.used_indices = np.flatnonzero(rows).astype(np.int32)  # type: ignore[assignment] # read as it is, sorted
    taken.construct()
    taken.used_indices = None
    return taken


def _grow(
    boosters: Sequence[lgb.Booster], settings: TreeSettings, trees: int | None, progress: Progress | None
) -> Floats:
    """Mean losses (seen, unseen) after each tree, shape (grown, 2)."""
    total = trees or settings.max_trees
    losses: list[tuple[float, float]] = []
    with ThreadPoolExecutor(settings.workers, initializer=_quiet) as pool:
        for done in range(1, total + 1):
            both = np.array(list(pool.map(_grow_one, boosters)))
            losses.append((float(both[:, 0].mean()), float(np.nanmean(both[:, 1]))))
            if progress is not None:
                progress(done, total)
            best = int(np.argmin([unseen for _, unseen in losses]))
            if trees is None and done - 1 - best >= settings.patience:
                break
    return np.array(losses)


def _grow_one(booster: lgb.Booster) -> tuple[float, float]:
    """Add one tree; the losses on the rows it is fitted on and on the others."""
    booster.update()
    unseen = [result[2] for result in booster.eval_valid()]
    return float(booster.eval_train()[0][2]), float(unseen[0]) if unseen else float("nan")


def _text(booster: lgb.Booster, trees: int) -> str:
    """The model text up to its parameters, which name threads and paths of this machine and are not needed to score."""
    return str(booster.model_to_string(num_iteration=trees)).split("\nparameters:", maxsplit=1)[0] + "\n"


def _gain_shares(boosters: Sequence[lgb.Booster], trees: int) -> Floats:
    gains = np.mean([booster.feature_importance("gain", iteration=trees) for booster in boosters], axis=0)
    return np.asarray(gains / max(float(gains.sum()), 1e-12), dtype=np.float64)

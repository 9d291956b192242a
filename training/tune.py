"""Chooses tree settings with Optuna on forward folds: the plan's value first, log loss second.

A trial is fitted fold by fold, and given up when its mean log loss falls behind the median of the trials before it:
that is cheap to know. Only a trial that got through is asked what its policy is worth, which ranks it
(docs/decisions/0100-tuning-by-the-plan.md). The study lives in a journal file, so that the same name goes on where it
stopped.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import optuna
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from features.errors import InputError
from training.fit import TreeSettings
from training.forward import Fitted, Objective
from training.parameters import Parameters
from training.plan_value import standard_error
from training.policy_value import PolicyValue

LOG_LOSS: Objective = "log loss"
_PARTS = "parts"
_WARM_TRIALS = 3  # finished whole before any other may be given up

Told = Callable[[FrozenTrial], None]


class Judging(Protocol):
    """What judges settings, fold by fold; `training.forward.ForwardFolds` is one."""

    @property
    def digest(self) -> str:
        """Which history it judges on."""
        ...

    @property
    def objective(self) -> Objective:
        """What it can rank settings by."""
        ...

    @property
    def rows(self) -> int:
        """How many rows the last fold learns from, which has the longest past."""
        ...

    def __len__(self) -> int:
        """How many folds there are."""
        ...

    def fit(self, number: int, settings: TreeSettings) -> Fitted:
        """Trees of these settings on one fold, and their log loss."""
        ...

    def value(self, number: int, fitted: Fitted, threads: int) -> PolicyValue | None:
        """What a policy built on those trees is worth; None where nothing can tell."""
        ...


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a study found.

    Args:
        study: With every trial of this and earlier runs.
        objective: What ranked the trials.
        best: The trial whose parameters are taken.
        parameters: The same as parameters of training.
    """

    study: optuna.Study
    objective: str
    best: FrozenTrial
    parameters: Parameters


def open_study(name: str, folder: Path, folds: Judging, seed: int) -> optuna.Study:
    """The study of that name, made or taken up again.

    Raises:
        InputError: A study of that name was made of another history or number of folds, or with another objective.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    folder.mkdir(parents=True, exist_ok=True)
    storage = optuna.storages.JournalStorage(JournalFileBackend(str(folder / f"{name}.journal")))
    study = optuna.create_study(
        study_name=name, storage=storage, direction="maximize", load_if_exists=True, pruner=_pruner()
    )
    # Another seed after each stop: with the same one the sampler would propose its first trials again.
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=8, seed=seed + len(study.trials))
    about = {
        "history": folds.digest,
        "folds": len(folds),
        "objective": folds.objective,
    }
    for key, value in about.items():
        if study.user_attrs.setdefault(key, value) != value:
            raise InputError(
                f"--study {name}: was made with {key} {study.user_attrs[key]}, not {value}; give another name"
            )
        study.set_user_attr(key, value)
    return study


def tune(
    study: optuna.Study, folds: Judging, base: TreeSettings, trials: int, told: Told, *, seconds: float | None = None
) -> Tuned:
    """Run so many trials more and take the best of all.

    Args:
        base: Settings that are not tuned.
        told: Called with every trial that ended.
        seconds: Begin no trial after so long; None for no such bound.

    Raises:
        InputError: No trial was judged whole.
    """
    if not study.trials:
        study.enqueue_trial(_defaults(base, folds.rows))
    study.optimize(
        lambda trial: _judged(trial, folds, base),
        n_trials=trials,
        timeout=seconds,
        callbacks=[lambda _study, trial: told(trial)],
    )
    best = best_of(study)
    return Tuned(study, str(study.user_attrs["objective"]), best, Parameters.of(best.params))


def best_of(study: optuna.Study) -> FrozenTrial:
    """Of the trials that cannot be told from the one of largest worth, the one of least log loss.

    Told apart is what differs by more than one standard error: of the paired difference by customer where all trials
    met the same customers with the same luck, else of the largest worth itself.

    Raises:
        InputError: No trial was judged whole.
    """
    whole = [trial for trial in study.trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    if not whole:
        raise InputError(f"--study {study.study_name}: no trial was judged on every fold; ask for more with --trials")
    top = max(whole, key=_value)
    near = [trial for trial in whole if _value(trial) >= _value(top) - doubt(top, trial)]
    return min(near, key=lambda trial: float(trial.user_attrs["log_loss"]))


def doubt(top: FrozenTrial, other: FrozenTrial) -> float:
    """One standard error of how much more the top trial is worth than another."""
    ours, theirs = top.user_attrs.get(_PARTS, []), other.user_attrs.get(_PARTS, [])
    if ours and len(ours) == len(theirs):
        return standard_error(np.array(ours) - np.array(theirs))
    return float(top.user_attrs["standard_error"])


def _judged(trial: optuna.Trial, folds: Judging, base: TreeSettings) -> float:
    settings = _suggested(trial).applied_to(base)
    fitted: list[Fitted] = []
    loss = float("inf")
    for number in range(len(folds)):
        fitted.append(folds.fit(number, settings))
        loss = float(np.mean([one.log_loss for one in fitted]))
        trial.set_user_attr("log_loss", loss)
        trial.set_user_attr("trees", [one.bag.trees for one in fitted])
        trial.report(-loss, number)
        if trial.should_prune():
            raise optuna.TrialPruned
    if folds.objective == LOG_LOSS:
        trial.set_user_attr("standard_error", 0.0)
        return -loss
    return _worth(trial, [folds.value(number, one, base.threads) for number, one in enumerate(fitted)])


def _worth(trial: optuna.Trial, values: Sequence[PolicyValue | None]) -> float:
    """The mean value over the folds, which are apart in time; a fold that cannot tell is worth nothing."""
    told = [value for value in values if value is not None]
    worth = float(sum(value.value for value in told)) / len(values)
    trial.set_user_attr("policy_value", worth)
    trial.set_user_attr("standard_error", float(np.sqrt(sum(v.standard_error**2 for v in told))) / len(values))
    trial.set_user_attr(_PARTS, [part / len(values) for value in told for part in value.parts])
    return worth


def _suggested(trial: optuna.Trial) -> Parameters:
    return Parameters(
        leaves=trial.suggest_int("leaves", 4, 64, log=True),
        learning_rate=trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 10, 500, log=True),
        l2=trial.suggest_float("l2", 0.1, 100.0, log=True),
        column_share=trial.suggest_float("column_share", 0.3, 1.0),
        cat_smooth=trial.suggest_float("cat_smooth", 1.0, 200.0, log=True),
    )


def _defaults(base: TreeSettings, rows: int) -> dict[str, float]:
    """What training on so many rows would do untuned, as the first trial: the winner is never worse than that on these
    folds."""
    return {
        "leaves": base.leaves_for(rows),
        "learning_rate": base.learning_rate,
        "min_rows_in_leaf": base.min_rows_in_leaf,
        "l2": base.l2,
        "column_share": base.column_share,
        "cat_smooth": base.cat_smooth,
    }


def _pruner() -> optuna.pruners.BasePruner:
    return optuna.pruners.MedianPruner(n_startup_trials=_WARM_TRIALS, n_warmup_steps=0)


def _value(trial: FrozenTrial) -> float:
    return float("-inf") if trial.value is None else float(trial.value)

"""Chooses tree settings with Optuna on forward folds: policy value first, log loss second.

A trial is judged fold by fold, and given up when its running mean falls behind the median of the trials before it. The
study lives in a journal file, so that the same name goes on where it stopped. What a trial is worth is one small
function, `worth`; whoever can value a policy better replaces that (docs/decisions/0057-tuning.md).
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
from training.forward import Score
from training.parameters import Parameters

POLICY, LOG_LOSS = "policy value", "log loss"
_WARM_TRIALS = 3  # finished whole before any other may be given up

Told = Callable[[FrozenTrial], None]


class Judging(Protocol):
    """What judges settings, fold by fold; `training.forward.ForwardFolds` is one."""

    @property
    def digest(self) -> str:
        """Which history it judges on."""
        ...

    @property
    def has_policy(self) -> bool:
        """Whether it can value a policy on every fold."""
        ...

    def __len__(self) -> int:
        """How many folds there are."""
        ...

    def score(self, number: int, settings: TreeSettings) -> Score:
        """How good settings are on one fold."""
        ...


@dataclass(frozen=True, slots=True)
class Tuned:
    """What a study found.

    Args:
        study: With every trial of this and earlier runs.
        objective: `policy value` or `log loss`.
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
        "objective": POLICY if folds.has_policy else LOG_LOSS,
    }
    for key, value in about.items():
        if study.user_attrs.setdefault(key, value) != value:
            raise InputError(
                f"--study {name}: was made with {key} {study.user_attrs[key]}, not {value}; give another name"
            )
        study.set_user_attr(key, value)
    return study


def tune(study: optuna.Study, folds: Judging, base: TreeSettings, trials: int, told: Told) -> Tuned:
    """Run so many trials more and take the best of all.

    Args:
        base: Settings that are not tuned.
        told: Called with every trial that ended.

    Raises:
        InputError: No trial was judged whole.
    """
    if not study.trials:
        study.enqueue_trial(_defaults(base))
    study.optimize(
        lambda trial: _judged(trial, folds, base), n_trials=trials, callbacks=[lambda _study, trial: told(trial)]
    )
    best = best_of(study)
    return Tuned(study, str(study.user_attrs["objective"]), best, Parameters.of(best.params))


def worth(scores: Sequence[Score], objective: str) -> float:
    """What settings are worth after some folds: the larger the better."""
    if objective == LOG_LOSS:
        return -float(np.mean([score.log_loss for score in scores]))
    return float(np.mean([0.0 if score.policy is None else score.policy.value for score in scores]))


def best_of(study: optuna.Study) -> FrozenTrial:
    """Of the trials within a standard error of the largest worth, the one of least log loss.

    A policy value out of a log is noisy; what it cannot tell apart, log loss may.

    Raises:
        InputError: No trial was judged whole.
    """
    whole = [trial for trial in study.trials if trial.state == TrialState.COMPLETE and trial.value is not None]
    if not whole:
        raise InputError(f"--study {study.study_name}: no trial was judged on every fold; ask for more with --trials")
    top = max(whole, key=_value)
    near = _value(top) - float(top.user_attrs["standard_error"])
    return min(
        (trial for trial in whole if _value(trial) >= near), key=lambda trial: float(trial.user_attrs["log_loss"])
    )


def _judged(trial: optuna.Trial, folds: Judging, base: TreeSettings) -> float:
    settings = _suggested(trial).applied_to(base)
    objective = str(trial.study.user_attrs["objective"])
    scores: list[Score] = []
    for number in range(len(folds)):
        scores.append(folds.score(number, settings))
        _remember(trial, scores)
        trial.report(worth(scores, objective), number)
        if trial.should_prune():
            raise optuna.TrialPruned
    return worth(scores, objective)


def _remember(trial: optuna.Trial, scores: Sequence[Score]) -> None:
    """Both figures of the trial so far, and the standard error of its policy value (folds are apart in time)."""
    errors = [score.policy.standard_error for score in scores if score.policy is not None]
    trial.set_user_attr("log_loss", float(np.mean([score.log_loss for score in scores])))
    trial.set_user_attr("trees", [score.trees for score in scores])
    trial.set_user_attr("standard_error", float(np.sqrt(np.sum(np.square(errors)))) / len(scores))
    if errors:
        trial.set_user_attr("policy_value", worth(scores, POLICY))


def _suggested(trial: optuna.Trial) -> Parameters:
    return Parameters(
        leaves=trial.suggest_int("leaves", 4, 64, log=True),
        learning_rate=trial.suggest_float("learning_rate", 0.02, 0.2, log=True),
        min_rows_in_leaf=trial.suggest_int("min_rows_in_leaf", 10, 500, log=True),
        l2=trial.suggest_float("l2", 0.1, 100.0, log=True),
        column_share=trial.suggest_float("column_share", 0.3, 1.0),
        cat_smooth=trial.suggest_float("cat_smooth", 1.0, 200.0, log=True),
    )


def _defaults(base: TreeSettings) -> dict[str, float]:
    """What training would do untuned, as the first trial: the winner is never worse than that on these folds."""
    return {
        "leaves": base.leaves_for(100_000),
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

"""`recoup tune`: tree settings for a history, chosen on forward folds, resumable under a name."""

import os
import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError, InvalidValueError

if TYPE_CHECKING:
    from optuna.trial import FrozenTrial

    from training.config import TrainingConfig
    from training.plan_value import Stage
    from training.tune import Tuned

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def tune(
    history: Annotated[
        Path, typer.Option(metavar="HISTORY.parquet", help="What `recoup import` or `recoup simulate` wrote.")
    ],
    study: Annotated[
        str, typer.Option(metavar="NAME", help="A study of that name goes on where it stopped.")
    ] = "trees",
    trials: Annotated[int, typer.Option(help="So many trials more.")] = 25,
    folds: Annotated[int, typer.Option(help="Windows that follow each other, each judged by what came before.")] = 3,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Where the best parameters go; default: beside the study.")
    ] = None,
    test_days: Annotated[
        int | None, typer.Option(metavar="DAYS", help="Length of the last window, which is not looked at.")
    ] = None,
    world: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER_OR_CSV", help="Rank by the plan's value, played there on the history's payments."),
    ] = None,
    payments: Annotated[int, typer.Option(help="Failed payments played in a window, with --world.")] = 100,
    max_retries: Annotated[int, typer.Option(help="Most retries of a payment, with --world.")] = 4,
    horizon_days: Annotated[int, typer.Option(help="Days in which they are made, with --world.")] = 30,
    minutes: Annotated[
        float | None, typer.Option(metavar="MINUTES", help="Begin no trial after so long; default: no bound.")
    ] = None,
    trees: Annotated[int, typer.Option(help="Most trees a booster may have.")] = 600,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 17,
    threads: Annotated[int, typer.Option(help="Cores to use; 0 for all.")] = 0,
) -> None:
    """Choose tree settings for a history and write them for `recoup train --parameters`.

    Settings are judged on windows before the test window, by customers the trees have not seen: with --world by what
    the plan is worth when it is played there; without, by the value of a choice of time where the history's
    propensities support an estimate; and by log loss, which also gives up hopeless trials early. Stop it at any time;
    the same --study goes on. Runs go to MLflow, one a trial under one a study.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    if not _NAME.fullmatch(study):
        raise InvalidValueError("--study", study, "letters, digits, dots, dashes and underscores")
    for option, value, most in (
        ("--trials", trials, 10_000),
        ("--folds", folds, 12),
        ("--payments", payments, 100_000),
        ("--max-retries", max_retries, 30),
        ("--horizon-days", horizon_days, 60),
    ):
        if not 1 <= value <= most:
            raise InvalidValueError(option, value, f"a whole number from 1 to {most}")
    if minutes is not None and not minutes > 0:
        raise InvalidValueError("--minutes", minutes, "a number above 0")
    if find_spec("optuna") is None:
        raise InputError("recoup tune needs Optuna 5, which is not installed here: .venv/bin/pip install 'optuna>=5'")
    from serving.evaluation import stage_of
    from serving.settings import settings_from
    from training.config import TrainingConfig
    from training.fit import TreeSettings

    config = TrainingConfig(
        history=history,
        test_days=test_days,
        trees=TreeSettings(max_trees=trees, seed=seed, threads=threads),
        seed=seed,
    )
    settings = settings_from(os.environ)
    stage = None if world is None else stage_of(world, history, settings, payments, max_retries, horizon_days)
    folder, seconds = settings.home / "studies", None if minutes is None else 60.0 * minutes
    _run(config, stage, study, folder, trials, folds, seconds, out or folder / f"{study}.toml")


def _run(
    config: "TrainingConfig",
    stage: "Stage | None",
    name: str,
    folder: Path,
    trials: int,
    folds: int,
    seconds: float | None,
    out: Path,
) -> None:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from serving.cli.train import tracking_here
    from training.forward import forward_folds
    from training.parameters import write_parameters
    from training.tune import open_study
    from training.tune import tune as run
    from training.tune_log import StudyLog

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("reading and cutting", total=trials)
        cut = forward_folds(config, folds, stage)
        study = open_study(name, folder, cut, config.seed)
        typer.echo(_told_objective(str(study.user_attrs["objective"]), len(study.trials)))
        log = StudyLog.of(study, tracking_here())

        def told(trial: "FrozenTrial") -> None:
            log.trial(trial)
            bar.update(task, advance=1, description=f"trial {trial.number} {trial.state.name.lower()}")

        tuned = run(study, cut, config.trees, trials, told, seconds=seconds)
    write_parameters(tuned.parameters, out, _remarks(tuned))
    log.end(tuned, out.read_text(encoding="utf-8"))
    _print(tuned, out)


def _told_objective(objective: str, before: int) -> str:
    reason = {
        "plan value": "the plan is played on the failed payments of each window; log loss decides among equals",
        "policy value": "the history's propensities support an estimate; log loss decides among equals",
        "log loss": "the history states no propensities small enough to value a policy by",
    }[objective]
    again = f" The study goes on after {before} trials." if before else ""
    return f"Judged by {objective}: {reason}.{again}"


def _remarks(tuned: "Tuned") -> tuple[str, ...]:
    return (
        f"Found by recoup tune: study {tuned.study.study_name}, best of {len(tuned.study.trials)} trials,",
        f"judged by {tuned.objective} on forward folds of the history {str(tuned.study.user_attrs['history'])[:12]}.",
    )


def _print(tuned: "Tuned", out: Path) -> None:
    from training.tune import doubt

    states = [trial.state.name for trial in tuned.study.trials]
    best, default = tuned.best.user_attrs, tuned.study.trials[0].user_attrs
    typer.echo(f"{states.count('COMPLETE')} trials judged whole, {states.count('PRUNED')} given up early.")
    for name in ("policy_value", "log_loss"):
        if name in best:
            label = tuned.objective if name == "policy_value" else "log loss"
            typer.echo(
                f"{label}: {best[name]:.4f} with trial {tuned.best.number}, {default[name]:.4f} with the defaults"
            )
    if "policy_value" in best:
        gain = best["policy_value"] - default["policy_value"]
        error = doubt(tuned.best, tuned.study.trials[0])
        typer.echo(f"That is {gain:+.4f} (one standard error: {error:.4f}).")
    typer.echo(f"Parameters: {out}; recoup train --parameters {out}")

"""`recoup train`: from an attempt history to a judged, registered model."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.progress import told_progress

if TYPE_CHECKING:
    from training.config import TrainingConfig
    from training.pipeline import TrainingResult
    from training.register import Logged
    from training.tracking import Tracking

EXIT_GATE = 3


def train(
    history: Annotated[
        Path, typer.Option(metavar="HISTORY.parquet", help="What `recoup import` or `recoup simulate` wrote.")
    ],
    test_days: Annotated[
        int | None,
        typer.Option(metavar="DAYS", help="Length of the last window, which judges; default: about a fifth."),
    ] = None,
    calibrate_days: Annotated[
        int | None, typer.Option(metavar="DAYS", help="Length of the window before it; default: about a fifth.")
    ] = None,
    first_attempts: Annotated[
        bool, typer.Option("--first-attempts", help="Learn from first attempts too, not only from retries.")
    ] = False,
    trees: Annotated[int, typer.Option(help="Most trees a booster may have.")] = 600,
    leaves: Annotated[int | None, typer.Option(help="Leaves a tree; default: by the number of rows.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Weight of each tree; default: 0.05.")] = None,
    parameters: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="What `recoup tune` wrote; options given here overrule it."),
    ] = None,
    boosters: Annotated[int, typer.Option(help="Boosters in the bag, and customer folds.")] = 5,
    seed: Annotated[int, typer.Option(help="Of every draw; the same seed and history give the same model.")] = 17,
    threads: Annotated[int, typer.Option(help="Cores to use; 0 for all. Never changes the result.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Write the model there too, whatever the gate says.")
    ] = None,
    no_register: Annotated[
        bool, typer.Option("--no-register", help="Keep the run in MLflow, but register no model.")
    ] = False,
) -> None:
    """Train a model on a history, judge it against baselines, and register it if it passes.

    The run goes to MLflow: a database under .recoup (RECOUP_HOME), or MLFLOW_TRACKING_URI. Exit codes: 0 passed the
    gate, 2 refused input, 3 refused by the gate (the run is kept, nothing is registered).
    """
    # Read when OpenMP is loaded: threads that wait should sleep, not spin against other work on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from serving.cli.train_tables import print_end, print_result
    from training.config import TrainingConfig
    from training.fit import TreeSettings
    from training.parameters import Parameters, read_parameters

    base = TreeSettings(boosters=boosters, max_trees=trees, seed=seed, threads=threads)
    tuned = Parameters() if parameters is None else read_parameters(parameters)
    config = TrainingConfig(
        history=history,
        first_attempts=first_attempts,
        test_days=test_days,
        calibrate_days=calibrate_days,
        trees=Parameters(leaves=leaves, learning_rate=learning_rate).applied_to(tuned.applied_to(base)),
        seed=seed,
    )
    result = _trained(config)
    print_result(result)
    if out is not None:
        from model.artifact import write_artifact

        write_artifact(result.artifact, out)
    print_end(result, _logged(result, register=not no_register), out)
    if not result.verdict.passed:
        raise typer.Exit(EXIT_GATE)


def _trained(config: "TrainingConfig") -> "TrainingResult":
    with told_progress() as tell:
        from training.pipeline import train as run

        return run(config, tell)


def _logged(result: "TrainingResult", *, register: bool) -> "Logged":
    with told_progress() as tell:
        tell("writing to MLflow", 0, 1)
        from training.register import log_run

        return log_run(result, tracking_here(), register=register)


def tracking_here() -> "Tracking":
    """Where runs go, as the environment says.

    Raises:
        InvalidValueError: A variable holds something it may not hold.
    """
    from serving.settings import MODEL_NAME, settings_from
    from training.tracking import Tracking

    settings = settings_from(os.environ)
    return Tracking(settings.tracking_uri, settings.home / "mlartifacts", MODEL_NAME)

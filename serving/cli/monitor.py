"""`recoup monitor`: has the world moved away from the model that answers?"""

import os
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError, InvalidValueError

if TYPE_CHECKING:
    from model.artifact import Artifact
    from training.monitor import Watched

EXIT_ALARM = 1
_SHOWN = ("log_loss", "ece", "slope", "auc")


def monitor(
    history: Annotated[
        Path, typer.Option(metavar="HISTORY.parquet", help="A history that goes on after the model's own.")
    ],
    model: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="A model's folder; default: the registered champion.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(metavar="YYYY-MM-DD", help="Look at decisions from that day; default: after the test window."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where monitor.json and plots go; default: .recoup/monitor.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the draws behind intervals.")] = 17,
) -> None:
    """Compare columns, scores and outcomes since training with what the model was judged on.

    Only final outcomes count. Every alarm is a sentence with its threshold and where that comes from. The run goes to
    MLflow. Exit codes: 0 no alarm, 1 alarms, 2 refused input.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from serving.cli.train import tracking_here
    from serving.settings import settings_from
    from training.config import TrainingConfig
    from training.monitor import watch
    from training.monitor_log import log_watch, write_files

    settings = settings_from(os.environ)
    start = None if since is None else _start_of(since)
    found = watch(_artifact(model), TrainingConfig(history, seed=seed), start)
    folder = out or settings.home / "monitor"
    write_files(found, folder)
    run = log_watch(found, tracking_here())
    _print(found)
    typer.echo(f"{folder / 'monitor.json'}, plots beside it; MLflow run {run}.")
    if found.alarms:
        raise typer.Exit(EXIT_ALARM)


def _artifact(folder: Path | None) -> "Artifact":
    from model.artifact import read_artifact
    from serving.registry import champion_of
    from serving.settings import settings_from

    if folder is not None:
        return read_artifact(folder)
    champion = champion_of(settings_from(os.environ))
    if isinstance(champion, str):
        raise InputError(f"there is no model to watch: {champion}; name a folder with --model")
    return read_artifact(champion.folder)


def _start_of(text: str) -> int:
    """The microsecond before the day begins (UTC): decisions after it are looked at."""
    from features.calendars import to_day
    from features.instants import MICROS_PER_DAY

    try:
        return to_day(date.fromisoformat(text)) * MICROS_PER_DAY - 1
    except ValueError:
        raise InvalidValueError("--since", text, "a day, such as 2026-06-01") from None


def _print(found: "Watched") -> None:
    from training.monitor import MIN_ROWS

    typer.echo(
        f"Model {found.model_version}: {found.rows:,} retries with final outcomes decided from {found.since[:10]} to "
        f"{found.until[:10]}."
    )
    for name in _SHOWN:
        if name in found.figures:
            figure = found.figures[name]
            typer.echo(f"  {name.replace('_', ' ')}: {figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})")
    moved = ", ".join(f"{drift.name} {drift.index:.2f}" for drift in found.columns[:3])
    typer.echo(f"  most moved columns (population stability index): {moved}")
    if found.rows < MIN_ROWS:
        typer.echo(f"Too few to judge by: at least {MIN_ROWS} are asked for.")
    elif not found.alarms:
        typer.echo("No alarm.")
    for alarm in found.alarms:
        typer.echo(f"ALARM {alarm}.")

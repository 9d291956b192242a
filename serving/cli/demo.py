"""`recoup demo`: from nothing to five explained decisions over HTTP, on simulated data, in a few minutes."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from serving.settings import Settings

# Eighteen months from here end shortly before the failures that are put to the service.
_START = "2025-05-01"


def demo(
    attempts: Annotated[int, typer.Option(help="Size of the simulated history.", min=20_000, max=10_000_000)] = 80_000,
    seed: Annotated[int, typer.Option(help="Of the simulated world.", min=0)] = 7,
    fresh: Annotated[bool, typer.Option("--fresh", help="Make everything again.")] = False,
) -> None:
    """Simulate, train, register, serve, and ask for decisions on five telling failures."""
    import os
    import shutil

    from serving.demo.stages import environment
    from serving.rendering import console as new_console
    from serving.settings import settings_from

    home = settings_from(os.environ).home / "demo"
    if fresh:
        shutil.rmtree(home, ignore_errors=True)
    home.mkdir(parents=True, exist_ok=True)
    console = new_console()
    console.print("[bold]Recoup demo[/bold]  All data here is simulated; no figure below is about a real customer.")
    _prepare(console, home, attempts, seed)
    _decide(console, settings_from(environment(home)))
    _farewell(console, home)


def _prepare(console: "Console", home: Path, attempts: int, seed: int) -> None:
    """Make history and model, or keep those of an earlier run of the same code."""
    from serving.demo.stages import Stage, forget_models, is_kept, run

    world = home / "world"
    simulate = Stage(
        "simulate",
        ("simulate", "--out", str(world), "--attempts", str(attempts), "--seed", str(seed), "--start", _START),
        ("experiments", "features"),
    )
    history = str(world / "history.parquet")
    train = Stage("train", ("train", "--history", history), ("features", "model", "training"), (simulate,))
    for stage in (simulate, train):
        if is_kept(stage, home):
            console.print(f"[dim]kept from an earlier run: recoup {' '.join(stage.arguments)}[/dim]", soft_wrap=True)
        else:
            console.print(f"\n[bold]$ recoup {' '.join(stage.arguments)}[/bold]", soft_wrap=True)
            if stage is train:
                forget_models(home)
            run(stage, home)


def _decide(console: "Console", settings: "Settings") -> None:
    """Ask a running service for the five decisions and set the fixed schedule beside each."""
    from datetime import UTC, datetime

    from model.artifact import read_artifact
    from model.policies import FIXED_1_3_5_7
    from serving.contexts import context_of
    from serving.demo.running import ask, running_service
    from serving.demo.schedule import steps
    from serving.demo.telling import quality, told
    from serving.examples import EXAMPLES
    from serving.requests import parse_request
    from serving.service import load_service

    own = load_service(settings)
    with running_service(settings.home) as client:
        console.print(f"\nThe service answers at {client.base_url}; five failures are put to it over HTTP.")
        for number, example in enumerate(EXAMPLES, start=1):
            context = context_of(parse_request(example.body), datetime.now(UTC))
            answer = ask(client, example.body)
            console.print(told(number, example, answer, steps(FIXED_1_3_5_7, context, own)))
        answering = client.get("/v1/models").json()
    folder = own.answering.folder
    if folder is None:
        console.print(f"\n[bold]Answered by[/bold] the shipped prior: {answering['refused']}", soft_wrap=True)
        return
    version, number = answering["version"], answering["registered_version"]
    console.print(f"\n[bold]Answered by[/bold] model {version}, {answering['asked']}, registered version {number}.")
    console.print(quality(read_artifact(folder).card))


def _farewell(console: "Console", home: Path) -> None:
    console.print(
        f"\nLook around:  [bold]RECOUP_HOME={home} .venv/bin/recoup serve --with-mlflow[/bold]\n"
        "  http://127.0.0.1:5000        runs, plots, model card and registry in MLflow\n"
        "  http://127.0.0.1:8080/docs   the HTTP interface\n"
        "Your own data:  .venv/bin/recoup import --help, then .venv/bin/recoup train --help",
        soft_wrap=True,
    )

"""`recoup promote`, `recoup rollback` and `recoup status`: which registered model answers, and why."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from training.gate import GateVerdict
    from training.life import Registered, Status

EXIT_GATE = 3
_FIGURES = ("log_loss", "auc", "ece", "slope")
_EVENTS_SHOWN = 10


def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="Number of the registered version.")],
    evaluation: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="JSON report of an evaluation of its policy against the champion's."),
    ] = None,
) -> None:
    """Make a registered model the champion, if its policy is worth it.

    Asked for: net value above the champion and above the best baseline with the 95 % interval above zero, calibration
    slope within 0.9 to 1.1, no market or decline category worse than a point, no attempt that a cap forbids. Without a
    champion the model's own gate decides. Exit codes: 0 promoted, 2 refused input, 3 refused by the gate.
    """
    from serving.cli.train import tracking_here
    from training.evidence import read_evidence
    from training.life import registry

    evidence = None if evaluation is None else read_evidence(evaluation)
    verdict = registry(tracking_here()).promote(version, evidence)
    console = _console()
    _print_verdict(console, verdict)
    if not verdict.passed:
        console.print(f"Version {version} stays as it is; the champion goes on answering.")
        raise typer.Exit(EXIT_GATE)
    console.print(f"Version {version} is the champion. A running service takes it up within seconds.")


def rollback() -> None:
    """Make the previous champion the champion again."""
    from serving.cli.train import tracking_here
    from training.life import registry

    down, back = registry(tracking_here()).rollback()
    _console().print(f"Version {down} stepped down; version {back} is the champion again.")


def status() -> None:
    """Show champion and challenger with their figures, since when, and what happened last."""
    from serving.cli.train import tracking_here
    from training.life import registry

    _print_status(_console(), registry(tracking_here()).status())


def _print_verdict(console: "Console", verdict: "GateVerdict") -> None:
    console.print(f"Promotion: [bold]{'[green]granted' if verdict.passed else '[red]refused'}[/]")
    for check in verdict.checks:
        mark = "[green]✔[/green]" if check.passed else "[red]✘[/red]"
        console.print(f"  {mark} {check.sentence}", soft_wrap=True)


def _print_status(console: "Console", status: "Status") -> None:
    if status.champion is None:
        console.print("No champion: the shipped prior answers.")
    else:
        since = "" if status.champion_since is None else f", since {status.champion_since:%Y-%m-%d %H:%M} UTC"
        _print_version(console, f"Champion{since}", status.champion)
    if status.challenger is None:
        console.print("No challenger waits.")
    else:
        _print_version(console, "Challenger", status.challenger)
    for event in status.events[-_EVENTS_SHOWN:]:
        reasons = f": {'; '.join(event.reasons)}" if event.reasons else ""
        console.print(f"  {event.at:%Y-%m-%d %H:%M}  version {event.version} {event.what}{reasons}", soft_wrap=True)


def _print_version(console: "Console", title: str, registered: "Registered") -> None:
    console.print(
        f"[bold]{title}[/bold]: version {registered.number}, model {registered.model_version}", soft_wrap=True
    )
    figures = registered.figures
    told = [
        f"{name.replace('_', ' ')} {figures[name]:.3f} ({figures[f'{name}_low']:.3f} to {figures[f'{name}_high']:.3f})"
        for name in _FIGURES
        if name in figures
    ]
    gate = "passed" if registered.passed_gate else "not passed"
    console.print(f"  gate {gate}; {'; '.join(told) or 'no figures'}", soft_wrap=True)


def _console() -> "Console":
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=120, highlight=False)

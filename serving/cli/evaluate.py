"""`recoup evaluate`: what policies recover and what they are worth, in a world or read off a log."""

import os
from enum import StrEnum
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.progress import told_progress

if TYPE_CHECKING:
    from training.trial.document import Report
    from training.trial.runs import Terms


class Limits(StrEnum):
    """Which rules retries are held against."""

    SHIPPED = "shipped"
    NONE = "none"


def evaluate(
    history: Annotated[
        Path | None, typer.Option(metavar="HISTORY.parquet", help="The merchant's log: all that may be learnt from.")
    ] = None,
    world: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER_OR_CSV", help="A simulated world, or a CSV of recorded outcomes by day (with --history)."
        ),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Model artifact; the registered champion by default.")
    ] = None,
    version: Annotated[
        str | None,
        typer.Option(metavar="NUMBER", help="A registered version, played beside the champion; for recoup promote."),
    ] = None,
    crossfit: Annotated[
        int | None,
        typer.Option(metavar="FOLDS", min=2, max=20, help="Train models of its own and judge what each did not see."),
    ] = None,
    windows: Annotated[
        int, typer.Option(min=0, max=12, help="Windows of time for --crossfit; 0 folds customers only.")
    ] = 2,
    routing: Annotated[bool, typer.Option("--routing", help="Judge the choice of the processor alone.")] = False,
    policies: Annotated[
        str | None, typer.Option(metavar="NAME,…", help="Policies to play beside the plan; all by default.")
    ] = None,
    max_retries: Annotated[
        str, typer.Option("--max-retries", metavar="N,…", help="Numbers of retries allowed.")
    ] = "1,2,3,4",
    horizon_days: Annotated[
        int, typer.Option(min=1, max=60, help="Local days after the first failure in which retries count.")
    ] = 30,
    slot_hours: Annotated[
        int, typer.Option(min=1, max=24, help="Width of the cells of time that the log's propensities are of.")
    ] = 3,
    payments: Annotated[
        int | None, typer.Option(min=1, help="Play at most so many failed payments, whole customers, of a world.")
    ] = None,
    economics: Annotated[Path | None, typer.Option(help="TOML file of margins, fees and costs.")] = None,
    limits: Annotated[
        Limits, typer.Option(help="Rules to keep; none only where no scheme's rules hold, as for virtual charges.")
    ] = Limits.SHIPPED,
    resamples: Annotated[
        int, typer.Option(min=100, max=10_000, help="Draws of customers behind every interval.")
    ] = 1_000,
    seed: Annotated[int, typer.Option(help="Of every draw.")] = 17,
    out: Annotated[
        Path | None, typer.Option(metavar="REPORT.html", help="Write the report there, and as JSON beside it.")
    ] = None,
    no_track: Annotated[bool, typer.Option("--no-track", help="Keep no run in MLflow.")] = False,
) -> None:
    """Judge policies: play them in a world (--world), or read their value off a log (--history alone).

    With --crossfit every payment is judged by a model that saw neither its customer nor its time. docs/evaluation.md
    tells how each figure comes about.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    from serving.cli.train import tracking_here
    from serving.evaluation import Asked, evaluated
    from serving.settings import settings_from

    asked = Asked(
        history=history,
        world=world,
        model=model,
        version=version,
        folds=crossfit,
        windows=windows,
        routing=routing,
        slot_hours=slot_hours,
        payments=payments,
    )
    terms = _terms(policies, max_retries, horizon_days, economics, limits, resamples, seed)
    with told_progress() as tell, TemporaryDirectory() as folder:
        report = evaluated(asked, terms, settings_from(os.environ), tell, partial(_artifact, Path(folder)))
    _print(report)
    if out is not None:
        from serving.evaluation import write_report

        typer.echo(f"Report: {write_report(report, out)}")
    if not no_track:
        from training.trial.track import log_report

        run_id = log_report(
            report, tracking_here(), asked.parameters() | {"max_retries": max_retries, "seed": str(seed)}
        )
        typer.echo(f"MLflow run {run_id}.")


def _terms(
    policies: str | None,
    max_retries: str,
    horizon_days: int,
    economics: Path | None,
    limits: Limits,
    resamples: int,
    seed: int,
) -> "Terms":
    from dataclasses import replace

    from model.caps.rulebook import Rulebook
    from serving.merchant_rules import merchant_rulebook
    from serving.service import economics_of
    from serving.settings import settings_from
    from training.trial.lineup import wanted_policies
    from training.trial.runs import Terms

    settings = settings_from(os.environ)
    return Terms(
        rulebook=Rulebook(()) if limits is Limits.NONE else merchant_rulebook(settings),
        economics=economics_of(replace(settings, economics=economics or settings.economics)),
        most=_numbers(max_retries),
        horizon_days=horizon_days,
        wanted=None if policies is None else wanted_policies([name.strip() for name in policies.split(",")]),
        resamples=resamples,
        seed=seed,
    )


def _artifact(folder: Path, version: str) -> Path:
    """The artifact of a registered version, copied into the folder."""
    from serving.cli.train import tracking_here
    from training.life import registry

    return registry(tracking_here()).artifact(version, folder)


def _numbers(text: str) -> tuple[int, ...]:
    from features.errors import InvalidValueError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdigit() and 1 <= int(part) <= 30 for part in parts):
        raise InvalidValueError("--max-retries", text, "whole numbers from 1 to 30, such as 1,2,3,4")
    return tuple(sorted({int(part) for part in parts}))


def _print(report: "Report") -> None:
    typer.echo(f"{report.title}. {report.lead}\n")
    for sentence in report.findings:
        typer.echo(f"  • {sentence}")
    typer.echo("")

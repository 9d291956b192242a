"""`recoup experiment rehearse`: an experiment from start to verdict in a simulated world, against the truth."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError, InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Callable

    from experiments.report import Report
    from experiments.simulator.world import SimulatedWorld
    from serving.rehearsal.in_process import Outcomes
    from serving.rehearsal.playing import Counts
    from serving.rehearsal.rehearsal import Rehearsal
    from serving.settings import Settings

EXIT_DIFFERS = 1
_MONTHS = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What is rehearsed, with whom and where."""

    key: str
    definitions: Path | None
    since: datetime | None
    payments: int | None
    model: Path | None
    out: Path


def rehearse(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A draft of the folder.")],
    definitions: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Folder of definitions; RECOUP_EXPERIMENTS if absent.", show_default=False),
    ] = None,
    world: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="As recoup simulate wrote it; else one is made.", show_default=False),
    ] = None,
    customers: Annotated[int, typer.Option(help="Of the world that is made.", min=1)] = 16_000,
    seed: Annotated[int, typer.Option(help="Of the world that is made.", min=0)] = 7,
    begin: Annotated[str, typer.Option(metavar="YYYY-MM-01", help="First day of that world's four months.")] = (
        "2026-09-01"
    ),
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=["%Y-%m-%d"],
            help="Who fails from then on takes part; if absent the latest month that is long enough.",
            show_default=False,
        ),
    ] = None,
    payments: Annotated[
        int | None, typer.Option(metavar="N", help="Only the first so many to fail.", min=1, show_default=False)
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Artifact to answer with; else the champion.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Ledger and report; under RECOUP_HOME if absent.", show_default=False),
    ] = None,
    track: Annotated[bool, typer.Option("--track", help="Keep the report as a run in MLflow.")] = False,
) -> None:
    """Run an experiment through the real service in a simulated world, and hold its verdict against the truth.

    Exit codes: 0 the report says what is true in the world, 1 it does not, 2 refused.
    """
    from serving.cli.experiment import tell_report
    from serving.rehearsal.rehearsal import files_of
    from serving.settings import settings_from

    settings = settings_from(os.environ)
    where = out or settings.home / "rehearsals" / key
    asked = Asked(key, definitions, since, payments, model, where)
    made, counts, outcomes = _performed(asked, settings, partial(_world, world, seed, begin, customers))
    typer.echo(_lead(made, counts))
    facts, page, beside = files_of(where)
    report = made.report()
    tell_report(report, facts, page, track=track)
    if not _told(made, report, outcomes, beside):
        raise typer.Exit(EXIT_DIFFERS)


def _performed(
    asked: Asked, settings: "Settings", world: "Callable[[], SimulatedWorld]"
) -> "tuple[Rehearsal, Counts, Outcomes]":
    """Play it through the service, and beside that under every variant in process."""
    from serving.cli.progress import told_progress
    from serving.definitions import folder_at
    from serving.rehearsal.rehearsal import beside, rehearsal
    from serving.rehearsal.staging import sandbox_key, served, stage_settings

    place = asked.definitions or settings.experiments
    if place is None:
        raise InvalidValueError("--definitions", "nothing", "a folder of definitions, here or in RECOUP_EXPERIMENTS")
    folder = folder_at(place)
    folder.of(asked.key)
    with told_progress() as tell:
        tell("making the world", 0, 1)
        first = asked.since.replace(tzinfo=UTC) if asked.since else None
        staged = stage_settings(settings, asked.out, asked.model)
        made = rehearsal(world(), folder, asked.key, staged, since=first, most=asked.payments)
        tell("starting the service", 0, 1)
        with beside(made) as truth:
            with served(staged, sandbox_key(staged, made.merchant_id)) as recoup:
                counts = made.played(recoup, lambda done, of: tell("playing failed payments", done, of))
            tell("playing every payment under every variant", 0, 1)
            return made, counts, truth.result()


def _world(folder: Path | None, seed: int, begin: str, customers: int) -> "SimulatedWorld":
    from experiments.simulator.generate import generate
    from experiments.simulator.settings import Settings as World
    from serving.simulate import read_world, world_of

    if folder is not None:
        return read_world(folder)
    try:
        first = date.fromisoformat(begin)
    except ValueError:
        raise InvalidValueError("--begin", begin, "the first day of a month, such as 2026-09-01") from None
    return world_of(generate(World(seed, first, _MONTHS, customers)))


def _lead(made: "Rehearsal", counts: "Counts") -> str:
    """Who played, and what the service was asked."""
    contexts, start = made.contexts, made.definition.history[0].at
    model = made.settings.model
    by = f"by the model of {model}" if model else "by the shipped prior"
    answered = f"{by}, {counts.stepped_down:,} of them by something simpler" if counts.stepped_down and model else by
    customers = len({context.payment.customer_id for context in contexts})
    return (
        f"{len(contexts):,} payments of {customers:,} simulated customers failed from {start:%Y-%m-%d} on; "
        f"{len(made.taking_part):,} took part.\n"
        f"Over HTTP, by the sandbox's clock until {made.ends_at:%Y-%m-%d %H:%M}: {counts.decisions:,} decisions "
        f"({answered}), {counts.retries:,} retries of which {counts.approved:,} were approved and "
        f"{counts.checked_off:,} stopped at the last check, {counts.paid_by_hand:,} paid by hand, "
        f"{counts.left:,} customers gone.\n"
    )


def _told(made: "Rehearsal", report: "Report", outcomes: "Outcomes", file: Path) -> bool:
    """Say what is true, and whether the report says so."""
    import orjson

    from experiments.against_truth import comparisons, judgements
    from serving.cli.experiment_report import print_grid
    from serving.rehearsal.telling_truth import truth_facts, truth_grid

    truth, alike = made.truth(outcomes), made.alike(outcomes)
    found, judged = comparisons(report, truth), judgements(report, truth)
    typer.echo("\nThe truth: every payment under every variant, in process, with the same luck.")
    typer.echo(f"{alike:,} of {truth.payments:,} payments went through the service exactly as they did there.")
    print_grid(truth_grid(found))
    for one in judged:
        typer.echo(f"{one.name}: {'agrees' if one.agrees else 'DIFFERS'}: {one.sentence}.")
    agrees = all(one.agrees for one in judged)
    typer.echo(f"The verdict {'matches' if agrees else 'does not match'} the truth.")
    try:
        file.write_bytes(orjson.dumps(truth_facts(truth, found, judged, alike), option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise InputError(f"--out {file}: cannot be written: {error.strerror}") from None
    return agrees

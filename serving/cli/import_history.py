"""`recoup import`: exports of any shape become one validated attempt history."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError

if TYPE_CHECKING:
    from features.sources.mapping import Mapping

EXIT_QUARANTINED = 1
EXIT_INTERRUPTED = 130

_EXPLAINED_ROWS = 5


def import_history(
    exports: Annotated[
        list[Path], typer.Argument(metavar="EXPORT...", help="CSV, JSON Lines or Parquet; .gz and .zst too.")
    ],
    mapping: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="How the export's columns become the history's fields.")
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="HISTORY.parquet", help="The history to write.")] = None,
    quarantine: Annotated[
        Path | None,
        typer.Option(metavar="FILE.csv", help="Where refused rows go; by default HISTORY.quarantine.csv."),
    ] = None,
    source: Annotated[
        str | None, typer.Option(metavar="NAME", help="The exports are a provider's events, such as stripe's.")
    ] = None,
    merchant: Annotated[str | None, typer.Option(metavar="ID", help="Whose events they are, with --source.")] = None,
    currency: Annotated[
        str | None, typer.Option(metavar="CODE", help="Of amounts that come without one, with --source.")
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show how the first rows are read; write nothing.")
    ] = False,
) -> None:
    """Turn an export of payment attempts into an attempt history.

    Every row is accepted or quarantined with its line, field, value and what would be right. Exit codes: 0 all
    accepted, 1 some rows quarantined (the history is written), 2 refused (nothing is written).
    """
    if source is not None and (mapping is not None or explain):
        raise InputError("--source: reads events as they are; leave out --mapping and --explain")
    stated = _read_mapping(mapping)
    if explain:
        _explain(exports, stated)
        return
    if out is None:
        raise InputError("--out: is missing; name the history to write, such as --out history.parquet")
    refused = quarantine or out.with_suffix(".quarantine.csv")
    if source is not None:
        _import_events(exports, source, merchant, currency, out, refused)
        return
    with _stoppable(), _progress() as progress:
        from training.ingest.importing import import_history as run

        summary = run(exports, stated, out, refused, progress)
    from serving.cli.import_tables import print_summary

    print_summary(summary, out, refused)
    if summary.quarantined:
        raise typer.Exit(EXIT_QUARANTINED)


def _import_events(
    exports: list[Path], source: str, merchant: str | None, currency: str | None, out: Path, refused: Path
) -> None:
    from serving.cli.import_events import import_events, print_events
    from serving.cli.import_tables import print_summary

    with _stoppable(), _progress() as progress:
        summary, done = import_events(exports, source, merchant, currency, out, refused, progress)
    print_events(done, out)
    print_summary(summary, out, refused)
    if summary.quarantined or done.refused:
        raise typer.Exit(EXIT_QUARANTINED)


def _read_mapping(path: Path | None) -> "Mapping | None":
    from features.sources.mapping_file import parse_mapping

    if path is None:
        return None
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"--mapping {path}: cannot be read: {error.strerror}") from None
    except UnicodeError:
        raise InputError(f"--mapping {path}: is not UTF-8 text; a mapping is a TOML file") from None
    return parse_mapping(text, str(path))


def _explain(exports: list[Path], stated: "Mapping | None") -> None:
    from serving.cli.import_tables import print_explained
    from training.ingest.importing import explain

    if print_explained(explain(exports, stated, _EXPLAINED_ROWS)):
        raise typer.Exit(EXIT_QUARANTINED)


@contextmanager
def _stoppable() -> Iterator[None]:
    """Ctrl-C and a polite kill both leave nothing behind and end with one sentence."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        sys.stderr.write("recoup: import was interrupted; nothing was written\n")
        raise typer.Exit(EXIT_INTERRUPTED) from None
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda doing, done, total: bar.update(task, description=doing, completed=done, total=total)

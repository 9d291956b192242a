"""`recoup import --source`: a provider's events, as it delivers or lists them, become one attempt history."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.card_number import refuse_card_number
from features.errors import InputError
from features.money import minor_digits

if TYPE_CHECKING:
    from serving.event_history import Events, Line
    from training.ingest.summary import Summary

Progress = Callable[[str, int, int], None]


def import_events(
    exports: list[Path],
    source: str,
    merchant_id: str | None,
    currency: str | None,
    out: Path,
    quarantine: Path,
    progress: Progress,
) -> tuple["Summary", "Events"]:
    """Write the history of the attempts that the events tell of.

    Raises:
        InputError: No such source, no merchant, or an export cannot be read; nothing is written.
    """
    from features.sources.provider import Surroundings
    from serving.event_history import history_lines, provider_named, take_in
    from serving.ledger.ledger import Ledger
    from training.ingest.importing import import_history

    provider = provider_named(source)
    if not merchant_id:
        raise InputError("--merchant: is missing; events do not say whose they are")
    refuse_card_number("--merchant", merchant_id)
    if currency is not None:
        minor_digits(currency)
    around = Surroundings(datetime.now(UTC), currency, test_events=True)
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: there is no folder {out.parent}")
    with tempfile.TemporaryDirectory(prefix=f".{out.stem}-events-", dir=out.parent) as scratch:
        with closing(Ledger.opened(f"sqlite:///{Path(scratch) / 'attempts.db'}?synchronous=normal")) as ledger:
            done = take_in(ledger, merchant_id, provider, _lines(exports, progress), around)
            attempts = Path(scratch) / "attempts.jsonl"
            with attempts.open("wb") as file:
                file.writelines(history_lines(ledger, merchant_id))
        if not attempts.stat().st_size:
            raise InputError(f"none of the {done.events:,} events tells an attempt{_first_reason(done)}")
        summary = import_history([attempts], None, out, quarantine, progress)
    _write_refused(done, events_quarantine(out))
    return summary, done


def events_quarantine(out: Path) -> Path:
    """Where lines stand whose events could not be used."""
    return out.with_suffix(".events.csv")


def print_events(done: "Events", out: Path) -> None:
    """Print what the events came to."""
    typer.echo(f"{done.events:,} events on {done.lines:,} lines; {done.silent:,} say nothing that is counted")
    if done.refused:
        typer.echo(f"{len(done.refused):,} could not be used; they stand in {events_quarantine(out)}")


def _lines(exports: list[Path], progress: Progress) -> Iterator["Line"]:
    from features.sources.mapping import FileShape
    from serving.event_history import Line
    from training.ingest.exports import find_exports, lines_of, open_text

    found = find_exports(exports, FileShape(format="jsonl"))
    total, before = sum(export.size for export in found), 0
    for export in found:
        with open_text(export, "utf-8") as (text, consumed):
            for number, line in enumerate(lines_of(text, export.path), start=1):
                yield Line(export.label, number, line)
                if number % 1_000 == 0:
                    progress("reading", before + consumed(), total)
        before += export.size


def _first_reason(done: "Events") -> str:
    if not done.refused:
        return ""
    first, place = done.refused[0], done.refused[0].line
    return f"; {len(done.refused):,} cannot be used, first on line {place.number} of {place.file}: {first.reason}"


def _write_refused(done: "Events", path: Path) -> None:
    from features.sources.refusal import fault, not_accepted
    from training.ingest.quarantine import Quarantine

    quarantine = Quarantine(path)
    for one in done.refused:
        found = fault("", "", "", not_accepted(one.reason))
        quarantine.add(one.line.file, one.line.number, [found], one.line.text.strip())
    quarantine.close()

"""The tables that `recoup import` prints: what was read, what was refused and why, how rows were read."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.sources.flatfile import ExplainedRow

if TYPE_CHECKING:
    from training.ingest.summary import Summary

_MOST_ROWS = 20
_WIDTH_WITHOUT_TERMINAL = 120


def print_summary(summary: "Summary", out: Path, quarantine: Path) -> None:
    """Print what an import did; accepted plus quarantined equals read."""
    console = _console()
    console.print(_counts(summary))
    if summary.quarantined:
        console.print(_reasons(summary))
    if summary.unknown_codes:
        console.print(_unknown_codes(summary))
    if summary.without_code:
        console.print(f"{summary.without_code:,} of {summary.failures:,} failures carry no decline code.")
    if summary.unused_columns:
        console.print(f"Columns not used: {escape(', '.join(summary.unused_columns))}.", soft_wrap=True)
    console.print(f"Wrote {escape(str(out))}.", soft_wrap=True)
    if summary.quarantined:
        console.print(f"Quarantined rows are in {escape(str(quarantine))}.", soft_wrap=True)


def print_explained(rows: Sequence[ExplainedRow]) -> bool:
    """Print how each field of some rows was read; True when any row would be quarantined."""
    console = _console()
    for row in rows:
        table = Table(title=f"line {row.line}", title_justify="left", header_style="bold")
        for heading in ("field", "column", "raw value", "rule", "result"):
            table.add_column(heading, overflow="fold")
        for each in row.fields:
            cells = (each.field, each.column, each.raw, each.rule, each.result)
            table.add_row(*map(escape, cells), style="red" if each.refused else None)
        console.print(table)
        for problem in row.problems:
            console.print(f"Quarantined: {escape(problem)}", soft_wrap=True)
    return any(row.problems for row in rows)


def _console() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL)


def _counts(summary: "Summary") -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column()
    table.add_column(justify="right")
    for name, count in (
        ("rows read", summary.read),
        ("accepted", summary.accepted),
        ("quarantined", summary.quarantined),
        ("payments", summary.payments),
        ("customers", summary.customers),
        ("failed attempts", summary.failures),
    ):
        table.add_row(name, f"{count:,}")
    if summary.first_at and summary.last_at:
        table.add_row("first attempt", f"{summary.first_at:%Y-%m-%d %H:%M} UTC")
        table.add_row("last attempt", f"{summary.last_at:%Y-%m-%d %H:%M} UTC")
    return table


def _reasons(summary: "Summary") -> Table:
    table = Table(title="quarantined", title_justify="left", header_style="bold")
    for heading in ("field", "reason", "first seen"):
        table.add_column(heading, overflow="fold")
    table.add_column("rows", justify="right")
    listed = summary.reasons.most_common(_MOST_ROWS)
    for (field, reason), times in listed:
        file, line = summary.examples[field, reason]
        table.add_row(escape(field), str(reason), escape(f"{file} line {line}"), f"{times:,}")
    rest = summary.quarantined - sum(times for _, times in listed)
    if rest:
        table.add_row("others", "", "", f"{rest:,}")
    return table


def _unknown_codes(summary: "Summary") -> Table:
    table = Table(title="decline codes that no table knows (kept as they came)", title_justify="left")
    for heading in ("processor", "code"):
        table.add_column(heading, overflow="fold")
    table.add_column("failures", justify="right")
    listed = summary.unknown_codes.most_common(_MOST_ROWS)
    for (processor, code), times in listed:
        table.add_row(escape(processor), escape(code), f"{times:,}")
    rest = summary.unknown_codes.total() - sum(times for _, times in listed)
    if rest:
        table.add_row("others", "", f"{rest:,}")
    return table

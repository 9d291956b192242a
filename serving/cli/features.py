"""`recoup features`: what the model reads."""

from typing import Annotated

import typer

app = typer.Typer(help="What the model reads.", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """What the model reads."""


@app.command("list")
def list_columns(
    markdown: Annotated[bool, typer.Option("--markdown", help="Print docs/columns.md instead of tables.")] = False,
) -> None:
    """Print every column: its name, unit, what it is about, whether it is monotone, and why it is there."""
    from features.columns import listing

    if markdown:
        typer.echo(listing.markdown(), nl=False)
    else:
        _print_tables()


def _print_tables() -> None:
    from rich.markup import escape
    from rich.table import Table

    from features.columns import COLUMNS, SUBJECTS, listing
    from serving.rendering import console

    out = console()
    for subject, columns in SUBJECTS.items():
        table = Table(title=subject, title_justify="left", header_style="bold")
        for heading in listing.HEADINGS:
            table.add_column(heading, overflow="fold", ratio=1 if heading == "why" else None)
        for column in columns:
            table.add_row(*map(escape, listing.cells(column)))
        out.print(table)
    out.print(f"{len(COLUMNS)} columns.")

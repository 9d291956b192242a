"""`recoup merchants`: add merchants, and see whose keys can be used and whose retries are stopped."""

from contextlib import closing
from typing import Annotated

import typer

from serving.cli.ledger import Database
from serving.cli.ledgers import begun_store, kept_store

app = typer.Typer(help="Add and show merchants.", no_args_is_help=True)


@app.command("add")
def add(
    merchant_id: Annotated[str, typer.Argument(metavar="ID", help="As requests and reports name it.")],
    name: Annotated[str, typer.Option(help="For people.")] = "",
    database: Database = None,
) -> None:
    """Add a merchant, so that keys can be made for it."""
    from datetime import UTC, datetime

    from serving.tenancy.merchants import add_merchant

    with closing(begun_store(database)) as store:
        new = add_merchant(store, merchant_id, name, datetime.now(UTC))
    typer.echo(f"merchant {merchant_id} is added" if new else f"merchant {merchant_id} was added before")


@app.command("list")
def list_merchants(database: Database = None) -> None:
    """Show the merchants that were added, and the stops in force."""
    from datetime import UTC, datetime

    from rich.markup import escape
    from rich.table import Table

    from serving.ledger.advice import EVERYBODY, emergency_stops
    from serving.rendering import console
    from serving.tenancy.merchants import merchants_of

    with closing(kept_store(database)) as store:
        found, stops = merchants_of(store, datetime.now(UTC)), emergency_stops(store)
    stopped = {stop.merchant_id: stop for stop in stops}
    table = Table(header_style="bold")
    for heading in ("merchant", "name", "usable keys", "retries"):
        table.add_column(heading, overflow="fold")
    for one in found:
        stop = stopped.get(EVERYBODY) or stopped.get(one.merchant_id)
        word = "advised" if stop is None else f"stopped since {stop.since:%Y-%m-%d %H:%M}: {stop.reason}"
        table.add_row(escape(one.merchant_id), escape(one.name), str(one.keys), escape(word))
    console().print(table)
    unlisted = sorted(set(stopped) - {one.merchant_id for one in found} - {EVERYBODY})
    if unlisted:
        typer.echo(f"stopped too, though never added: {', '.join(unlisted)}")

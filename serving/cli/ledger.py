"""`recoup ledger`: take a history in, see what the ledger holds, bring its database to this version, end old holds."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from serving.ledger.store import Store
    from serving.settings import Settings

app = typer.Typer(help="Keep the ledger of attempts and reservations.", no_args_is_help=True)

Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL", help="sqlite:///PATH or postgresql://…; by default RECOUP_DATABASE_URL.", show_default=False
    ),
]


Sandbox = Annotated[
    str | None,
    typer.Option("--sandbox", metavar="MERCHANT", help="Of this merchant's sandbox, by its clock.", show_default=False),
]


@app.command("backfill")
def backfill(
    history: Annotated[Path, typer.Argument(metavar="HISTORY.parquet", help="As recoup import writes it.")],
    database: Database = None,
) -> None:
    """Take an attempt history in, so that every counter is right from the first day; a ledger is made if there is none.

    Taken in again, it changes nothing. A run that was stopped goes on where it was.
    """
    from serving.cli.ledgers import begun_store
    from serving.ledger.backfill import backfill as run
    from serving.merchant_rules import use_merchant_codes

    use_merchant_codes(settings())
    with closing(begun_store(database)) as store, _progress("taking attempts in") as progress:
        done = run(store, history, _now_micros(), progress)
        where = store.where
    earlier = f" {done.skipped:,} were taken in by an earlier run." if done.skipped else ""
    told = f"{done.new:,} told for the first time by a history, {done.known:,} told before word for word"
    typer.echo(f"{done.rows:,} attempts: {told}.{earlier}")
    typer.echo(f"An attempt that was told otherwise too, as by a webhook, counts once. Ledger: {where}")


@app.command("status")
def status(database: Database = None) -> None:
    """Show what the ledger holds."""
    from serving.cli.ledgers import kept_store_of_any_version
    from serving.ledger.migrate import migrations, version_of

    with closing(kept_store_of_any_version(database)) as store:
        version, latest = version_of(store), migrations(store.dialect)[-1].version
        typer.echo(f"{store.where}: version {version} of {latest}")
        if version != latest:
            typer.echo("Run recoup ledger migrate to bring it to this version.")
            return
        with store.reading() as transaction:
            (counted,), states = transaction.ask(("counts", {}), ("reservation_counts", {}))
    events, attempts, standings = (int(count or 0) for count in counted)
    held = ", ".join(f"{int(count or 0):,} {state!s}" for state, count in states)
    typer.echo(f"{events:,} events on {attempts:,} attempts; {standings:,} words on payments, consents and methods")
    typer.echo("reservations: " + (held or "none"))


@app.command("migrate")
def migrate(database: Database = None) -> None:
    """Bring the database to the shape that this version needs; only ever forward."""
    from serving.ledger.migrate import migrate as run
    from serving.ledger.opening import store_at

    with closing(store_at(url_of(database))) as store:
        steps = run(store)
        for step in steps:
            typer.echo(f"applied {step.version:04d} {step.name}")
        if not steps:
            typer.echo(f"{store.where} is up to date")


@app.command("expire")
def expire(database: Database = None) -> None:
    """End every hold whose time is over; the service does so itself every minute."""
    from datetime import UTC, datetime

    from serving.cli.ledgers import kept_ledger

    with closing(kept_ledger(database)) as ledger:
        ended = ledger.expire(datetime.now(UTC))
    typer.echo(f"{ended:,} holds ended" if ended != 1 else "1 hold ended")


def url_of(database: str | None) -> str:
    """The address given, else the one of the settings."""
    return database or settings().database


@contextmanager
def ledger_of(database: str | None, sandbox: str | None) -> Iterator[tuple["Store", datetime]]:
    """The ledger at an address, or that of a merchant's sandbox, and what time it is there (UTC)."""
    from datetime import UTC

    from serving.cli.ledgers import kept_store
    from serving.sandbox.reading import sandbox_ledger

    url = url_of(database)
    with closing(kept_store(url)) as store:
        if sandbox is None:
            yield store, datetime.now(UTC)
            return
        with sandbox_ledger(replace(settings(), database=url), store, sandbox) as found:
            yield found


def settings() -> "Settings":
    """The settings of this process."""
    import os

    from serving.settings import settings_from

    return settings_from(os.environ)


def _now_micros() -> int:
    from datetime import UTC, datetime

    from features.instants import to_micros

    return to_micros(datetime.now(UTC))


@contextmanager
def _progress(doing: str) -> Iterator[Callable[[int, int], None]]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)

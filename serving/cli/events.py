"""`recoup events`: see what a merchant's own systems are told, what was not accepted and why, and send it again."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.ledger import Database
from serving.cli.ledgers import kept_ledger
from serving.cli.words import one_of

if TYPE_CHECKING:
    from serving.events_out.queue import Listed

app = typer.Typer(help="See the events that are sent to your own systems, and send them again.", no_args_is_help=True)

_Event = Annotated[str, typer.Argument(metavar="EVENT", help="Its id, or the first letters of it.")]


@app.command("list")
def list_events(
    state: Annotated[str, typer.Option(help="waiting, failed or delivered.")] = "waiting",
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the latest first.")] = 50,
    database: Database = None,
) -> None:
    """List events in a state, by default those on their way, each with the reason why it was not accepted yet."""
    from serving.events_out.queue import State, listed

    with closing(kept_ledger(database)) as ledger:
        found = listed(ledger.store, one_of(State, "--state", state), most)
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo(f"No event is {state}.")


@app.command("status")
def status(database: Database = None) -> None:
    """Count the events by merchant, target, type and state."""
    from features.instants import from_micros
    from serving.events_out.queue import counts

    with closing(kept_ledger(database)) as ledger:
        found = counts(ledger.store)
    for one in found:
        oldest = from_micros(one.oldest).strftime("%Y-%m-%d %H:%M:%S")
        typer.echo(f"{one.merchant_id}  {one.target}  {one.type}  {one.state}: {one.events:,}, the first of {oldest}")
    if not found:
        typer.echo("No event was written yet.")


@app.command("show")
def show(event: _Event, database: Database = None) -> None:
    """Print one event as it is sent."""
    from serving.events_out.queue import found

    with closing(kept_ledger(database)) as ledger:
        typer.echo(found(ledger.store, event).body)


@app.command("replay")
def replay(
    event: Annotated[
        str | None, typer.Argument(metavar="[EVENT]", help="Its id, or the first letters of it.", show_default=False)
    ] = None,
    failed: Annotated[bool, typer.Option("--failed", help="Everything that was given up.")] = False,
    database: Database = None,
) -> None:
    """Send one event again, whatever became of it, or all that were given up; the running service sends them."""
    from datetime import UTC, datetime

    from features.errors import InputError
    from serving.events_out.queue import found, replay_failed
    from serving.events_out.queue import replay as send_again

    if (event is None) is not failed:
        raise InputError("say which: recoup events replay EVENT, or recoup events replay --failed")
    with closing(kept_ledger(database)) as ledger:
        now, store = datetime.now(UTC), ledger.store
        again = replay_failed(store, now) if event is None else send_again(store, found(store, event), now)
    typer.echo(f"{again:,} to be sent again")


def _line(one: "Listed") -> str:
    from features.instants import from_micros

    at = from_micros(one.created_at).strftime("%Y-%m-%d %H:%M:%S")
    due = "" if one.next_at is None else f", next {from_micros(one.next_at):%Y-%m-%d %H:%M:%S}"
    reason = f"  {one.reason}" if one.reason else ""
    return (
        f"{one.event_id}  {at}  {one.merchant_id}  {one.target}  {one.type}  {one.payment_id}/{one.recovery}  "
        f"{one.tries} tries{due}{reason}"
    )

"""`recoup webhooks`: see what was delivered, what failed and why, and read it again."""

from collections import Counter
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.ledger import Database, settings
from serving.cli.ledgers import kept_ledger
from serving.cli.words import one_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from serving.webhooks.deliveries import Listed, Reading

app = typer.Typer(help="See the webhooks that were delivered, and read them again.", no_args_is_help=True)

_SHOWN = 12


@app.command("list")
def list_deliveries(
    state: Annotated[str, typer.Option(help="stored, waiting, failed, ignored or applied.")] = "failed",
    most: Annotated[int, typer.Option(min=1, max=10_000, help="How many, the latest first.")] = 50,
    database: Database = None,
) -> None:
    """List deliveries in a state, by default those that failed, each with the reason."""
    from serving.webhooks.deliveries import State, listed

    with closing(kept_ledger(database)) as ledger:
        found = listed(ledger.store, one_of(State, "--state", state), most)
    for one in found:
        typer.echo(_line(one))
    if not found:
        typer.echo(f"No delivery is {state}.")


@app.command("status")
def status(database: Database = None) -> None:
    """Count the deliveries by merchant, source, kind and state."""
    from serving.webhooks.deliveries import counts

    with closing(kept_ledger(database)) as ledger:
        found = counts(ledger.store)
    for one in found:
        marked = f", {one.marked:,} with a card number taken out" if one.marked else ""
        typer.echo(
            f"{one.merchant_id}  {one.source}  {one.kinds or '(not read)'}  {one.state}: {one.deliveries:,}{marked}"
        )
    if not found:
        typer.echo("No webhook was delivered yet.")


@app.command("show")
def show(
    delivery: Annotated[str, typer.Argument(metavar="DELIVERY", help="The first letters of its digest.")],
    database: Database = None,
) -> None:
    """Print one delivery as it was kept."""
    import sys

    from serving.webhooks.deliveries import found

    with closing(kept_ledger(database)) as ledger:
        body = found(ledger.store, delivery).body
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.write(b"\n")


@app.command("retry")
def retry(
    delivery: Annotated[
        str | None, typer.Argument(metavar="[DELIVERY]", help="The first letters of its digest; all when absent.")
    ] = None,
    database: Database = None,
) -> None:
    """Read again what failed and what waits, or one delivery whatever its state; nothing counts twice."""
    from datetime import UTC, datetime

    from serving.events_out.targets import targets_in
    from serving.webhooks.deliveries import found
    from serving.webhooks.endpoints import endpoints_in
    from serving.webhooks.reading import read
    from serving.webhooks.retrying import read_failed

    endpoints, now = endpoints_in(settings().webhooks, None), datetime.now(UTC)
    outbox = targets_in(settings().event_targets, None).outbox
    with closing(kept_ledger(database, outbox)) as ledger:
        if delivery is None:
            done: Sequence[Reading] = read_failed(ledger, endpoints, now)
        else:
            one = found(ledger.store, delivery)
            done = (read(ledger, one, endpoints.first(one.source, one.merchant_id), now),)
    _tell(done)


def _tell(done: "Sequence[Reading]") -> None:
    states = Counter(one.state.value for one in done)
    events = sum(one.events for one in done)
    counted = ", ".join(f"{count:,} {state}" for state, count in sorted(states.items())) or "nothing to read"
    typer.echo(f"{counted}; {events:,} new events")


def _line(one: "Listed") -> str:
    from features.instants import from_micros

    at = from_micros(one.received_at).strftime("%Y-%m-%d %H:%M:%S")
    marked = "  [card number taken out]" if one.marked else ""
    reason = f"  {one.reason}" if one.reason else ""
    return f"{one.digest[:_SHOWN]}  {at}  {one.merchant_id}  {one.source}  {one.kinds or '-'}{marked}{reason}"

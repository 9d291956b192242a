"""`recoup replay`: compute decisions that were answered again, and say whether each is the same, byte for byte."""

from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.ledger import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from serving.recomputing import Recomputed


_SHOWN = 5


def replay(
    decision: Annotated[
        list[str] | None,
        typer.Argument(metavar="[DECISION]...", help="Their ids, or the first letters of them.", show_default=False),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--from", metavar="INSTANT", help="Those answered from then on, UTC if no zone.")
    ] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="INSTANT", help="And before then.")] = None,
    payment: Annotated[str | None, typer.Option(help="Only those of this payment_id.")] = None,
    merchant: Annotated[str | None, typer.Option(help="Only those of this merchant_id.")] = None,
    processes: Annotated[int, typer.Option(min=1, max=64, help="How many work at once.")] = 1,
    database: Database = None,
) -> None:
    """Compute decisions again from what they were made from, and compare them byte for byte.

    What was known then and the versions of then are used, never others in their place. Exits with 1 when any differs
    or could not be computed.
    """
    import contextlib

    from features.errors import InputError
    from serving.cli.ledger import settings, url_of
    from serving.cli.ledgers import kept_ledger
    from serving.cli.progress import told_progress
    from serving.replaying import EVER, Asked, Counts, called, chosen, how_many, replayed

    if bool(decision) == any((since, until, payment, merchant)):
        raise InputError("give either DECISION ids, or one of --from, --to, --payment and --merchant")
    asked = Asked(_instant("--from", since, EVER[0]), _instant("--to", until, EVER[1]), payment, merchant)
    url, counts = url_of(database), Counts()
    with contextlib.closing(kept_ledger(url)) as ledger, told_progress() as tell:
        found = called(ledger.store, decision) if decision else chosen(ledger.store, asked)
        total = len(decision) if decision else how_many(ledger.store, asked)
        for one in replayed(found, settings(), url, processes):
            counts.add(one)
            tell("computing decisions again", counts.by_outcome.total(), total)
            for line in _lines(one):
                typer.echo(line)
    typer.echo(counts.sentence)
    if not counts.all_same:
        raise typer.Exit(1)


def _lines(one: "Recomputed") -> "Iterator[str]":
    """What is said of a decision that is not the same."""
    name, payment = one.headline.decision_id, one.headline.payment_id
    for sentence in one.missing:
        yield f"{name} of payment {payment}: not computed again. {sentence}"
    if one.differences:
        differ = "1 field differs" if one.fields == 1 else f"{one.fields:,} fields differ"
        yield f"{name} of payment {payment}: {differ}"
        for field in one.differences[:_SHOWN]:
            yield f"  {field.field}: {field.before or 'nothing'} then, {field.after or 'nothing'} now"
        if one.fields > _SHOWN:
            yield f"  and {one.fields - _SHOWN:,} more; POST /v1/decisions/{name}/replay lists them"


def _instant(option: str, given: str | None, otherwise: "datetime") -> "datetime":
    """An instant in ISO 8601; a day begins at 00:00, and without a zone it is UTC."""
    from datetime import UTC, datetime

    from features.errors import InvalidValueError

    if given is None:
        return otherwise
    try:
        found = datetime.fromisoformat(given)
    except ValueError:
        raise InvalidValueError(option, given, "an instant such as 2026-11-23 or 2026-11-23T10:15:00Z") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)

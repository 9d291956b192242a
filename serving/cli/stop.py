"""`recoup stop` and `recoup resume`: the emergency stop, for one merchant or for all."""

from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.ledger import Database
from serving.cli.ledgers import kept_store

if TYPE_CHECKING:
    from serving.ledger.advice import Word

Merchant = Annotated[str | None, typer.Option(metavar="ID", help="For this merchant.", show_default=False)]
Everybody = Annotated[bool, typer.Option("--all", help="For all merchants.")]
Why = Annotated[str, typer.Option(help="Why; every answer repeats it meanwhile.")]


def stop(reason: Why, merchant: Merchant = None, everybody: Everybody = False, database: Database = None) -> None:
    """Stop advising retries at once: every decision is a hold, every check a no-go. Counting goes on."""
    from serving.ledger.advice import Word

    _say(Word.STOPPED, merchant, reason, database, everybody=everybody)


def resume(
    merchant: Merchant = None, everybody: Everybody = False, reason: Why = "", database: Database = None
) -> None:
    """Advise retries again. A stop for all and one for a merchant are lifted each for itself."""
    from serving.ledger.advice import Word

    _say(Word.RESUMED, merchant, reason, database, everybody=everybody)


def _say(word: "Word", merchant: str | None, reason: str, database: str | None, *, everybody: bool) -> None:
    from datetime import UTC, datetime
    from secrets import token_hex

    from features.errors import InvalidValueError
    from serving.ledger.advice import EVERYBODY, AdviceEvent, emergency_stops, tell_advice
    from serving.tenancy.merchants import doubts_about, doubts_about_ledger

    if everybody is (merchant is not None) or merchant == "":
        raise InvalidValueError("--merchant", merchant, "one merchant, or --all for all of them")
    now, whose = datetime.now(UTC), EVERYBODY if merchant is None else merchant
    with closing(kept_store(database)) as store:
        tell_advice(store, AdviceEvent(whose, f"{word.value}/{token_hex(12)}", word, now, reason), now)
        left = emergency_stops(store)
        doubts = [*doubts_about_ledger(store), *(doubts_about(store, merchant) if merchant else ())]
        where = store.where
    told = f"merchant {merchant}" if merchant else "all merchants"
    typer.echo(f"retries are {word.value} for {told} in the ledger {where}")
    for doubt in doubts:
        typer.echo(doubt, err=True)
    for one in left:
        typer.echo(f"in force: {one.merchant_id or 'all merchants'} since {one.since:%Y-%m-%d %H:%M} UTC: {one.reason}")

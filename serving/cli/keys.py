"""`recoup keys`: make, show, replace and revoke API keys."""

from contextlib import closing
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.ledger import Database
from serving.cli.ledgers import begun_store, kept_store
from serving.cli.words import one_of

if TYPE_CHECKING:
    from serving.tenancy.keys import ApiKey, NewKey

app = typer.Typer(help="Make, show, replace and revoke API keys.", no_args_is_help=True)

KeyId = Annotated[str, typer.Argument(metavar="KEY_ID", help="As recoup keys list shows it.")]


@app.command("create")
def create(
    merchant: Annotated[str | None, typer.Option(metavar="ID", help="Whose key it is.", show_default=False)] = None,
    operator: Annotated[bool, typer.Option("--operator", help="A key of every merchant, for operators.")] = False,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="A key of the merchant's sandbox: its own clock, told answers.")
    ] = False,
    scope: Annotated[str, typer.Option(help="read: GET; decide: POST too; admin: stop and resume too.")] = "decide",
    label: Annotated[str, typer.Option(help="What it is for, to know it again.")] = "",
    per_second: Annotated[int, typer.Option(help="Requests a second of each worker; 0 for no limit.", min=0)] = 100,
    days: Annotated[
        int | None,
        typer.Option(help="It ends after so many days; by default never.", min=1, max=36_500, show_default=False),
    ] = None,
    database: Database = None,
) -> None:
    """Make a key and show it once; only its digest is kept."""
    from datetime import timedelta

    from features.errors import InvalidValueError
    from serving.tenancy.keys import EVERY_MERCHANT, Scope, create_key

    if operator is (merchant is not None):
        raise InvalidValueError("--merchant", merchant, "a merchant, or --operator for a key of every merchant")
    allowed, now = one_of(Scope, "--scope", scope), _now()
    # A merchant was added first, so that its ledger is there; an operator may begin with a key.
    with closing(begun_store(database) if operator else kept_store(database)) as store:
        made = create_key(
            store,
            merchant or EVERY_MERCHANT,
            allowed,
            now,
            label=label,
            per_second=per_second or None,
            expires_at=None if days is None else now + timedelta(days=days),
            sandbox=sandbox,
        )
    _show(made)


@app.command("list")
def list_keys(
    merchant: Annotated[
        str | None, typer.Option(metavar="ID", help="Only the keys of this merchant.", show_default=False)
    ] = None,
    database: Database = None,
) -> None:
    """Show the keys; never the secrets, which nobody keeps."""
    from rich.markup import escape
    from rich.table import Table

    from serving.rendering import console
    from serving.tenancy.keys import keys_of

    with closing(kept_store(database)) as store:
        found = keys_of(store, merchant)
    table = Table(header_style="bold")
    for heading in ("key", "merchant", "scope", "per second", "state", "last used", "label"):
        table.add_column(heading, overflow="fold")
    now = _now()
    for key in found:
        limit = "no limit" if key.per_second is None else str(key.per_second)
        whose = (escape(key.merchant_id) or "every merchant") + (" (sandbox)" if key.sandbox else "")
        table.add_row(
            key.key_id, whose, key.scope, limit, _state(key, now), _at(key.last_used_at, "never"), escape(key.label)
        )
    console().print(table)
    typer.echo(f"{len(found):,} keys" if len(found) != 1 else "1 key")


@app.command("revoke")
def revoke(
    key_id: Annotated[
        str | None, typer.Argument(metavar="[KEY_ID]", help="As recoup keys list shows it.", show_default=False)
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every key of every merchant, as after an older copy was restored.")
    ] = False,
    database: Database = None,
) -> None:
    """End a key, or all of them; running services refuse it within five seconds."""
    from features.errors import InputError
    from serving.tenancy.keys import keys_of, revoke_key

    if (key_id is None) is not every:
        raise InputError("say which: recoup keys revoke KEY_ID, or recoup keys revoke --all")
    now = _now()
    with closing(kept_store(database)) as store:
        usable = [key.key_id for key in keys_of(store) if key.usable(now)]
        ended = [revoke_key(store, one, now) for one in (usable if key_id is None else [key_id])]
    for key in ended:
        typer.echo(f"key {key.key_id} is revoked since {_at(key.revoked_at, 'now')}")
    if not ended:
        typer.echo("No key can be used.")


@app.command("rotate")
def rotate(
    key_id: KeyId,
    overlap_hours: Annotated[int, typer.Option(help="The old key ends after so many hours.", min=0, max=8_784)] = 24,
    database: Database = None,
) -> None:
    """Make a key that may do the same, and let the old one end after a while."""
    from datetime import timedelta

    from serving.tenancy.keys import rotate_key

    with closing(kept_store(database)) as store:
        made = rotate_key(store, key_id, _now(), overlap=timedelta(hours=overlap_hours))
    _show(made)
    typer.echo(
        f"Key {key_id} ends in {overlap_hours} hours." if overlap_hours else f"Key {key_id} has ended.", err=True
    )


def _show(made: "NewKey") -> None:
    typer.echo(made.secret)
    kept = made.kept
    whose = f"merchant {kept.merchant_id}" if kept.merchant_id else "every merchant"
    whose = f"the sandbox of {whose}" if kept.sandbox else whose
    typer.echo(f"Key {kept.key_id} of {whose}, scope {kept.scope}. It is shown this once; keep it secret.", err=True)


def _state(key: "ApiKey", now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked {_at(key.revoked_at, '')}"
    if key.expires_at is None:
        return "usable"
    return f"{'usable until' if key.usable(now) else 'ended'} {_at(key.expires_at, '')}"


def _at(instant: datetime | None, otherwise: str) -> str:
    return f"{instant:%Y-%m-%d %H:%M}" if instant else otherwise


def _now() -> datetime:
    from datetime import UTC

    return datetime.now(UTC)

"""`recoup caps audit`: every attempt against the rules in force at its instant, for whoever has to prove it."""

import csv
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError, InvalidValueError
from serving.cli.ledger import Database, settings
from serving.cli.ledgers import kept_store

if TYPE_CHECKING:
    from serving.ledger.audit import Audited, Breach, Totals

app = typer.Typer(help="Prove that no limit was exceeded.", no_args_is_help=True)

EXIT_BREACHED = 1
_SHOWN = 20
_HEADINGS = (
    *("merchant_id", "attempt_id", "attempted_at", "payment_id", "method_id", "processor", "initiator"),
    *("amount_minor", "currency", "made_by", "rule", "ours", "used", "limit", "fee_minor", "fee_currency"),
    *("sentence", "source"),
)


@app.callback()
def caps() -> None:
    """Prove that no limit was exceeded."""


@app.command("audit")
def audit(
    since: Annotated[str, typer.Option("--from", metavar="DATE", help="First day or instant, such as 2026-01-01.")],
    until: Annotated[
        str | None, typer.Option("--to", metavar="DATE", help="Day or instant after the last; now if absent.")
    ] = None,
    csv_file: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE.csv", help="Write every breach with its rule and fee.")
    ] = None,
    database: Database = None,
) -> None:
    """Hold every attempt against the rules in force at its instant.

    Exit codes: 0 nothing was over a limit, 1 some attempts were, 2 refused.
    """
    from serving.ledger.audit import Totals
    from serving.ledger.audit import audit as run
    from serving.merchant_rules import merchant_rulebook

    first, last = _instant("--from", since), _instant("--to", until) if until else datetime.now(UTC)
    if last <= first:
        raise InvalidValueError("--to", until, f"a day after {since}")
    rulebook, totals = merchant_rulebook(settings()), Totals()
    with closing(kept_store(database)) as store, _written(csv_file) as write:
        for audited in run(store, rulebook, first, last):
            totals.add(audited)
            write(audited)
            _show(audited, totals)
    _print_totals(totals, rulebook.version, csv_file)
    if totals.over:
        raise typer.Exit(EXIT_BREACHED)


def _instant(option: str, text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(option, text, "a day or an instant, such as 2026-01-01") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


@contextmanager
def _written(path: Path | None) -> Iterator[Callable[["Audited"], None]]:
    """Takes what was audited and writes its breaches as lines of CSV; without a file, nothing."""
    if path is None:
        yield lambda _: None
        return
    temporary = path.with_name(f".{path.name}.part")
    try:
        with temporary.open("w", encoding="utf-8", newline="") as stream:
            lines = csv.writer(stream)
            lines.writerow(_HEADINGS)
            yield lambda audited: lines.writerows(map(_line, audited.breaches))
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"--csv {path}: cannot be written: {error.strerror}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _line(breach: "Breach") -> tuple[str | int | None, ...]:
    attempt, verdict = breach.attempt, breach.verdict
    fee = verdict.fee
    return (
        *(breach.merchant_id, attempt.attempt_id, breach.at.isoformat(), attempt.payment_id, attempt.method_id),
        *(attempt.processor, attempt.initiator, attempt.amount_minor, attempt.currency, _maker(breach)),
        *(verdict.rule_id, "yes" if breach.ours else "no", verdict.used, verdict.limit),
        *(fee.amount_minor if fee else None, fee.currency if fee else None, verdict.sentence, verdict.source),
    )


def _maker(breach: "Breach") -> str:
    return "Recoup" if breach.advised else "someone else"


def _show(audited: "Audited", totals: "Totals") -> None:
    for breach in audited.breaches if totals.over <= _SHOWN else ():
        attempt = f"{breach.at:%Y-%m-%d %H:%M:%S} {breach.attempt.attempt_id} on {breach.attempt.method_id}"
        typer.echo(f"{attempt}, made by {_maker(breach)}: {breach.verdict.sentence} [{breach.verdict.rule_id}]")


def _print_totals(totals: "Totals", version: str, csv_file: Path | None) -> None:
    if totals.over > _SHOWN:
        typer.echo(f"… and {totals.over - _SHOWN:,} attempts more")
    typer.echo(f"{totals.over:,} of {totals.attempts:,} attempts over any limit (rulebook {version})")
    if totals.over:
        others = totals.over - totals.over_advised
        cost = ", ".join(str(money) for money in totals.cost) or "not known"
        typer.echo(f"{totals.over_advised:,} advised by Recoup, {others:,} made by someone else; fees: {cost}")
    if csv_file is not None:
        typer.echo(f"Wrote {csv_file}.")

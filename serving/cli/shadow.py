"""`recoup shadow`: what a challenger would have decided beside what was answered."""

from datetime import date
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InvalidValueError

if TYPE_CHECKING:
    from datetime import datetime

    from experiments.resamples import Estimate
    from serving.shadow_report import ShadowReport


def shadow(
    since: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="Decisions from that day on (UTC); default: all.")
    ] = None,
    database: Annotated[str | None, typer.Option(help="Database of the ledger; default: that of the settings.")] = None,
    seed: Annotated[int, typer.Option(help="Of the draws behind intervals.")] = 17,
) -> None:
    """Compare the challenger with what answered: how often they agree, and whose chances were right.

    The service asks the challenger after each reply and keeps what it says. Rates are shares of decisions; intervals
    are 95 %, drawn by payment.
    """
    from contextlib import closing

    from serving.cli.ledgers import kept_store
    from serving.ledger.shadows import shadows_since
    from serving.shadow_report import shadow_reports

    start = _start_of(since)
    with closing(kept_store(database)) as store:
        found = shadows_since(store, start)
    if not found:
        typer.echo("No decision was put to a challenger yet: one is asked while a version carries its alias.")
    for report in shadow_reports(found, seed):
        _print(report)


def _start_of(text: str | None) -> "datetime":
    from datetime import UTC, datetime

    if text is None:
        return datetime(1970, 1, 1, tzinfo=UTC)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidValueError("--since", text, "a day, such as 2026-06-01") from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _print(report: "ShadowReport") -> None:
    from serving.shadow_report import MIN_OUTCOMES

    typer.echo(f"Challenger {report.challenger} beside {report.champion}: {report.decisions:,} decisions.")
    shares = (
        ("both retry or both stop", report.same_kind),
        ("same method", report.same_method),
        ("same processor", report.same_processor),
        ("same day", report.same_day),
    )
    for name, share in shares:
        typer.echo(f"  {name}: {_share(share)}")
    if report.difference is not None:
        one = report.difference
        points = f"{100 * one.value:+.2f} points ({100 * one.low:+.2f} to {100 * one.high:+.2f})"
        typer.echo(f"  challenger's chance of the advised retry less the champion's: {points}")
    if report.gain is None or report.log_loss is None or report.challenger_log_loss is None:
        typer.echo(
            f"  outcomes known where both advise it: {report.outcomes:,} (and {report.others:,} where the champion "
            f"alone does); log loss is told from {MIN_OUTCOMES} of the former on"
        )
        return
    typer.echo(
        f"  log loss on {report.outcomes:,} attempts made that both advise: {_number(report.log_loss)}, challenger "
        f"{_number(report.challenger_log_loss)}; the challenger is better by {_number(report.gain)}"
    )
    typer.echo(f"  attempts made that the champion alone advises: {report.others:,}; not judged")


def _share(one: "Estimate | None") -> str:
    return "no decision" if one is None else f"{one.value:.1%} ({one.low:.1%} to {one.high:.1%})"


def _number(one: "Estimate") -> str:
    return f"{one.value:.4f} ({one.low:.4f} to {one.high:.4f})"

"""`recoup declines`: what a decline code means and who says so, and which codes of a history nobody knows."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from features.vocabulary import FAILED, Network

app = typer.Typer(help="See how decline codes are read.", no_args_is_help=True)

_MOST_LINES = 50


@app.command("explain")
def explain(
    owner: Annotated[str, typer.Argument(metavar="PROCESSOR|NETWORK", help="stripe, adyen, visa, nacha …")],
    code: Annotated[str, typer.Argument(help="The raw code, as it came.")],
    network: Annotated[str | None, typer.Option(help="The method's network, behind a processor's word.")] = None,
    subcode: Annotated[str | None, typer.Option(help="A second code that came with it.")] = None,
    advice: Annotated[str | None, typer.Option(help="Mastercard's merchant advice code, or the processor's.")] = None,
    country: Annotated[str | None, typer.Option(help="The issuer's country, ISO 3166-1 alpha-2.")] = None,
    at: Annotated[str | None, typer.Option(metavar="DATE", help="When it came; now if absent.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As GET /v1/declines answers.")] = False,
) -> None:
    """Explain one decline code."""
    import os
    from datetime import UTC, datetime

    from features.card_number import refuse_card_number
    from features.declines.explained import explained, named
    from serving.cli.rulebook_tables import print_decline
    from serving.merchant_rules import use_merchant_codes
    from serving.rulebook_answers import decline_out, instant_of, network_of
    from serving.settings import settings_from

    refuse_card_number("PROCESSOR", owner)
    use_merchant_codes(settings_from(os.environ))
    processor, of_name = named(owner)
    found = explained(
        code,
        processor=processor,
        network=network_of(network) or of_name or Network.UNKNOWN,
        subcode=subcode,
        advice_code=advice,
        country=country,
        at=instant_of(at) or datetime.now(UTC),
    )
    answer = decline_out(found, processor)
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
        return
    print_decline(answer)
    if not found.tables_known:
        typer.echo(f"There is no table of {owner}; only the network's codes are read.", err=True)


@app.command("unknown")
def unknown(
    history: Annotated[Path, typer.Argument(metavar="HISTORY.parquet", help="As recoup import writes it.")],
) -> None:
    """List the codes of a history that stand in no table, most frequent first, with the line that adds each."""
    import os

    from features.declines.unknown import unknown_codes
    from serving.merchant_rules import use_merchant_codes
    from serving.settings import settings_from

    use_merchant_codes(settings_from(os.environ))
    found = unknown_codes(_failures(history))
    if not found:
        typer.echo("Every decline code of this history stands in a table.")
        return
    typer.echo("# Fill in each title, category and retryability, and name the file in RECOUP_DECLINES.")
    for each in found[:_MOST_LINES]:
        typer.echo(f"{each.line}  # {each.count:,} times, {each.share:.1%} of {each.processor}'s codes")
    if len(found) > _MOST_LINES:
        typer.echo(f"# and {len(found) - _MOST_LINES:,} codes that are less frequent")


def _failures(history: Path) -> Iterator[tuple[str, Network, str, str | None, str | None, int]]:
    import pyarrow as pa
    import pyarrow.compute as pc

    from serving.history_file import open_history

    columns = ["processor", "network", "code", "subcode", "advice_code"]
    with open_history(history, [*columns, "outcome"]) as file:
        table = file.read([*columns, "outcome"])
    outcomes = pa.array([outcome.value for outcome in FAILED])
    failed = table.filter(pc.and_(pc.is_in(table["outcome"], outcomes), pc.is_valid(table["code"])))
    for row in failed.group_by(columns).aggregate([([], "count_all")]).to_pylist():
        network = Network(row["network"] or Network.UNKNOWN)
        yield row["processor"], network, row["code"], row["subcode"], row["advice_code"], row["count_all"]

"""`recoup experiment`: check definitions, see them, assign by them, and write what is done to them."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError, InvalidValueError
from serving.cli.experiment_rehearse import rehearse
from serving.cli.ledger import Database, Sandbox, ledger_of, url_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from experiments.definition import Change, Decided
    from experiments.report import Report
    from serving.definitions import Folder
    from serving.settings import Settings

app = typer.Typer(help="Define, check and steer experiments.", no_args_is_help=True)

EXIT_FAULTY = 1
_SHARE = "Share of the units that take part, such as 0.5."

Definitions = Annotated[
    Path | None,
    typer.Option(
        "--definitions",
        metavar="FOLDER",
        help="Folder of definitions; RECOUP_EXPERIMENTS if absent.",
        show_default=False,
    ),
]
Key = Annotated[str, typer.Argument(metavar="KEY")]
By = Annotated[str, typer.Option(metavar="WHO", help="Who does it.")]
Note = Annotated[str | None, typer.Option(metavar="SENTENCE", help="Why.", show_default=False)]


@app.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE.toml...", help="Definitions, or folders of them.")],
    history: Annotated[
        Path | None,
        typer.Option(metavar="HISTORY.parquet", help="As recoup import writes it, for base rates.", show_default=False),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(metavar="FILE.toml", help="Definitions in force: a file or folder of them.", show_default=False),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Artifact that plans ask of the history's log; the prior if absent.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Say everything that is wrong with definitions, one sentence each, and what else to know before the start.

    Exit codes: 0 nothing is wrong, 1 something is, 2 refused.
    """
    from serving.base_rates import base_rate, history_of
    from serving.cli.experiment_tables import print_base_rates
    from serving.definition_checks import checked, to_know
    from serving.service import economics_of

    read = history_of(history) if history else None
    settings = _settings()
    faults, sound = checked(files, settings, against=against, history=read)
    for fault in faults:
        typer.echo(fault.sentence, err=True)
    for caution in to_know(files):
        typer.echo(f"Warning: {caution.sentence}", err=True)
    if faults:
        raise typer.Exit(EXIT_FAULTY)
    for definition in sound:
        typer.echo(f"{definition.key}: nothing is wrong ({definition.status}, {len(definition.variants)} variants)")
    if read is not None:
        economics = economics_of(settings)
        rates = [(one, base_rate(read, one, economics)) for one in sound]
        print_base_rates(rates)
        if history is not None:
            from serving.cli.experiment_logs import print_logs

            print_logs(history, rates, model, settings, economics)


@app.command("list")
def list_(definitions: Definitions = None) -> None:
    """List the experiments of a folder."""
    from serving.cli.experiment_tables import print_list

    print_list(_folder(definitions).definitions)


@app.command("show")
def show(key: Key, definitions: Definitions = None) -> None:
    """Show one experiment: what it asks, whom it is about, its variants with their buckets, and its history."""
    from serving.cli.experiment_tables import print_definition

    print_definition(_folder(definitions).of(key))


@app.command("assign")
def assign(
    key: Key,
    customers: Annotated[list[str], typer.Argument(metavar="CUSTOMER...", help="Ids of the experiment's unit.")],
    merchant: Annotated[str, typer.Option(metavar="ID", help="The merchant whose customers they are.")],
    definitions: Definitions = None,
) -> None:
    """Show which variant each customer would get at today's coverage, if its payment is one of the target."""
    from experiments.assignment import bucket, place_in, variant_of

    definition = _folder(definitions).of(key)
    for customer in customers:
        drawn = bucket(definition.salt, merchant, customer)
        named = definition.overrides.get(merchant, {}).get(customer)
        namespace, place = definition.namespace, place_in(definition.namespace, merchant, customer)
        found = variant_of(definition, merchant, customer) if namespace.first <= place < namespace.end else None
        if named is not None:
            told = f"{named} (tester)"
        else:
            told = f"{found.variant} ({found.propensity:.4f})" if found else "takes no part"
        typer.echo(f"{customer}: {told}; bucket {drawn}, {place} of namespace {namespace.name}")


@app.command("outcomes")
def outcomes(key: Key, definitions: Definitions = None, sandbox: Sandbox = None, database: Database = None) -> None:
    """Show what became of each variant's payments; those whose window is not over are collecting."""
    from serving.cli.experiment_tables import print_outcomes
    from serving.experiment_outcomes import by_variant
    from serving.experiment_outcomes import outcomes as read

    definition = _folder(definitions).of(key)
    with ledger_of(database, sandbox) as (store, now):
        print_outcomes(definition, by_variant(read(store, definition, now)))


@app.command("report")
def report(
    key: Key,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            "--as-of",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"],
            metavar="INSTANT",
            help="What was known then (UTC); now if absent, by the sandbox's clock with --sandbox.",
            show_default=False,
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option("--json", metavar="FILE.json", help="Write the facts there too.", show_default=False)
    ] = None,
    page: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE.html", help="Write a page with plots there.", show_default=False),
    ] = None,
    track: Annotated[bool, typer.Option("--track", help="Keep it as a run in MLflow.")] = False,
    merchant: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Of this merchant's payments alone; of all if absent.", show_default=False),
    ] = None,
    definitions: Definitions = None,
    sandbox: Sandbox = None,
    database: Database = None,
) -> None:
    """Show what may be read of an experiment: its verdict, the check of the split, and every metric it names."""
    from serving.experiment_reporting import read_report
    from serving.service import economics_of

    definition = _folder(definitions).of(key)
    with ledger_of(database, sandbox) as (store, now):
        at = as_of.replace(tzinfo=UTC) if as_of else now
        found = read_report(store, definition, economics_of(_settings()), at, merchant)
    tell_report(found, json, page, track=track)


def tell_report(found: "Report", json: Path | None, page: Path | None, *, track: bool) -> None:
    """A report on the terminal, in the files that are named, and as a run in MLflow."""
    from experiments.report_facts import facts_of
    from serving.cli.experiment_report import print_report

    print_report(found)
    if json is not None:
        _save(json, facts_of(found), "--json")
    if page is not None:
        from serving.experiment_document import document_of
        from training.trial.document import report_html

        _write(page, report_html(document_of(found)).encode(), "--html")
    if track:
        from serving.cli.train import tracking_here
        from serving.experiment_document import document_of
        from training.trial.track import log_report

        asked = {"experiment": found.definition.key, "as_of": found.as_of.isoformat()}
        typer.echo(f"Run {log_report(document_of(found), tracking_here(), asked, 'experiment')}.")


app.command("rehearse")(rehearse)


@app.command("start")
def start(
    key: Key,
    by: By,
    coverage: Annotated[float, typer.Option(min=0, max=1, help=_SHARE)] = 1.0,
    note: Note = None,
    definitions: Definitions = None,
) -> None:
    """Start a draft: from now on first failures are assigned."""
    from experiments.definition import Change

    _written(_folder(definitions), key, Change.STARTED, by, note, coverage=coverage)


@app.command("ramp")
def ramp(
    key: Key,
    by: By,
    coverage: Annotated[float, typer.Option(min=0, max=1, help=_SHARE)],
    note: Note = None,
    definitions: Definitions = None,
) -> None:
    """Raise the coverage: who is in stays in the same variant."""
    from experiments.definition import Change

    _written(_folder(definitions), key, Change.RAMPED, by, note, coverage=coverage)


@app.command("reweight")
def reweight(
    key: Key,
    by: By,
    note: Note = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the weights and write nothing.")] = False,
    definitions: Definitions = None,
    database: Database = None,
) -> None:
    """Give a bandit's variants new weights by their matured outcomes: who is in stays in the same variant."""
    from experiments.definition import Change
    from serving.cli.experiment_reweight import next_weights, print_reweighing
    from serving.service import economics_of

    folder = _folder(definitions)
    found = next_weights(folder.of(key), url_of(database), economics_of(_settings()), datetime.now(UTC))
    print_reweighing(found)
    if dry_run:
        typer.echo(f"{key}: nothing is written.")
    else:
        _written(folder, key, Change.REWEIGHTED, by, note, weights=found.weights)


@app.command("stop")
def stop(key: Key, by: By, note: Note = None, definitions: Definitions = None) -> None:
    """Take nobody new; payments that are in keep their variant until it is concluded."""
    from experiments.definition import Change

    _written(_folder(definitions), key, Change.STOPPED, by, note)


@app.command("conclude")
def conclude(
    key: Key,
    by: By,
    decision: Annotated[str, typer.Option(metavar="WORD", help="ship, keep (the control stays) or abandon.")],
    variant: Annotated[
        str | None, typer.Option(metavar="NAME", help="The variant that is shipped.", show_default=False)
    ] = None,
    note: Note = None,
    definitions: Definitions = None,
) -> None:
    """Record what was decided and by whom; from now on nobody is answered by the experiment."""
    from experiments.definition import Change, Decided

    if decision not in set(Decided):
        raise InvalidValueError("--decision", decision, f"one of {', '.join(Decided)}")
    folder, decided = _folder(definitions), Decided(decision)
    known = sorted(folder.of(key).variants)
    if decided is Decided.SHIP and variant not in known:
        raise InvalidValueError("--variant", variant or "nothing", f"the variant to ship: one of {', '.join(known)}")
    _written(folder, key, Change.CONCLUDED, by, note, decision=decided, variant=variant)


@app.command("schema")
def schema(
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="Where to write it.")] = Path(
        "docs/experiment.schema.json"
    ),
) -> None:
    """Write the JSON Schema of definitions, for editors."""
    from experiments.definition_file import definition_schema

    _save(out, definition_schema())


@app.command("vectors")
def vectors(
    out: Annotated[Path, typer.Option(metavar="FILE.json", help="Where to write them.")] = Path(
        "docs/experiments/vectors.json"
    ),
) -> None:
    """Write the test vectors of assignment, for other languages."""
    from experiments.vectors import vectors as made

    _save(out, dict(made()))


def _written(
    folder: "Folder",
    key: str,
    what: "Change",
    by: str,
    note: str | None,
    *,
    coverage: float | None = None,
    decision: "Decided | None" = None,
    variant: str | None = None,
    weights: "Mapping[str, float] | None" = None,
) -> None:
    from experiments.definition import Entry
    from experiments.lifecycle import changed
    from serving.definition_checks import known_under
    from serving.definitions import faults_in

    path, now = folder.path_of(key), datetime.now(UTC).replace(microsecond=0)
    entry = Entry(now, what, by, coverage, decision, variant, note, weights)
    text = changed(path.read_text(encoding="utf-8"), str(path), entry)
    faults = faults_in(folder.rewritten(path, text).reads, known_under(_settings()))
    if faults:
        raise InputError(" ".join(fault.sentence for fault in faults))
    temporary = path.with_name(f".{path.name}.part")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}") from None
    typer.echo(f"{key}: {what} by {by}; written to {path}. Commit it, and restart the service to have it answer so.")


def _folder(given: Path | None) -> "Folder":
    from serving.definitions import folder_at

    path = given or _settings().experiments
    if path is None:
        raise InvalidValueError("--definitions", "nothing", "a folder of definitions, here or in RECOUP_EXPERIMENTS")
    return folder_at(path)


def _settings() -> "Settings":
    from serving.settings import settings_from

    return settings_from(os.environ)


def _save(out: Path, document: dict[str, object], option: str = "--out") -> None:
    import orjson

    _write(out, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n", option)


def _write(out: Path, content: bytes, option: str) -> None:
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_bytes(content)
    except OSError as error:
        raise InputError(f"{option} {out}: cannot be written: {error.strerror}") from None
    typer.echo(f"Wrote {out}.")

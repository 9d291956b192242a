"""`recoup rulebook`: see the rules in force, what changes between two days, and whether rule files can be used."""

import re
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from features.errors import InputError, RecoupError

if TYPE_CHECKING:
    from model.caps.rulebook import Rulebook

# Faults are joined by semicolons, and so are what is wrong and what would be right.
_BETWEEN_FAULTS = re.compile(r"; (?!expected )")

app = typer.Typer(help="See and check the rules that retries are held against.", no_args_is_help=True)


@app.command("show")
def show(
    at: Annotated[str | None, typer.Option(metavar="DATE", help="In force on that day (UTC); today if absent.")] = None,
    network: Annotated[str | None, typer.Option(help="Only what binds this network, such as visa or ach.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As GET /v1/rulebook answers.")] = False,
) -> None:
    """Show every rule and price in force on a day."""
    from serving.cli.rulebook_tables import print_rulebook
    from serving.rulebook_answers import day_of, network_of, rulebook_out

    answer = rulebook_out(_rulebook(), day_of(at, _today()), network_of(network))
    if as_json:
        typer.echo(answer.model_dump_json(indent=2))
    else:
        print_rulebook(answer)


@app.command("diff")
def diff(
    before: Annotated[str, typer.Argument(metavar="DATE")],
    after: Annotated[str, typer.Argument(metavar="DATE")],
) -> None:
    """Show which rules and prices begin, end or change from one day to another."""
    from model.caps.comparison import differences
    from serving.rulebook_answers import day_of

    first, second = day_of(before, _today()), day_of(after, _today())
    found = differences(_rulebook(), first, second)
    for difference in found:
        typer.echo(f"{difference.rule_id} {difference.change}")
        for line in difference.what:
            typer.echo(f"    {line}")
    if not found:
        typer.echo(f"Nothing differs between {first} and {second}.")


@app.command("check")
def check(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="TOML files of rules or of settings.")],
) -> None:
    """Check rule files and settings files; every fault of every file is named at once."""
    texts, faults = _texts(files)
    settings = {name: text for name, text in texts.items() if _is_settings(text)}
    rules = {name: text for name, text in texts.items() if name not in settings}
    checks = [partial(_check_settings, name, text) for name, text in settings.items()]
    if rules:
        checks.insert(0, partial(_check_rules, rules))
    for one in checks:
        try:
            typer.echo(one())
        except RecoupError as error:
            faults.append(str(error))
    if faults:
        raise InputError(_BETWEEN_FAULTS.sub("\n  ", "\n".join(faults)))


def _check_rules(texts: dict[str, str]) -> str:
    from model.caps.rulebook import Rulebook

    book = Rulebook.from_texts(texts)
    return f"{len(book.rules)} rules and {len(book.schedules)} schedules can be used; version {book.version}."


def _check_settings(name: str, text: str) -> str:
    from model.caps.rulebook import Rulebook
    from model.caps.settings import read_settings
    from serving.merchant_rules import rulebook_under

    settings, faults = read_settings(text, name)
    book = Rulebook.load()
    try:
        book = rulebook_under(settings, Path(name))
    except InputError as error:
        faults.append(str(error))
    if faults:
        raise InputError("; ".join(faults))
    chosen, stricter = len(settings.published), len(settings.tightenings)
    own = f", {len(book.rules) - len(Rulebook.load().rules)} rules added" if settings.rules else ""
    return f"{name}: {chosen} published figures chosen, {stricter} rules tightened{own}; version {book.version}."


def _is_settings(text: str) -> bool:
    import tomllib

    try:
        return not tomllib.loads(text).keys().isdisjoint({"published", "tighten", "rules"})
    except tomllib.TOMLDecodeError:
        return False


def _texts(files: list[Path]) -> tuple[dict[str, str], list[str]]:
    """The texts of the files that can be read, by name, and what cannot be."""
    texts, faults = {}, []
    for path in files:
        try:
            texts[str(path)] = _text(path)
        except InputError as error:
            faults.append(str(error))
    return texts, faults


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise InputError(f"{path} cannot be read: {reason}") from None


def _rulebook() -> "Rulebook":
    import os

    from serving.merchant_rules import merchant_rulebook
    from serving.settings import settings_from

    return merchant_rulebook(settings_from(os.environ))


def _today() -> date:
    from datetime import UTC, datetime

    return datetime.now(UTC).date()

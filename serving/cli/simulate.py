"""`recoup simulate`: a simulated merchant's attempt history, and apart from it the truth for replay."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from features.errors import InputError, InvalidValueError

DEFAULT_ATTEMPTS = 1_000_000


class PolicyChoice(StrEnum):
    """How the simulated merchant retries."""

    MIXED = "mixed"
    FIXED = "fixed-1-3-5-7"
    RANDOMISED = "randomised"


_RANDOMISED_SHARE = {PolicyChoice.MIXED: 0.5, PolicyChoice.FIXED: 0.0, PolicyChoice.RANDOMISED: 1.0}


def simulate(
    out: Annotated[Path | None, typer.Option(metavar="FOLDER", help="Where history.parquet and truth/ go.")] = None,
    attempts: Annotated[
        int | None, typer.Option(help="At least so many attempts, of whole customers (default 1,000,000).")
    ] = None,
    customers: Annotated[int | None, typer.Option(help="So many customers, instead of --attempts.")] = None,
    seed: Annotated[int, typer.Option(help="Any whole number; the same seed gives the same bytes.")] = 7,
    start: Annotated[str, typer.Option(metavar="YYYY-MM-01", help="First day of billing.")] = "2025-01-01",
    months: Annotated[int, typer.Option(help="Months of billing.")] = 18,
    policy: Annotated[PolicyChoice, typer.Option(help="How the merchant retries.")] = PolicyChoice.MIXED,
    shift_issuers: Annotated[
        int, typer.Option(metavar="N", help="Give the issuers other habits; the customers stay as they are.")
    ] = 0,
    shift_paydays: Annotated[int, typer.Option(metavar="DAYS", help="Let every payday fall so much later.")] = 0,
    outage_month: Annotated[
        int, typer.Option(metavar="MONTH", help="Month of billing in which issuers are down ten times as often.")
    ] = 0,
) -> None:
    """Simulate a merchant in six markets and write its attempt history.

    Everything in it is invented; docs/simulator.md states the assumptions. FOLDER/history.parquet is what a merchant
    would have; FOLDER/truth is for replay and must not be learnt from.
    """
    if out is None:
        raise InputError("--out: is missing; name the folder to write, such as --out simulated")
    if out.exists() and not out.is_dir():
        raise InputError(f"--out {out}: is a file; name a folder")
    if attempts is not None and customers is not None:
        raise InputError("--customers and --attempts: state only one of them")
    first = _day(start)
    from experiments.simulator.generate import generate, generate_attempts
    from experiments.simulator.settings import Settings, Shift
    from serving.simulate import write_world

    shift = Shift(shift_issuers, shift_paydays, outage_month)
    share = _RANDOMISED_SHARE[policy]
    with _progress() as advance:
        if customers is not None:
            made = generate(Settings(seed, first, months, customers, shift), randomised_share=share, progress=advance)
        else:
            wanted = DEFAULT_ATTEMPTS if attempts is None else attempts
            made = generate_attempts(seed, first, months, wanted, randomised_share=share, shift=shift, progress=advance)
    rows = write_world(made, out)
    typer.echo(f"{rows:,} attempts of {made.settings.customers:,} simulated customers: {out / 'history.parquet'}")
    typer.echo(f"hidden truth for replay, not for learning: {out / 'truth'}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidValueError("--start", text, "the first day of a month, such as 2025-01-01") from None


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on standard error; plain lines where that is no terminal."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task("simulating customers", total=None)

        def advance(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total)

        yield advance

"""The tables that `recoup train` prints: what was learnt from, how good it is, and whether it may answer."""

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from features.instants import from_micros
from training.card import NAMES, interval
from training.metrics import METRICS

if TYPE_CHECKING:
    from experiments.resamples import Estimate
    from training.pipeline import TrainingResult
    from training.register import Logged

_WIDTH_WITHOUT_TERMINAL = 120
_SHOWN = ("log_loss", "brier", "ece", "auc", "pr_auc", "slope")


def print_result(result: "TrainingResult") -> None:
    """Print counts, windows, figures against the baselines, calibration and the gate's verdict."""
    console = _console()
    for table in (_counts(result), _windows(result), _figures(result), _gains(result)):
        console.print(table)
        console.print()
    console.print(_calibration(result), soft_wrap=True)
    _print_gate(console, result)


def print_end(result: "TrainingResult", logged: "Logged", out: Path | None) -> None:
    """Print where the run and the model are."""
    console = _console()
    console.print(f"Model version [bold]{result.version}[/bold]; MLflow run {logged.run_id}.", soft_wrap=True)
    if out is not None:
        console.print(f"The model is in {escape(str(out))}.", soft_wrap=True)
    if logged.place == "champion":
        console.print(f"Registered as recoup-retry version {logged.registered}, now the champion.", soft_wrap=True)
    elif logged.place == "challenger":
        console.print(
            f"Registered as recoup-retry version {logged.registered}, the challenger; the champion goes on answering. "
            f"Evaluate its policy, then: recoup promote {logged.registered} --evaluation FILE",
            soft_wrap=True,
        )
    elif result.verdict.passed:
        console.print("Not registered, as asked.")
    else:
        console.print("[red]Not registered: the gate refused it.[/red]")
    if logged.uri.startswith("http"):
        console.print(f"Look at it: {escape(logged.uri)}/#/experiments/{logged.experiment_id}", soft_wrap=True)
    else:
        console.print(f"Look at it: mlflow ui --backend-store-uri {escape(logged.uri)}", soft_wrap=True)


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(width=_WIDTH_WITHOUT_TERMINAL, highlight=False)


def _plain(title: str, *headings: str) -> Table:
    table = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=None,
        padding=(0, 2, 0, 0),
        show_header=any(headings),
    )
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="left" if number == 0 else "right", no_wrap=True)
    return table


def _counts(result: "TrainingResult") -> Table:
    data = result.dataset
    table = _plain("Rows", "", "")
    table.add_row("attempts read", f"{data.read:,}")
    for reason, count in data.left_out.items():
        if count:
            table.add_row(f"left out: {reason}", f"{count:,}")
    table.add_row("rows that teach", f"{len(data):,}")
    return table


def _windows(result: "TrainingResult") -> Table:
    data, split = result.dataset, result.split
    table = _plain("Windows, by decision", "", "from", "rows", "approved")
    windows = (
        ("train", int(data.decided_at.min()), split.train),
        ("calibrate", split.calibrate_from, split.calibrate),
        ("test", split.test_from, split.test),
    )
    for name, start, rows in windows:
        table.add_row(name, f"{from_micros(start):%Y-%m-%d}", f"{rows.sum():,}", f"{data.y[rows].mean():.1%}")
    if split.embargoed:
        table.add_row("embargoed", "", f"{split.embargoed:,}", "")
    table.add_row("last decision", f"{from_micros(int(data.decided_at.max())):%Y-%m-%d}", "", "")
    return table


def _figures(result: "TrainingResult") -> Table:
    """One line a figure, one column a scorer, so that a terminal of 100 columns shows it all."""
    evaluation = result.evaluation
    title = f"Test window: {evaluation.rows:,} rows of {evaluation.customers:,} customers, 95 % intervals by customer"
    table = _plain(title, "", *(NAMES.get(scorer, scorer).strip("*") for scorer in evaluation.figures))
    for metric in METRICS:
        if metric.name in _SHOWN:
            cells = [interval(figures.get(metric.name), 3) for figures in evaluation.figures.values()]
            table.add_row(metric.name.replace("_", " "), *cells)
    return table


def _gains(result: "TrainingResult") -> Table:
    table = _plain("How much better the model is, paired by customer", "against", "log loss", "Brier", "AUC")
    for baseline, gains in result.evaluation.gains.items():
        cells = [_signed(gains.get(name)) for name in ("log_loss", "brier", "auc")]
        table.add_row(NAMES.get(baseline, baseline), *cells)
    return table


def _signed(estimate: "Estimate | None") -> str:
    return "–" if estimate is None else f"{estimate.value:+.4f} ({estimate.low:+.4f} to {estimate.high:+.4f})"


def _calibration(result: "TrainingResult") -> str:
    chosen = result.calibration
    gains = {gain.kind: gain for gain in chosen.gains}
    text = f"{len(result.bag.texts)} boosters of {result.bag.trees} trees; calibration: {chosen.kind}"
    if chosen.kind == "none":
        return text + (" (no other gained more than its noise)" if gains else " (too few outcomes to fit one)")
    gain = gains[chosen.kind]
    return text + f" (log loss on unseen customers {gain.gain:+.4f} better than none, ± {gain.standard_error:.4f})"


def _print_gate(console: Console, result: "TrainingResult") -> None:
    verdict = result.verdict
    console.print(f"Gate: [bold]{'[green]passed' if verdict.passed else '[red]refused'}[/]")
    for check in verdict.checks:
        console.print(f"  {'[green]✔[/green]' if check.passed else '[red]✘[/red]'} {check.sentence}", soft_wrap=True)

"""The report of an experiment on the terminal: verdicts first, then what they rest on."""

from rich.console import Console
from rich.table import Table

from experiments.report import Report
from serving.experiment_words import Grid, adjusted, checks, lead, lift, metrics, units, verdicts

_WIDTH = 160


def print_report(report: Report) -> None:
    """Everything but segments, which are exploratory and stand in the file and on the page."""
    console = _console()
    for line in (lead(report), *verdicts(report)):
        console.print(line)
    console.print(_table(units(report)))
    for line in checks(report):
        console.print(line)
    if report.analysis.withheld:
        return
    for one in report.analysis.variants:
        console.print(_table(metrics(report, one)))
        said = adjusted(report, one)
        if said:
            console.print(said)
    against = lift(report)
    if against:
        console.print(against)


def print_grid(grid: Grid) -> None:
    """One table."""
    _console().print(_table(grid))


def _console() -> Console:
    """Wide enough for every figure; a narrower terminal wraps lines, and loses none."""
    width = max(Console().width, _WIDTH)
    return Console(highlight=False, markup=False, soft_wrap=True, width=width)


def _table(grid: Grid) -> Table:
    table = Table(box=None)
    for heading in grid.header:
        table.add_column(heading, justify="left" if heading in grid.words else "right", no_wrap=True, overflow="ignore")
    for row in grid.rows:
        table.add_row(*row)
    return table

"""The report of an experiment on the terminal: verdicts first, then what they rest on."""

from rich.console import Console
from rich.table import Table

from experiments.analysis.analysis import VariantAnalysis
from experiments.analysis.effect import Effect
from experiments.analysis.power import Method
from experiments.analysis.verdict import interval_of
from experiments.report import Report

_WIDTH = 160


def print_report(report: Report) -> None:
    """Everything but segments, which are exploratory and stand in the file."""
    console = _console()
    definition, analysis = report.definition, report.analysis
    console.print(
        f"{definition.key}: {definition.status}, {analysis.days_run:.1f} days after the first exposure, as of "
        f"{report.as_of:%Y-%m-%d %H:%M} UTC"
    )
    for one in analysis.variants:
        console.print(f"{one.variant}: {one.verdict.word}. {one.verdict.sentence}")
    _print_units(console, report)
    if analysis.withheld:
        console.print("Outcomes are withheld, for the split is not what was planned.")
        return
    for one in analysis.variants:
        _print_variant(console, report, one)
    if report.unmeasured:
        console.print(f"Not measured, for the ledger is told nothing of it: {', '.join(report.unmeasured)}.")
    _print_lift(console, report)


def _print_units(console: Console, report: Report) -> None:
    analysis, split = report.analysis, report.analysis.split
    table = _table("variant", "exposed", "expected", "mature", "collecting")
    for name, counted in split.counted.items():
        figures = (counted, round(split.expected[name]), analysis.mature.get(name, 0), analysis.collecting.get(name, 0))
        control = " (control)" if name == report.definition.control else ""
        table.add_row(f"{name}{control}", *(f"{figure:,}" for figure in figures))
    console.print(table)
    console.print(f"Split: {'as planned' if split.healthy else 'broken'} (always-valid p {split.anytime_p:.3g}).")
    if not analysis.withheld:
        console.print(_planned_sentence(report))


def _planned_sentence(report: Report) -> str:
    planned = report.planned
    if planned.stated:
        return f"Planned: {planned.units:,} mature units of control and one variant."
    if planned.settled:
        return f"Planned: {planned.units:,} mature units of control and one variant, by the first units to mature."
    return "The planned number of units is not known yet: the definition states none, and too few are mature."


def _print_variant(console: Console, report: Report, one: VariantAnalysis) -> None:
    method = report.plan.method
    kind = "always-valid" if method is Method.SEQUENTIAL else "fixed-horizon"
    table = _table("metric", "as", report.definition.control, one.variant, "difference", f"{kind} interval", "says")
    primary = report.primary(one)
    if primary is None:
        table.add_row(report.plan.primary, "primary", "", "", "", "", "not yet")
    else:
        table.add_row(*_row(primary, "primary", method), _relative(primary, method))
    for guarded in one.guarded:
        says = f"{guarded.state} (margin {guarded.rail.margin:g})"
        if guarded.effect is None:
            table.add_row(guarded.rail.metric, "guard-rail", "", "", "", "", says)
        else:
            table.add_row(*_row(guarded.effect, "guard-rail", Method.SEQUENTIAL), says)
    for claim in report.secondary(one):
        p = claim.always_p if method is Method.SEQUENTIAL else claim.fixed_p
        # By Holm's p-value the whole variant's alpha is compared with, however many the secondary metrics are.
        alpha = report.plan.alpha / len(report.plan.compared)
        says = f"{'differs' if p < alpha else 'no difference shown'} (corrected p {p:.3g})"
        table.add_row(*_row(claim.effect, "secondary", method), says)
    console.print(table)


def _row(effect: Effect, role: str, method: Method) -> tuple[str, ...]:
    interval = interval_of(effect, method)
    return (
        effect.metric,
        role,
        f"{effect.control:.4g}",
        f"{effect.treatment:.4g}",
        f"{effect.difference:+.4g}",
        f"{interval.low:+.4g} to {interval.high:+.4g} ({100 * (1 - effect.alpha):.4g} %)",
    )


def _relative(effect: Effect, method: Method) -> str:
    found = effect.relative_always if method is Method.SEQUENTIAL else effect.relative_fixed
    if effect.relative is None or found is None:
        return ""
    return f"{effect.relative:+.1%} of control ({found.low:+.1%} to {found.high:+.1%})"


def _print_lift(console: Console, report: Report) -> None:
    if report.plan.hold_out is None:
        return
    lift = report.analysis.lift
    if lift is None:
        console.print("Against the hold-out: too few units are mature.")
        return
    low, high = lift.effect.always.low, lift.effect.always.high
    console.print(
        f"Against the hold-out: {lift.effect.metric} {lift.effect.treatment:.4g} with retries and "
        f"{lift.effect.control:.4g} without, a difference of {lift.effect.difference:+.4g} "
        f"(always-valid interval {low:+.4g} to {high:+.4g})."
    )


def _console() -> Console:
    """Wide enough for every figure; a narrower terminal wraps lines, and loses none."""
    width = max(Console().width, _WIDTH)
    return Console(highlight=False, markup=False, soft_wrap=True, width=width)


def _table(*headings: str) -> Table:
    table = Table(box=None)
    for heading in headings:
        left = heading in {"variant", "metric", "as", "says"}
        table.add_column(heading, justify="left" if left else "right", no_wrap=True, overflow="ignore")
    return table

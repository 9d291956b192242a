"""The report of an experiment as one page: verdicts, what they rest on, and how they came about day by day."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from experiments.analysis.recovery_curve import RecoveryCurve
from experiments.analysis.verdict import interval_of
from experiments.definition import Method
from experiments.report import Report
from experiments.report_curves import Look, curves_of, effect_by_day, several_epochs
from experiments.report_facts import facts_of
from serving.experiment_words import Grid, adjusted, by_segment, checks, lead, lift, metrics, units, verdicts
from training.trial.document import Report as Document
from training.trial.document import Section, Table


def document_of(report: Report) -> Document:
    """The page; on a broken split it has no outcome."""
    against = lift(report)
    sections = [Section("Units", checks(report), (_table("Who is in", units(report)),))]
    if not report.analysis.withheld:
        sections += [_metrics(report), *_by_day(report), *_segments(report)]
    return Document(
        title=f"Experiment {report.definition.key}",
        lead=f"{lead(report)}. {report.definition.hypothesis}",
        findings=(*verdicts(report), *((against,) if against else ())),
        sections=tuple(sections),
        figures=_numbers(report),
        data=facts_of(report),
    )


def _numbers(report: Report) -> dict[str, float]:
    """What a tracker compares from one day to the next: units, and every effect that may be read with its ends."""
    analysis, method = report.analysis, report.plan.method
    found: dict[str, float] = {"days_run": analysis.days_run, "split/anytime_p": analysis.split.anytime_p}
    found |= {f"mature/{name}": count for name, count in analysis.mature.items()}
    for one in analysis.variants:
        primary = report.primary(one)
        read = [(effect, method) for effect in (primary, *(claim.effect for claim in report.secondary(one))) if effect]
        read += [(rail.effect, Method.SEQUENTIAL) for rail in one.guarded if rail.effect]
        for effect, how in read:
            interval, name = interval_of(effect, how), f"{one.variant}/{effect.metric}"
            found |= {name: effect.difference, f"{name}_low": interval.low, f"{name}_high": interval.high}
    return found


def _metrics(report: Report) -> Section:
    by_variant = tuple(_table(f"{one.variant} and control", metrics(report, one)) for one in report.analysis.variants)
    said = [adjusted(report, one) for one in report.analysis.variants]
    notes = ("Only units whose window is over are counted.", *(note for note in said if note))
    return Section("Metrics", notes, by_variant)


def _by_day(report: Report) -> list[Section]:
    effects = [(one.variant, effect_by_day(report, one)) for one in report.analysis.variants]
    drawn = tuple(_effect_plot(report, variant, looks) for variant, looks in effects if looks)
    curves = curves_of(report)
    found = []
    if drawn:
        note = "The band may be looked at on any day: it holds the truth on all of them together."
        found.append(Section("The effect as it stood on each day", (note,), plots=drawn))
    if several_epochs(report):
        why = "No curves: the bandit changed the weights, and curves over all of its weights would mislead."
        found.append(Section("Recovered by day", (why,)))
    elif curves:
        notes = ("Shares of the failed amount with 95 % intervals for one day each; for looking at, not for deciding.",)
        found.append(Section("Recovered by day", notes, (_at_risk(curves),), (_curve_plot(curves),)))
    return found


def _segments(report: Report) -> list[Section]:
    tables = tuple(
        _table(f"{one.variant} by {found.name}: p of differing {found.p:.3g}", by_segment(report, found))
        for one in report.analysis.variants
        for found in report.segments(one)
        if found.effects
    )
    note = "Exploratory: none of it changes a verdict. Shrunken is the difference drawn towards the common one."
    return [Section("Segments", (note,), tables)] if tables else []


def _table(caption: str, grid: Grid) -> Table:
    return Table(caption, grid.header, grid.rows)


def _at_risk(curves: Sequence[RecoveryCurve]) -> Table:
    """Payments not yet recovered before some days of the window."""
    last = len(curves[0].at_risk)
    shown = sorted({1, last, *range(7, last, 7)})
    rows = tuple((one.variant, f"{one.payments:,}", *(f"{one.at_risk[day - 1]:,}" for day in shown)) for one in curves)
    return Table("Payments at risk", ("variant", "payments", *(f"day {day}" for day in shown)), rows)


def _effect_plot(report: Report, variant: str, looks: Sequence[Look]) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    seen = [(look.day, look.effect) for look in looks if look.effect is not None]
    day = [at for at, _ in seen]
    axes.fill_between(day, [e.always.low for _, e in seen], [e.always.high for _, e in seen], alpha=0.25)
    axes.plot(day, [e.difference for _, e in seen])
    axes.axhline(0, color="black", linewidth=0.8)
    axes.set(xlabel="days after the first exposure", ylabel=f"{report.plan.primary}: {variant} less control")
    return figure


def _curve_plot(curves: Sequence[RecoveryCurve]) -> Figure:
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    axes = figure.subplots()
    for one in curves:
        day = range(1, len(one.share) + 1)
        axes.plot(day, one.share, label=one.variant)
        axes.fill_between(day, one.low, one.high, alpha=0.2)
    axes.set(xlabel="days after the first failure", ylabel="share of the failed amount that is back")
    axes.legend()
    return figure

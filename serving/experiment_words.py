"""A report of an experiment in words and rows of text, for the terminal and for the page alike."""

from dataclasses import dataclass

from experiments.analysis.analysis import VariantAnalysis
from experiments.analysis.effect import Effect
from experiments.analysis.segments import Segments
from experiments.analysis.verdict import interval_of
from experiments.definition import Method
from experiments.report import Report


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of text under a header; the columns of `words` are read as words, the others as figures."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[str] = frozenset({"variant", "metric", "as", "says", "segment"})


def lead(report: Report) -> str:
    """Where the experiment stands, in a sentence."""
    run = report.analysis.days_run
    stands = f"{report.definition.status}, {run:.1f} days after the first exposure"
    return f"{report.definition.key}: {stands}, as of {report.as_of:%Y-%m-%d %H:%M} UTC"


def verdicts(report: Report) -> tuple[str, ...]:
    """A line a variant."""
    return tuple(f"{one.variant}: {one.verdict.word}. {one.verdict.sentence}" for one in report.analysis.variants)


def units(report: Report) -> Grid:
    """How many units there are of each variant."""
    analysis, control = report.analysis, report.definition.control
    rows = []
    for name, counted in analysis.split.counted.items():
        expected = round(analysis.split.expected[name])
        figures = (counted, expected, analysis.mature.get(name, 0), analysis.collecting.get(name, 0))
        rows.append((f"{name} (control)" if name == control else name, *(f"{figure:,}" for figure in figures)))
    return Grid(("variant", "exposed", "expected", "mature", "collecting"), tuple(rows))


def checks(report: Report) -> tuple[str, ...]:
    """The split, the planned number, and what is withheld or not measured."""
    split = report.analysis.split
    said = [f"Split: {'as planned' if split.healthy else 'broken'} (always-valid p {split.anytime_p:.3g})."]
    if report.analysis.withheld:
        return (*said, "Outcomes are withheld, for the split is not what was planned.")
    said.append(_planned(report))
    if report.unmeasured:
        said.append(f"Not measured, for the ledger is told nothing of it: {', '.join(report.unmeasured)}.")
    return tuple(said)


def _planned(report: Report) -> str:
    if not report.planned_known:
        return "The planned number of units is not known yet: the definition states none, and too few are mature."
    source = "" if report.planned.stated else ", by the first units to mature"
    return f"Planned: {report.planned.units:,} mature units of control and one variant{source}."


def metrics(report: Report, one: VariantAnalysis) -> Grid:
    """Every metric of one variant; guard-rails are watched daily, so theirs are always-valid intervals."""
    method, primary = report.plan.method, report.primary(one)
    rows = [
        (*_figures(primary, "primary", method), _relative(primary, method))
        if primary
        else _without(report.plan.primary, "primary", "not yet")
    ]
    for guarded in one.guarded:
        says = f"{guarded.state} (margin {guarded.rail.margin:g})"
        if guarded.effect is None:
            rows.append(_without(guarded.rail.metric, "guard-rail", says))
        else:
            rows.append((*_figures(guarded.effect, "guard-rail", Method.SEQUENTIAL), says))
    # Holm's p-values are compared with the variant's whole alpha, however many secondary metrics there are.
    alpha = report.plan.alpha / len(report.plan.compared)
    for claim in report.secondary(one):
        p = claim.always_p if method is Method.SEQUENTIAL else claim.fixed_p
        says = f"{'differs' if p < alpha else 'no difference shown'} (corrected p {p:.3g})"
        rows.append((*_figures(claim.effect, "secondary", method), says))
    kind = "always-valid" if method is Method.SEQUENTIAL else "fixed-horizon"
    header = ("metric", "as", report.plan.control, one.variant, "difference", f"{kind} interval", "says")
    return Grid(header, tuple(rows))


def adjusted(report: Report, one: VariantAnalysis) -> str | None:
    """What the covariate did to the primary metric; None without one, or where nothing may be read."""
    primary = report.primary(one)
    if primary is None or primary.unadjusted is None:
        return None
    plain = primary.unadjusted
    interval = interval_of(plain, report.plan.method)
    return (
        f"Adjusted by {report.definition.covariate}, which takes off {primary.reduction:.1%} of the variance; without "
        f"it {plain.metric} differs by {plain.difference:+.4g} ({interval.low:+.4g} to {interval.high:+.4g})."
    )


def by_segment(report: Report, found: Segments) -> Grid:
    """The effect by the values of one label."""
    rows = [
        (one.label, *_figures(one.effect, "", report.plan.method)[2:], f"{one.shrunken:+.4g}") for one in found.effects
    ]
    return Grid(("segment", report.plan.control, "variant", "difference", "interval", "shrunken"), tuple(rows))


def lift(report: Report) -> str | None:
    """Everybody treated against the hold-out; None without one, or where nothing may be shown."""
    if report.plan.hold_out is None or report.analysis.withheld:
        return None
    found = report.analysis.lift
    if found is None:
        return "Against the hold-out: too few units are mature, or a few outweigh the rest."
    effect = found.effect
    return (
        f"Against the hold-out: {effect.metric} {effect.treatment:.4g} with retries and {effect.control:.4g} without, "
        f"a difference of {effect.difference:+.4g} "
        f"(always-valid interval {effect.always.low:+.4g} to {effect.always.high:+.4g})."
    )


def _without(metric: str, role: str, says: str) -> tuple[str, ...]:
    return (metric, role, "", "", "", "", says)


def _figures(effect: Effect, role: str, method: Method) -> tuple[str, ...]:
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

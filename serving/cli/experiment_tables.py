"""Experiments as tables on the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from experiments.allocation import allocation, propensities
from experiments.definition import Definition
from experiments.outcomes import RecoveredBy

if TYPE_CHECKING:
    from serving.base_rates import BaseRate
    from serving.experiment_outcomes import VariantOutcomes


def print_list(definitions: Sequence[Definition]) -> None:
    """One line an experiment."""
    table = Table(box=None)
    for heading in ("key", "status", "coverage", "namespace", "primary metric", "owner"):
        table.add_column(heading, no_wrap=True, overflow="ignore")
    for one in definitions:
        namespace = f"{one.namespace.name} {one.namespace.first}-{one.namespace.end}"
        table.add_row(one.key, one.status, f"{one.coverage:g}", namespace, one.primary_metric, one.owner)
    _console().print(table)


def print_definition(definition: Definition) -> None:
    """One experiment."""
    console = _console()
    console.print(f"{definition.key}: {definition.status}, owned by {definition.owner}")
    console.print(definition.hypothesis)
    console.print(
        f"{definition.primary_metric} within {definition.window_days} days, {definition.method} analysis at "
        f"{definition.alpha:g}; at least {definition.min_run_days} days; "
        f"{definition.power:.0%} power for {definition.smallest_effect:.1%} of the control's value"
    )
    shares = allocation(definition)
    chance = propensities(shares)
    table = Table("variant", "buckets", "share", "policy", box=None)
    for share in shares:
        variant = definition.variants.get(share.variant)
        kind = variant.policy.kind if variant else "no_retry"
        name = f"{share.variant} (control)" if share.variant == definition.control else share.variant
        table.add_row(name, f"{share.first}-{share.end}", f"{chance.get(share.variant, 0.0):.4f}", kind)
    console.print(table)
    for entry in definition.history:
        more = [f"coverage {entry.coverage:g}" if entry.coverage is not None else "", entry.decision or ""]
        more += [f"{name} {weight:g}" for name, weight in sorted((entry.weights or {}).items())]
        more += [entry.variant or "", entry.note or ""]
        console.print(f"{entry.at:%Y-%m-%d %H:%M} {entry.what} by {entry.by}  {' '.join(filter(None, more))}".rstrip())


def print_outcomes(definition: Definition, outcomes: "Sequence[VariantOutcomes]") -> None:
    """One line a variant."""
    table = Table(box=None)
    headings = ("variant", "units", "collecting", "mature", "retry", "customer", "itself", "taken back")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "variant" else "right", no_wrap=True)
    for one in outcomes:
        by = [one.by.get(RecoveredBy(word), 0) for word in ("retry", "customer", "itself")]
        table.add_row(one.variant, *(f"{n:,}" for n in (one.units, one.collecting, one.mature, *by, one.taken_back)))
    console = _console()
    by_day = f"payments by day {definition.window_days} after their first failure"
    console.print(f"{definition.key}: {by_day}, by who brought the money")
    console.print(table)


def print_base_rates(rates: "Sequence[tuple[Definition, BaseRate | None]]") -> None:
    """What the merchant's own history says of each definition, and how long it would have to run."""
    from serving.base_rates import run_time

    table = Table(box=None)
    for heading in ("key", "window", "units", "a week", "recovered", "needed", "weeks"):
        table.add_column(heading, justify="left" if heading == "key" else "right", no_wrap=True)
    for definition, rate in rates:
        row = (definition.key, f"{definition.window_days} days")
        if rate is None:
            table.add_row(*row, "0", "", "not known", "", "")
        else:
            run = run_time(definition, rate)
            told = (f"{rate.units:,}", f"{rate.per_week:,.1f}", f"{rate.recovered:.2%}")
            table.add_row(*row, *told, *((f"{run.units:,}", f"{run.weeks:,.0f}") if run else ("not known", "")))
    _console().print(table)


def _console() -> Console:
    return Console(highlight=False, markup=False, soft_wrap=True)

"""One promise, what was measured, and whether it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from scipy.stats import binomtest


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table.

    Args:
        promise: What must hold.
        measured: With its 95 % interval where it was sampled.
        of: How many trials, in words.
    """

    promise: str
    measured: str
    of: str
    holds: bool


def share(promise: str, hits: int, trials: int, of: str, low: float, high: float) -> Line:
    """A share of trials that must lie from `low` to `high`, with its Clopper-Pearson interval."""
    found = binomtest(hits, trials).proportion_ci(method="exact")
    measured = f"{hits / trials:.2%} ({float(found.low):.2%} to {float(found.high):.2%})"
    return Line(promise, measured, of, low <= hits / trials <= high)


def table(lines: Sequence[Line]) -> str:
    """As Markdown."""
    head = "| must hold | measured (95 % interval) | trials | holds |\n|---|---|---|---|\n"
    return head + "".join(
        f"| {one.promise} | {one.measured} | {one.of} | {'yes' if one.holds else '**no**'} |\n" for one in lines
    )

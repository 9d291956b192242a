"""What is true in a world, beside what the report of the experiment says: as rows of text, and as plain facts."""

from collections.abc import Sequence

from experiments.against_truth import Comparison, Judgement
from experiments.potential_outcomes import Truth
from serving.experiment_words import Grid

Facts = dict[str, object]


def truth_grid(found: Sequence[Comparison]) -> Grid:
    """One line an effect."""
    rows = tuple(
        (
            one.metric,
            one.name,
            f"{one.control:.4g}",
            f"{one.variant:.4g}",
            f"{one.truth:+.4g}",
            f"{one.estimate:+.4g}",
            f"{one.interval.low:+.4g} to {one.interval.high:+.4g}",
            "yes" if one.inside else "no",
        )
        for one in found
    )
    header = ("metric", "variant", "without", "with", "true effect", "reported", "its interval", "holds it")
    return Grid(header, rows, frozenset({"metric", "variant", "holds it"}))


def truth_facts(truth: Truth, found: Sequence[Comparison], judged: Sequence[Judgement], alike: int) -> Facts:
    """The same for a file that other programs read."""
    return {
        "payments": truth.payments,
        "units": truth.units,
        "alike": alike,
        "values": {
            name: {variant: one.value for variant, one in by_variant.items()} for name, by_variant in truth.sums.items()
        },
        "effects": [
            {
                "metric": one.metric,
                "variant": one.name,
                "truth": one.truth,
                "reported": one.estimate,
                "interval": {"low": one.interval.low, "high": one.interval.high},
                "inside": one.inside,
            }
            for one in found
        ],
        "judgements": [{"of": one.name, "agrees": one.agrees, "sentence": one.sentence} for one in judged],
    }

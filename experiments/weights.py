"""Weights over time: what each variant is given of the units, from the start and from every change of it on.

The variants' own weights are those of the start, and stay in the file for good; a bandit's later ones are entries of
the history. So every instant has its weights, and whoever reads the file can assign the units of any day again.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from experiments.definition import BUCKETS, Change, Definition, Entry

STEPS = frozenset({Change.STARTED, Change.RAMPED, Change.REWEIGHTED})
"""Changes after which the buckets are divided otherwise."""

_TOLERANCE = 1e-9
Found = Iterator[tuple[str, object, str]]  # key, value, remedy


def starting_weights(definition: Definition) -> Mapping[str, float]:
    """The weights that it was planned and started with."""
    return {name: variant.weight for name, variant in definition.variants.items()}


def current_weights(definition: Definition) -> Mapping[str, float]:
    """The last weights of its history, or those of the start."""
    stated = [entry.weights for entry in definition.history if entry.weights]
    return stated[-1] if stated else starting_weights(definition)


def weights_at(definition: Definition, at: datetime) -> Mapping[str, float]:
    """The weights in force for whoever first fails at an instant."""
    stated = [entry.weights for entry in definition.history if entry.weights and entry.at <= at]
    return stated[-1] if stated else starting_weights(definition)


def divided_since(definition: Definition, at: datetime) -> datetime | None:
    """Since when the buckets had been divided as they were at an instant; None before the start."""
    steps = [entry.at for entry in definition.history if entry.what in STEPS and entry.at <= at]
    return steps[-1] if steps else None


def weighted_since(definition: Definition) -> datetime | None:
    """When the current weights began; None before the start."""
    steps = [entry.at for entry in definition.history if entry.what in {Change.STARTED, Change.REWEIGHTED}]
    return steps[-1] if steps else None


def weight_faults(definition: Definition) -> Found:
    """What is wrong with the weights of the history."""
    bandit = definition.bandit
    if bandit is not None and not _whole(bandit.floor):
        yield "bandit.floor", bandit.floor, "expected whole buckets of 10,000: at most four digits after the point"
    for place, entry in enumerate(definition.history):
        key = f"history[{place}].weights"
        if entry.what is not Change.REWEIGHTED:
            if entry.weights is not None:
                yield key, dict(entry.weights), f"expected weights where it was {Change.REWEIGHTED} only"
        elif entry.weights is None:
            yield key, None, "expected the weights of all variants from then on"
        elif bandit is None:
            yield (
                "bandit",
                None,
                "expected a table such as { floor = 0.1, every_days = 7 }, for its history has weights",
            )
        else:
            yield from _weights(key, entry.weights, definition, bandit.floor)
    if bandit is not None:
        yield from _too_often(definition.history, timedelta(days=bandit.every_days))


def _weights(key: str, weights: Mapping[str, float], definition: Definition, floor: float) -> Found:
    if set(weights) != set(definition.variants):
        yield key, ", ".join(sorted(weights)), f"expected all variants: {', '.join(sorted(definition.variants))}"
    elif abs(sum(weights.values()) - 1.0) > _TOLERANCE:
        yield key, sum(weights.values()), "expected weights that add up to 1"
    for name, weight in sorted(weights.items()):
        if weight < floor - _TOLERANCE:
            yield f"{key}.{name}", weight, f"expected at least bandit.floor, which is {floor:g}"
        elif not _whole(weight):
            yield f"{key}.{name}", weight, "expected whole buckets of 10,000: at most four digits after the point"


def _too_often(history: tuple[Entry, ...], least: timedelta) -> Found:
    steps = [(place, entry) for place, entry in enumerate(history) if entry.what in {Change.STARTED, Change.REWEIGHTED}]
    for (_, before), (place, after) in pairwise(steps):
        if after.at - before.at < least:
            right = f"expected at least {least.days} days (bandit.every_days) after {before.at.isoformat()}"
            yield f"history[{place}].at", after.at.isoformat(), right


def _whole(share: float) -> bool:
    return abs(share * BUCKETS - round(share * BUCKETS)) <= 1e-6

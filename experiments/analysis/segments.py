"""Whether the effect differs by segment: exploratory, shown with what protects from reading noise as a finding.

Every segment has an interval at its share of alpha (Bonferroni over the segments shown), and a shrunken estimate, its
difference drawn towards the common one by how little the segments really differ (empirical Bayes, the variance between
them by DerSimonian & Laird 1986). Cochran's Q says whether they differ at all. None of it changes the verdict.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtrc

from experiments.analysis.effect import Effect, effect
from experiments.analysis.intervals import Tuning
from experiments.analysis.multiplicity import shared
from experiments.metrics.cohort import Words
from experiments.metrics.unit_rows import UnitRows


@dataclass(frozen=True, slots=True)
class SegmentEffect:
    """One value of a label: its effect, and the difference after shrinking."""

    label: str
    effect: Effect
    shrunken: float


@dataclass(frozen=True, slots=True)
class Segments:
    """One labelling.

    Args:
        effects: Of the segments large enough to show, largest first.
        common: The difference they share, precision-weighted.
        between: Standard deviation of the true differences, estimated; zero where noise explains all.
        p: That segments with one common effect differ this much (Cochran's Q).
        left_out: Units in segments too small to show.
    """

    name: str
    effects: tuple[SegmentEffect, ...]
    common: float
    between: float
    p: float
    left_out: int


def by_segment(
    rows: UnitRows, labels: Mapping[str, Words], variant: str, control: str, tuning: Tuning, alpha: float
) -> tuple[Segments, ...]:
    """Effects by every labelling; `labels` are of the cohort's units."""
    seen = {name: labels[name][rows.unit] for name in labels}
    share = shared(alpha, sum(len(np.unique(words)) for words in seen.values()))
    return tuple(_segments(name, words, rows, variant, control, tuning, share) for name, words in seen.items())


def _segments(
    name: str, words: Words, rows: UnitRows, variant: str, control: str, tuning: Tuning, alpha: float
) -> Segments:
    found: dict[str, Effect] = {}
    left_out = 0
    for word in np.unique(words):
        part = rows.where(words == word)
        one = effect(part, variant, control, tuning, alpha)
        if one is None:
            left_out += int((part.arm(variant) | part.arm(control)).sum())
        else:
            found[str(word)] = one
    ordered = sorted(found.items(), key=lambda item: -sum(item[1].units))
    common, between, p, shrunken = pooled(
        [one.difference for _, one in ordered], [one.standard_error for _, one in ordered]
    )
    effects = tuple(SegmentEffect(label, one, s) for (label, one), s in zip(ordered, shrunken, strict=True))
    return Segments(name, effects, common, between, p, left_out)


def pooled(differences: Sequence[float], errors: Sequence[float]) -> tuple[float, float, float, tuple[float, ...]]:
    """(common difference, standard deviation between, p of Cochran's Q, shrunken differences)."""
    d, variance = np.asarray(differences, dtype=np.float64), np.asarray(errors, dtype=np.float64) ** 2
    if not len(d):
        return float("nan"), 0.0, 1.0, ()
    weight = 1 / variance
    common = float(np.sum(weight * d) / weight.sum())
    q, freedom = float(np.sum(weight * (d - common) ** 2)), len(d) - 1
    scale = float(weight.sum() - np.sum(weight**2) / weight.sum())
    between = max(0.0, (q - freedom) / scale) if freedom else 0.0
    if between:
        weight = 1 / (variance + between)
        common = float(np.sum(weight * d) / weight.sum())
    shrunken = common + between / (between + variance) * (d - common)
    return common, between**0.5, float(chdtrc(freedom, q)) if freedom else 1.0, tuple(map(float, shrunken))

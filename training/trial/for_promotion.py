"""What a replay says for or against a model, as `recoup promote` reads it: against champion, baselines and limits."""

import math
from collections.abc import Mapping, Sequence

from experiments.comparison import NET, Comparison
from experiments.resamples import Estimate
from training.evidence import Difference, PolicyEvidence, SliceDifference
from training.trial.lineup import BASELINES, PLAN, PLAN_OF_CHAMPION
from training.trial.played import LEAST_SLICE, Played

_BY = ("category", "market")


def for_promotion(played: Played, model_version: str, champion_version: str | None) -> PolicyEvidence | None:
    """The evidence at the most retries played; None unless every baseline was played, so that none was picked.

    Args:
        model_version: Content hash of the model that the plan asked.
        champion_version: Content hash of the champion that was played beside it; None where none was.
    """
    most = max(played.comparisons)
    comparison = played.comparisons[most]
    if not comparison.results.keys() >= BASELINES:
        return None
    best = max(sorted(BASELINES), key=lambda name: comparison.results[name].net.mean())
    return PolicyEvidence(
        model_version=model_version,
        unit=f"{played.currency} a failed payment",
        incumbent=None if champion_version is None else _ahead(comparison, PLAN_OF_CHAMPION, champion_version),
        best_baseline=_ahead(comparison, best, best),
        breaches=played.breaches(PLAN) if played.limited else None,
        slices=_slices(comparison, best, played.contest.groups),
    )


def _ahead(comparison: Comparison, against: str, name: str) -> Difference:
    return Difference(name, comparison.difference(PLAN, against).figures[NET])


def _slices(comparison: Comparison, best: str, groups: Mapping[str, Sequence[str]]) -> tuple[SliceDifference, ...]:
    ours = {name: groups[name] for name in _BY}
    found = comparison.slices(PLAN, best, ours, LEAST_SLICE)
    return tuple(SliceDifference(s.group, s.word, s.recovered) for s in found if _told(s.recovered))


def _told(estimate: Estimate) -> bool:
    return all(map(math.isfinite, (estimate.value, estimate.low, estimate.high)))

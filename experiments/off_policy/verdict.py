"""Values with intervals, paired differences against a baseline, and a refusal where the log says too little."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from experiments.off_policy.amounts import Weighed
from experiments.off_policy.decisions import Decisions
from experiments.off_policy.episodes import Episodes
from experiments.off_policy.support import Support
from experiments.resamples import Estimate, Floats, Resamples, percentile_interval

Log = Decisions | Episodes | Weighed

HOLM_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Valued:
    """A target policy's value off a log.

    Args:
        values: By estimator, with 95 % intervals by customer; empty where refused.
        refusal: Why there is none; None where there is.
    """

    target: str
    support: Support
    values: Mapping[str, Estimate]
    refusal: str | None


@dataclass(frozen=True, slots=True)
class Contrast:
    """One target's value less another's, by one estimator, paired by customer.

    Args:
        difference: None where either is refused.
        p: Two-sided, from the resamples; None where refused.
        holds: Whether it differs from zero at 5 % over the whole declared set (Holm 1979).
    """

    target: str
    against: str
    estimator: str
    difference: Estimate | None
    p: float | None
    holds: bool
    refusal: str | None


def valued(targets: Mapping[str, Log], draws: Resamples) -> dict[str, Valued]:
    """The value of every target on the same log.

    Args:
        targets: By name; all of the same rows in the same order.
        draws: Of the customers who own the rows.
    """
    return {name: _valued(name, log, draws) for name, log in targets.items()}


def contrasts(
    targets: Mapping[str, Log], pairs: Sequence[tuple[str, str]], estimator: str, draws: Resamples
) -> list[Contrast]:
    """Paired differences of the declared pairs, with Holm's correction over those that can be told.

    Raises:
        KeyError: A pair names no target, or the estimator is not known for it.
    """
    found = [_contrast(targets, ours, theirs, estimator, draws) for ours, theirs in pairs]
    told = [one.p for one in found if one.p is not None]
    passed = iter(holm(told))
    return [
        one
        if one.p is None
        else Contrast(one.target, one.against, one.estimator, one.difference, one.p, next(passed), None)
        for one in found
    ]


def holm(p: Sequence[float], level: float = HOLM_LEVEL) -> list[bool]:
    """Which hypotheses are rejected with the family-wise error at most `level` (Holm 1979, step down).

    >>> holm([0.01, 0.04, 0.03])
    [True, False, False]
    """
    order = np.argsort(np.array(p), kind="stable")
    rejected = [False] * len(p)
    for rank, place in enumerate(order.tolist()):
        if p[place] > level / (len(p) - rank):
            break
        rejected[place] = True
    return rejected


def _valued(name: str, log: Log, draws: Resamples) -> Valued:
    support = log.support
    if support.refusal is not None:
        return Valued(name, support, {}, support.refusal)
    return Valued(
        name,
        support,
        {
            estimator: percentile_interval(float(above.sum() / below.sum()), _resampled(above, below, draws))
            for estimator, (above, below) in log.ratios().items()
        },
        None,
    )


def _contrast(targets: Mapping[str, Log], ours: str, theirs: str, estimator: str, draws: Resamples) -> Contrast:
    for name in (ours, theirs):
        refusal = targets[name].support.refusal
        if refusal is not None:
            return Contrast(ours, theirs, estimator, None, None, holds=False, refusal=f"{name}: {refusal}")
    (a, b), (c, d) = targets[ours].ratios()[estimator], targets[theirs].ratios()[estimator]
    resampled = _resampled(a, b, draws) - _resampled(c, d, draws)
    value = float(a.sum() / b.sum() - c.sum() / d.sum())
    difference = percentile_interval(value, resampled)
    return Contrast(ours, theirs, estimator, difference, _p(resampled), holds=False, refusal=None)


def _resampled(above: Floats, below: Floats, draws: Resamples) -> Floats:
    sums = draws.sums(np.stack([above, below], axis=1))
    ratio: Floats = np.divide(sums[:, 0], sums[:, 1], out=np.full(len(sums), np.nan), where=sums[:, 1] > 0)
    return ratio


def _p(resampled: Floats) -> float:
    """Twice the share of resamples on the rarer side of zero, at least 2 / (draws + 1)."""
    rarer = min(int(np.sum(resampled <= 0)), int(np.sum(resampled >= 0)))
    return min(1.0, 2.0 * (rarer + 1) / (len(resampled) + 1))

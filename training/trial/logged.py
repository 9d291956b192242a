"""What policies would have been worth, read off a merchant's log: the first retry, and whole episodes.

The log's own propensity counts where it states one. The action is then the method, the processor and the cell of time:
the local day where the log knows days only (and for bank debits), else the hours of the local day in cells of
`slot_hours`.

Where the log states none, first retries alone are judged, and of them the day alone: its propensity is the share of all
first retries made on the same day after the failure, and method, processor and hour stay as the log chose them. That is
right for a log that drew its days without looking at the payment or at what else it chose, and is said to be an
estimate. Shares of whole cells are no way round: a method is one customer's, and an hour is mostly that of the failure.

Where a policy would have stopped, the log is not needed, then or later: no retry brings nothing and costs nothing.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.history_contexts import LoggedRetry
from experiments.off_policy.verdict import Contrast, Log, Valued, contrasts, valued
from experiments.resamples import Resamples
from features.vocabulary import Outcome
from model.policies import Policy
from model.scorer import Scorer
from training.trial.contest import Progress
from training.trial.judged import decisions_of, episodes_of, judged_by
from training.trial.lineup import PLAN
from training.trial.matching import ByCell, ByDay, as_retry

Floats = NDArray[np.float64]

ESTIMATOR = "dr"


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """What the log can say.

    Args:
        stated: Whether the log states its propensities; else they are estimated, and only the day is the policy's.
        first: By policy, the chance that the first retry is approved.
        episodes: By most retries and policy, the chance that an episode recovers; only where propensities are stated.
        ahead: The plan less every other policy on the first retry, Holm-corrected.
        decisions: How many first retries were used.
    """

    stated: bool
    decisions: int
    first: Mapping[str, Valued]
    ahead: Sequence[Contrast]
    episodes: Mapping[int, Mapping[str, Valued]]


def off_policy(
    retries: Sequence[LoggedRetry],
    policies: Callable[[int], Sequence[Policy]],
    most: Sequence[int],
    scorer: Scorer,
    *,
    slot_hours: int,
    resamples: int,
    seed: int,
    tell: Progress,
    whole: Sequence[LoggedRetry] | None = None,
) -> OffPolicy:
    """Value every policy on the log's first retries, and on its episodes where propensities are stated.

    Args:
        retries: By customer, payment and time, without where the log gave up.
        policies: The policies of at most so many retries.
        most: Numbers of retries allowed.
        slot_hours: Width of a cell of time in hours.
        whole: Those of payments that the log tells of from their failure to the end of the horizon, of which alone
            episodes are made; None for all.
    """
    told = [one for one in retries if one.attempt.outcome is not Outcome.UNKNOWN]
    stated = [one for one in told if one.propensity is not None and not one.gave_up]
    used = stated or told
    first = [one for one in used if _number(one) == 0]
    matching = ByCell(slot_hours) if stated else ByDay()
    propensity = _stated(first) if stated else _shares([matching.cell(one.context, as_retry(one)) for one in first])
    judged = judged_by(first, propensity, policies(max(most)), scorer, matching, tell)
    logs: dict[str, Log] = {name: decisions_of(judged, name) for name in judged.same}
    draws = Resamples.draw(judged.customer, resamples, seed)
    told_whole = [one for one in (retries if whole is None else whole) if _usable(one)]
    pairs = [(PLAN, name) for name in logs if name != PLAN]
    return OffPolicy(
        stated=bool(stated),
        decisions=len(first),
        first=valued(logs, draws),
        ahead=contrasts(logs, pairs, ESTIMATOR, draws),
        episodes={
            number: _episodes(told_whole, policies(number), number, scorer, slot_hours, resamples, seed, tell)
            for number in (most if stated and told_whole else ())
        },
    )


def _episodes(
    stated: Sequence[LoggedRetry],
    policies: Sequence[Policy],
    most: int,
    scorer: Scorer,
    slot_hours: int,
    resamples: int,
    seed: int,
    tell: Progress,
) -> dict[str, Valued]:
    """Whole episodes of at most so many retries; weights are multiplied, the model's guess looks one retry ahead."""
    rows = [one for one in stated if _number(one) < most]
    judged = judged_by(rows, _stated(rows), policies, scorer, ByCell(slot_hours), tell)
    payments = [one.context.payment.payment_id for one in rows]
    starts = np.array([i == 0 or payments[i] != payments[i - 1] for i in range(len(rows))], dtype=np.bool_)
    episode = (np.cumsum(starts) - 1).astype(np.int64)
    logs: dict[str, Log] = {name: episodes_of(judged, name, episode) for name in judged.same}
    found = valued(logs, Resamples.draw(judged.customer[starts], resamples, seed))
    return {name: _without_model_alone(one) for name, one in found.items()}


def _without_model_alone(one: Valued) -> Valued:
    """The model says nothing of a whole episode, only of its next retry: enough to steady the others."""
    return replace(one, values={name: value for name, value in one.values.items() if name != "dm"})


def _stated(rows: Sequence[LoggedRetry]) -> Floats:
    return np.array([one.propensity for one in rows], dtype=np.float64)


def _shares(cells: Sequence[Hashable]) -> Floats:
    """The share of all rows that are in the same cell, shape (n,)."""
    counts = Counter(cells)
    return np.array([counts[cell] / len(cells) for cell in cells], dtype=np.float64)


def _usable(one: LoggedRetry) -> bool:
    return one.attempt.outcome is not Outcome.UNKNOWN and one.propensity is not None


def _number(one: LoggedRetry) -> int:
    """How many retries of the payment came before."""
    return len(one.context.own_attempts) - 1

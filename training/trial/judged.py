"""Logged retries as every policy and the model see them, and what a policy's log is of them: decisions, or episodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.history_contexts import LoggedRetry
from experiments.off_policy.decisions import Decisions
from experiments.off_policy.episodes import Episodes
from features.action import Action, Retry
from features.context import Context
from features.merchants import owned
from features.vocabulary import Outcome
from model.policies import Policy
from model.scorer import Scorer
from training.trial.contest import Progress
from training.trial.matching import Matching, as_retry

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_AT_ONCE = 256
_RARE = 1e-6


@dataclass(frozen=True, slots=True)
class Judged:
    """Logged retries as every policy and the model see them; arrays of shape (n,).

    Args:
        q: P(approved) of what was done.
        same: By policy, 1 where it would have done the same.
        stops: By policy, whether it would have stopped.
        v: By policy, P(approved) of what it would have done, 0 where it stops.
    """

    reward: Floats
    logged: Floats
    customer: Int64s
    q: Floats
    same: Mapping[str, Floats]
    stops: Mapping[str, Flags]
    v: Mapping[str, Floats]


def decisions_of(judged: Judged, name: str) -> Decisions:
    """The policy's rows; where it stops, nothing is brought for certain, whatever the log did."""
    return _decisions(judged, name, judged.stops[name])


def episodes_of(judged: Judged, name: str, episode: Int64s) -> Episodes:
    """The policy's episodes; from where it first stops, nothing is brought for certain, however the log went on.

    Args:
        episode: Which episode each row is of, never falling, shape (n,).
    """
    stopped = np.cumsum(judged.stops[name])
    first = np.searchsorted(episode, episode, side="left")
    row = _decisions(judged, name, stopped > stopped[first] - judged.stops[name][first])
    starts = np.append(True, episode[1:] != episode[:-1])
    return Episodes(episode, row.reward, row.logged, row.target, judged.customer[starts], row.q, row.v)


def _decisions(judged: Judged, name: str, over: Flags) -> Decisions:
    return Decisions(
        reward=np.where(over, 0.0, judged.reward),
        logged=np.where(over, 1.0, judged.logged),
        target=np.where(over, 1.0, judged.same[name]),
        customer=judged.customer,
        q=np.where(over, 0.0, judged.q),
        v=np.where(over, 0.0, judged.v[name]),
    )


def judged_by(
    rows: Sequence[LoggedRetry],
    propensity: Floats,
    policies: Sequence[Policy],
    scorer: Scorer,
    matching: Matching,
    tell: Progress,
) -> Judged:
    """What every policy and the model say of logged retries.

    Where the log gave up, a policy that would retry does what the log is not known ever to do: its weight is zero,
    which counts in the share that is not covered.

    Args:
        propensity: Of what `matching` calls the action, shape (n,).
    """
    contexts = [one.context for one in rows]
    done = [as_retry(one) for one in rows]
    cells = [None if one.gave_up else matching.cell(one.context, retry) for one, retry in zip(rows, done, strict=True)]
    same, stops, v = {}, {}, {}
    for policy in policies:
        would = [action if isinstance(action, Retry) else None for action in _actions(policy, contexts, tell)]
        stops[policy.name] = np.array([one is None for one in would], dtype=np.bool_)
        same[policy.name] = np.array(
            [
                retry is not None and cell is not None and matching.cell(context, retry) == cell
                for context, retry, cell in zip(contexts, would, cells, strict=True)
            ],
            dtype=np.float64,
        )
        asked = [None if retry is None else matching.judged(one, retry) for one, retry in zip(rows, would, strict=True)]
        v[policy.name] = _chances(scorer, contexts, asked)
    payments = [one.context.payment for one in rows]
    owner = np.array([owned(paid.merchant_id, paid.customer_id, several=True) for paid in payments], dtype=np.str_)
    return Judged(
        reward=np.array([one.attempt.outcome is Outcome.APPROVED for one in rows], dtype=np.float64),
        logged=np.maximum(propensity, _RARE),
        customer=np.unique(owner, return_inverse=True)[1].astype(np.int64),
        q=_chances(scorer, contexts, [None if one.gave_up else retry for one, retry in zip(rows, done, strict=True)]),
        same=same,
        stops=stops,
        v=v,
    )


def _actions(policy: Policy, contexts: Sequence[Context], tell: Progress) -> list[Action]:
    found: list[Action] = []
    for start in range(0, len(contexts), _AT_ONCE):
        tell(f"asking {policy.name}", start, len(contexts))
        found += [choice.action for choice in policy.choices(contexts[start : start + _AT_ONCE])]
    return found


def _chances(scorer: Scorer, contexts: Sequence[Context], retries: Sequence[Retry | None]) -> Floats:
    """P(approved) of each retry, 0 where there is none, shape (n,)."""
    p = np.zeros(len(contexts))
    places = [place for place, retry in enumerate(retries) if retry is not None]
    for start in range(0, len(places), _AT_ONCE):
        some = places[start : start + _AT_ONCE]
        asked = [(contexts[place], [retry]) for place in some if (retry := retries[place]) is not None]
        p[some] = [float(scores.probability[0]) for scores in scorer.score_many(asked)]
    return p

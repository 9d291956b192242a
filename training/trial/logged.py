"""What policies would have been worth, read off a merchant's log: the first retry, and whole episodes.

The action is the method, the processor and the cell of time: the local day where the log knows days only (and for bank
debits), else the hours of the local day in cells of `slot_hours`. The log's own propensity counts where it states one;
where it states none, that of a first retry is the share of all first retries made on the same day after the failure,
which is right for a log that drew its days without looking at the payment, and is said to be an estimate.

Where a policy would have stopped, the log is not needed: no retry brings nothing and costs nothing.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.history_contexts import LoggedRetry
from experiments.off_policy.decisions import Decisions
from experiments.off_policy.episodes import Episodes
from experiments.off_policy.verdict import Contrast, Log, Valued, contrasts, valued
from experiments.resamples import Resamples
from features.action import Action, Retry, Slot
from features.calendars import to_day
from features.context import Context
from features.instants import MICROSECOND
from features.time_zones import local_hour, local_micros
from features.vocabulary import Outcome, Precision, Rail
from model.failures import failures
from model.issuer_clock import issuer_clock
from model.policies import Policy
from model.scorer import Scorer
from model.wording import local_date
from training.trial.contest import Progress
from training.trial.lineup import PLAN

Floats = NDArray[np.float64]

ESTIMATOR = "dr"
_AT_ONCE = 256
_RARE = 1e-6


@dataclass(frozen=True, slots=True)
class OffPolicy:
    """What the log can say.

    Args:
        stated: Whether the log states its propensities; else they are estimated.
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


@dataclass(frozen=True, slots=True)
class Judged:
    """Logged retries as every policy and the model see them; arrays of shape (n,).

    Args:
        same: By policy, whether it would have done the same, and whether it would have stopped.
        q: P(approved) of what was done.
        v: By policy, P(approved) of what it would have done.
    """

    reward: Floats
    logged: Floats
    customer: NDArray[np.int64]
    q: Floats
    same: Mapping[str, Floats]
    stops: Mapping[str, NDArray[np.bool_]]
    v: Mapping[str, Floats]


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
) -> OffPolicy:
    """Value every policy on the log's first retries, and on its episodes where propensities are stated.

    Args:
        retries: By customer, payment and time.
        policies: The policies of at most so many retries.
        most: Numbers of retries allowed.
        slot_hours: Width of a cell of time in hours.
    """
    told = [one for one in retries if one.attempt.outcome is not Outcome.UNKNOWN]
    stated = [one for one in told if one.propensity is not None]
    used = stated or told
    first = [one for one in used if _number(one) == 0]
    propensity = np.array([one.propensity for one in first], dtype=np.float64) if stated else _estimated(first)
    judged = judged_by(first, propensity, policies(max(most)), scorer, slot_hours, tell)
    logs: dict[str, Log] = {name: decisions_of(judged, name) for name in judged.same}
    draws = Resamples.draw(judged.customer, resamples, seed)
    pairs = [(PLAN, name) for name in logs if name != PLAN]
    return OffPolicy(
        stated=bool(stated),
        decisions=len(first),
        first=valued(logs, draws),
        ahead=contrasts(logs, pairs, ESTIMATOR, draws),
        episodes={
            number: _episodes(stated, policies(number), number, scorer, slot_hours, resamples, seed, tell)
            for number in (most if stated else ())
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
    propensity = np.array([one.propensity for one in rows], dtype=np.float64)
    judged = judged_by(rows, propensity, policies, scorer, slot_hours, tell)
    payments = [one.context.payment.payment_id for one in rows]
    starts = np.array([i == 0 or payments[i] != payments[i - 1] for i in range(len(rows))], dtype=np.bool_)
    episode = np.cumsum(starts) - 1
    logs: dict[str, Log] = {}
    for name in judged.same:
        row = decisions_of(judged, name)
        logs[name] = Episodes(
            episode.astype(np.int64), row.reward, row.logged, row.target, judged.customer[starts], row.q, row.v
        )
    found = valued(logs, Resamples.draw(judged.customer[starts], resamples, seed))
    return {name: _without_model_alone(one) for name, one in found.items()}


def _without_model_alone(one: Valued) -> Valued:
    """The model says nothing of a whole episode, only of its next retry: enough to steady the others."""
    return replace(one, values={name: value for name, value in one.values.items() if name != "dm"})


def decisions_of(judged: Judged, name: str) -> Decisions:
    """The policy's rows; where it stops, nothing is brought for certain, whatever the log did."""
    stops = judged.stops[name]
    return Decisions(
        reward=np.where(stops, 0.0, judged.reward),
        logged=np.where(stops, 1.0, judged.logged),
        target=np.where(stops, 1.0, judged.same[name]),
        customer=judged.customer,
        q=np.where(stops, 0.0, judged.q),
        v=judged.v[name],
    )


def judged_by(
    rows: Sequence[LoggedRetry],
    propensity: Floats,
    policies: Sequence[Policy],
    scorer: Scorer,
    slot_hours: int,
    tell: Progress,
) -> Judged:
    """What every policy and the model say of logged retries."""
    done = [_as_retry(one) for one in rows]
    cells = [_cell(one.context, retry, slot_hours) for one, retry in zip(rows, done, strict=True)]
    same, stops, v = {}, {}, {}
    for policy in policies:
        actions = _actions(policy, rows, tell)
        retry = [action if isinstance(action, Retry) else None for action in actions]
        stops[policy.name] = np.array([one is None for one in retry], dtype=np.bool_)
        same[policy.name] = np.array(
            [
                would is not None and _cell(one.context, would, slot_hours) == cell
                for one, would, cell in zip(rows, retry, cells, strict=True)
            ],
            dtype=np.float64,
        )
        v[policy.name] = _chances(scorer, [one.context for one in rows], retry)
    owner = np.array([f"{o.context.payment.merchant_id}/{o.context.payment.customer_id}" for o in rows], dtype=np.str_)
    return Judged(
        reward=np.array([one.attempt.outcome is Outcome.APPROVED for one in rows], dtype=np.float64),
        logged=np.maximum(propensity, _RARE),
        customer=np.unique(owner, return_inverse=True)[1].astype(np.int64),
        q=_chances(scorer, [one.context for one in rows], done),
        same=same,
        stops=stops,
        v=v,
    )


def _actions(policy: Policy, rows: Sequence[LoggedRetry], tell: Progress) -> list[Action]:
    found: list[Action] = []
    for start in range(0, len(rows), _AT_ONCE):
        tell(f"asking {policy.name}", start, len(rows))
        contexts = [one.context for one in rows[start : start + _AT_ONCE]]
        found += [choice.action for choice in policy.choices(contexts)]
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


def _estimated(first: Sequence[LoggedRetry]) -> Floats:
    """The share of all first retries that were made on the same day after the failure, shape (n,)."""
    days = [_day_after(one) for one in first]
    counts = Counter(days)
    return np.array([counts[day] / len(days) for day in days], dtype=np.float64)


def _day_after(one: LoggedRetry) -> int:
    zone = issuer_clock(one.context, one.context.method(one.attempt.method_id)).zone
    return to_day(local_date(one.attempt.at, zone)) - to_day(local_date(failures(one.context)[0].at, zone))


def _number(one: LoggedRetry) -> int:
    """How many retries of the payment came before."""
    return len(one.context.own_attempts) - 1


def _as_retry(one: LoggedRetry) -> Retry:
    at = one.attempt.at
    return Retry(Slot(at, at + MICROSECOND), one.attempt.method_id, one.attempt.processor)


def _cell(context: Context, retry: Retry, slot_hours: int) -> Hashable:
    method = context.method(retry.method_id)
    zone = issuer_clock(context, method).zone
    day = local_date(retry.slot.start, zone)
    coarse = method.rail is Rail.BANK_DEBIT or any(a.precision is Precision.DAY for a in context.own_attempts)
    if coarse:
        return retry.method_id, retry.processor, day
    local = local_micros(zone, np.array([retry.slot.start_micros], dtype=np.int64))
    return retry.method_id, retry.processor, day, int(local_hour(local)[0]) // slot_hours

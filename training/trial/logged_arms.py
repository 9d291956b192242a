"""What a log says of the arms of an experiment before it starts: the share of failed amount that retries bring back.

Whole recoveries first: the retries of a payment within the window, four at most, weights multiplied. Where these leave
too little support, the first retry alone. The log's own propensities count; where it states none, nothing is said, for
an estimate would rest on how it chose, which it does not tell.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

import numpy as np

from experiments.assignment import FirstFailure, targets
from experiments.definition import Target
from experiments.history_contexts import LoggedRetry
from experiments.off_policy.amounts import Weighed, relative
from experiments.off_policy.support import Support
from experiments.off_policy.verdict import valued
from experiments.resamples import Estimate, Floats, Resamples
from features.vocabulary import Outcome
from model.economics import Exchange
from model.policies import Policy
from model.scorer import Scorer
from training.trial.contest import Progress
from training.trial.judged import Judged, decisions_of, episodes_of, judged_by
from training.trial.logged import ESTIMATOR
from training.trial.matching import ByCell

MOST_RETRIES = 4
MOST_PAYMENTS = 2_000
"""So many usable payments are asked about, drawn at random where there are more: a plan takes its time for each."""
SLOT_HOURS = 3


@dataclass(frozen=True, slots=True)
class LoggedArm:
    """One variant off the log.

    Args:
        value: Share of the failed amount that its retries bring back; None where refused.
        change: As a share of the control's value; None where either is refused.
        refusal: Why there is no value, as a clause.
        whole: Whether it is of whole recoveries; else of the first retry alone.
    """

    variant: str
    support: Support
    value: Estimate | None
    change: Estimate | None
    refusal: str | None
    whole: bool


@dataclass(frozen=True, slots=True)
class LoggedArms:
    """What the log says of an experiment.

    Args:
        retried: Payments of the target that were retried and whose window is over.
        usable: Those of them whose retries state their propensities.
        asked: Those of them that were drawn.
    """

    retried: int
    usable: int
    asked: int
    arms: tuple[LoggedArm, ...]


def logged_arms(
    retries: Sequence[LoggedRetry],
    policies: Mapping[str, Policy],
    control: str,
    target: Target,
    window_days: int,
    last: datetime,
    scorer: Scorer,
    exchange: Exchange,
    *,
    resamples: int,
    seed: int,
    tell: Progress,
) -> LoggedArms:
    """Value every arm on the log.

    Args:
        retries: By customer, payment and time.
        policies: Of each variant that can be asked.
        target: Which payments the experiment is about.
        last: The last instant that the log tells of; a payment counts where its window is over by then.

    Raises:
        InvalidValueError: A currency has no rate.
    """
    window = timedelta(days=window_days)
    payments = [list(own) for _, own in groupby(retries, key=_payment)]
    retried = [kept for own in payments if (kept := _within(own, target, window, last))]
    usable = [own for own in retried if all(_stated(one) for one in own)]
    if not usable:
        return LoggedArms(len(retried), 0, 0, ())
    usable, of = _drawn(usable, seed), len(usable)
    money = (own[0].context.payment.amount for own in usable)
    amount = np.array([exchange.minor_units(one, exchange.base) for one in money], dtype=np.float64)
    first = _judged([own[:1] for own in usable], policies, scorer, tell)
    firsts = {name: Weighed(decisions_of(first, policy.name), amount) for name, policy in policies.items()}
    # A policy that the first retries say nothing of is not asked about later ones: asking plans is what takes time.
    able = {name: policy for name, policy in policies.items() if firsts[name].support.refusal is None}
    wholes = _wholes(usable, able, amount, scorer, tell) if able else {}
    draws = Resamples.draw(first.customer, resamples, seed)
    found = (_arm(name, wholes, firsts, control, draws) for name in policies)
    return LoggedArms(len(retried), of, len(usable), tuple(found))


def _drawn(usable: list[list[LoggedRetry]], seed: int) -> list[list[LoggedRetry]]:
    """At most so many, in their order."""
    if len(usable) <= MOST_PAYMENTS:
        return usable
    chosen = np.random.default_rng(seed).choice(len(usable), MOST_PAYMENTS, replace=False)
    return [usable[i] for i in np.sort(chosen).tolist()]


def _judged(
    payments: Sequence[Sequence[LoggedRetry]], policies: Mapping[str, Policy], scorer: Scorer, tell: Progress
) -> Judged:
    rows = [one for own in payments for one in own]
    propensity = np.array([one.propensity for one in rows], dtype=np.float64)
    return judged_by(rows, propensity, list(policies.values()), scorer, ByCell(SLOT_HOURS), tell)


def _wholes(
    payments: Sequence[Sequence[LoggedRetry]],
    policies: Mapping[str, Policy],
    amount: Floats,
    scorer: Scorer,
    tell: Progress,
) -> dict[str, Weighed]:
    """Whole recoveries of every policy."""
    judged = _judged(payments, policies, scorer, tell)
    episode = np.repeat(np.arange(len(payments)), [len(own) for own in payments])
    return {name: Weighed(episodes_of(judged, policy.name, episode), amount) for name, policy in policies.items()}


def _arm(
    name: str, wholes: Mapping[str, Weighed], firsts: Mapping[str, Weighed], control: str, draws: Resamples
) -> LoggedArm:
    """Of whole recoveries where these are supported for it and the control, or else of the first retry."""
    both = {name, control} & firsts.keys()
    whole = all(one in wholes and wholes[one].support.refusal is None for one in both)
    logs = wholes if whole else firsts
    one = valued({name: logs[name]}, draws)[name]
    value = one.values.get(ESTIMATOR)
    compared = value is not None and name != control and control in logs and logs[control].support.refusal is None
    change = relative(logs[name], logs[control], ESTIMATOR, draws) if compared else None
    return LoggedArm(name, one.support, value, change, one.refusal, whole)


def _payment(one: LoggedRetry) -> tuple[str, str]:
    return one.context.payment.merchant_id, one.context.payment.payment_id


def _within(own: Sequence[LoggedRetry], target: Target, window: timedelta, last: datetime) -> list[LoggedRetry]:
    """The first retries of a payment in its window; none where it is not of the target, or not over."""
    failure = FirstFailure.of(own[0].context)
    if failure is None or not targets(target, failure) or failure.failed_at + window > last:
        return []
    return [one for one in own if one.attempt.at <= failure.failed_at + window][:MOST_RETRIES]


def _stated(one: LoggedRetry) -> bool:
    return one.propensity is not None and one.propensity > 0 and one.attempt.outcome is not Outcome.UNKNOWN

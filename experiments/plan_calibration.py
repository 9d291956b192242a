"""Whether plans keep what they promise: each followed as told at the first failure, retry by retry, in a world.

A plan states the chance of every retry if all before it are declined. Followed to the letter, its chances can be held
against what happened: over all retries that were made, by their place in the plan, and over whole plans, by how many
retries they hold. What the customer did first (paid by hand, left) cuts a plan short; its promise is then that of the
retries due before. Deployed plans are made anew after each decline and do better than those followed blindly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.resamples import Estimate, Resamples, percentile_interval
from experiments.world import Living, World
from features.action import Retry
from features.context import Context
from features.vocabulary import Outcome
from model.contingent import contingent
from model.decision import Plan
from model.plan_policies import PlanPolicy

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Followed:
    """One plan that was followed.

    Args:
        customer: Who owes.
        chances: Of every retry as planned, if all before it are declined.
        due: How many of them were due before the customer paid by hand or left, or the world could tell no more.
        made: How many were made: up to the first approval.
        recovered: Whether the last of those was approved.
        lows, highs: Ends of the intervals of the chances.
    """

    customer: str
    chances: tuple[float, ...]
    due: int
    made: int
    recovered: bool
    lows: tuple[float, ...]
    highs: tuple[float, ...]

    @property
    def promised(self) -> float:
        """Chance of recovery by the whole plan."""
        return _any_of(self.chances)

    @property
    def promised_while_due(self) -> float:
        """Chance of recovery by the retries that were due."""
        return _any_of(self.chances[: self.due])

    @property
    def range_while_due(self) -> tuple[float, float]:
        """The same with every chance at the lower and at the upper end of its interval."""
        return _any_of(self.lows[: self.due]), _any_of(self.highs[: self.due])


@dataclass(frozen=True, slots=True)
class Kept:
    """What some plans, or some retries of plans, promised and came to.

    Args:
        number: Retries in the plan, or place of the retry in it, from 1.
        count: How many plans or retries.
        whole: Mean promise of the whole plans; of retries, their mean chance.
        promised: Mean promise of what was due.
        kept: Share that was recovered, or approved.
        difference: Kept less promised.
        promised_low, promised_high: What was due, with every chance at the lower and at the upper end of its interval.
    """

    number: int
    count: int
    whole: float
    promised: float
    kept: Estimate
    difference: Estimate
    promised_low: float
    promised_high: float


def follow_plans(world: World, policy: PlanPolicy, contexts: Sequence[Context]) -> list[Followed]:
    """Follow the plan of each failed payment; those without a plan are left out.

    Args:
        contexts: Failed payments of the world as known at their first failure.
    """
    found = []
    for case, planned in policy.plans(contexts):
        told = contingent(case, planned, policy.scorer)
        if told.attempts:
            found.append(follow(world, case.context, told))
    return found


def follow(world: World, context: Context, plan: Plan) -> Followed:
    """Follow one plan to its first approval, its end, or what the customer does first."""
    payment = context.payment
    retries = [step.retry for step in plan.attempts]
    due = _due(world, payment.payment_id, retries)
    made, recovered = 0, False
    for retry in retries[:due]:
        outcome = world.submit(payment.payment_id, retry).outcome
        if outcome is Outcome.UNKNOWN:
            due = made
            break
        made, recovered = made + 1, outcome is Outcome.APPROVED
        if recovered:
            break
    scores = [step.score for step in plan.attempts]
    return Followed(
        customer=f"{payment.merchant_id}/{payment.customer_id}",
        chances=tuple(score.probability for score in scores),
        due=due,
        made=made,
        recovered=recovered,
        lows=tuple(score.low for score in scores),
        highs=tuple(score.high for score in scores),
    )


def by_length(followed: Sequence[Followed], resamples: int, seed: int) -> list[Kept]:
    """Whole plans by how many retries they hold, and all of them under number 0."""
    if not followed:
        return []
    draws = _draws(followed, resamples, seed)
    length = np.array([len(one.chances) for one in followed])
    whole = np.array([one.promised for one in followed])
    promised = np.array([(one.promised_while_due, *one.range_while_due) for one in followed])
    kept = np.array([one.recovered for one in followed], dtype=np.float64)
    groups = [(int(n), length == n) for n in np.unique(length)] + [(0, np.ones(len(length), dtype=np.bool_))]
    return [_kept(number, rows, whole, promised, kept, draws) for number, rows in groups]


def by_place(followed: Sequence[Followed], resamples: int, seed: int) -> list[Kept]:
    """Retries that were made, by their place in the plan."""
    made = [(place, one) for one in followed for place in range(one.made)]
    if not made:
        return []
    draws = _draws([one for _, one in made], resamples, seed)
    places = np.array([place for place, _ in made])
    chance = np.array([(one.chances[place], one.lows[place], one.highs[place]) for place, one in made])
    approved = np.array([one.recovered and place == one.made - 1 for place, one in made], dtype=np.float64)
    return [_kept(int(n) + 1, places == n, chance[:, 0], chance, approved, draws) for n in np.unique(places)]


def _due(world: World, payment_id: str, retries: Sequence[Retry]) -> int:
    """How many of the retries lie before the customer pays by hand or leaves."""
    if not isinstance(world, Living):
        return len(retries)
    ends = [at for at in (world.settled_at(payment_id), world.left_at(payment_id)) if at is not None]
    return sum(all(retry.slot.start < end for end in ends) for retry in retries)


def _draws(followed: Sequence[Followed], resamples: int, seed: int) -> Resamples:
    names = np.array([one.customer for one in followed], dtype=np.str_)
    return Resamples.draw(np.unique(names, return_inverse=True)[1].astype(np.int64), resamples, seed)


def _kept(number: int, rows: Flags, whole: Floats, promised: Floats, kept: Floats, draws: Resamples) -> Kept:
    """`promised` has the promise and both of its ends, shape (n, 3)."""
    own = np.stack([kept[rows], promised[rows, 0], np.ones(int(rows.sum()))], axis=1)
    sums = draws.take(rows).sums(own)
    drawn = np.where(sums[:, 2] > 0, sums[:, 2], np.nan)
    share, promise = float(kept[rows].mean()), float(promised[rows, 0].mean())
    return Kept(
        number=number,
        count=int(rows.sum()),
        whole=float(whole[rows].mean()),
        promised=promise,
        kept=percentile_interval(share, sums[:, 0] / drawn),
        difference=percentile_interval(share - promise, (sums[:, 0] - sums[:, 1]) / drawn),
        promised_low=float(promised[rows, 1].mean()),
        promised_high=float(promised[rows, 2].mean()),
    )


def _any_of(chances: Sequence[float]) -> float:
    return 1.0 - float(np.prod([1.0 - chance for chance in chances]))

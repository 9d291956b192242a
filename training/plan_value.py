"""What the plan built on a fold's trees is worth: played on the window's payments, as `recoup evaluate` plays it.

Each payment is planned by the booster that never saw its customer. The boosters answer uncalibrated and without doubt:
settings are compared, not forecast.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from experiments.replay import play
from experiments.resamples import Floats
from experiments.results import Results, joined, results_of
from experiments.world import World
from features.action import Retry
from features.context import Context
from features.encoders import Encoders
from features.frame import frame
from features.instants import MICROS_PER_DAY, to_micros
from features.money import minor_digits
from features.payment import Payment
from features.rows import rows_of_contexts
from features.table import Asked
from model.boosted import boosters_of, raw_logits
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.lightgbm_library import Booster
from model.plan_policies import PlanPolicy
from model.scorer import Scores, ScoreSource
from training.fit import Bag
from training.metrics import probability
from training.policy_value import PolicyValue
from training.split import customer_folds

Int64s = NDArray[np.int64]

MIN_PAYMENTS = 20


@dataclass(frozen=True, slots=True)
class Stage:
    """Where plans are played, and by which terms.

    Args:
        contexts: Failed payments of the world, as known at their first failure.
        most_payments: Played in a window at most, whole customers.
        max_retries: Most retries of a payment.
        horizon_days: Days after the first failure in which they are made.
    """

    world: World
    contexts: Sequence[Context]
    rulebook: Rulebook
    economics: Economics
    most_payments: int = 100
    max_retries: int = 4
    horizon_days: int = 30

    def between(self, start: int, end: int, closed: int) -> tuple[Context, ...]:
        """The payments of a window (microseconds) whose last retry comes before the instant at which it closes."""
        last = closed - self.horizon_days * MICROS_PER_DAY
        failed = [to_micros(context.as_of) for context in self.contexts]
        found = [c for c, at in zip(self.contexts, failed, strict=True) if start <= at < end and at <= last]
        return _whole_customers(found, self.most_payments)


@dataclass(frozen=True, slots=True)
class FoldScorer:
    """One booster of a fold's bag as a scorer; rates are as known at each decision."""

    booster: Booster
    encoders: Encoders
    threads: int
    version: str = "fold"
    source: ScoreSource = "model"

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        """P(approved) of each retry."""
        return self.score_many([(context, retries)])[0]

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        """The same for many contexts."""
        if not asked:
            return ()
        matrix = frame(rows_of_contexts(asked), self.encoders)
        p = probability(raw_logits([self.booster], matrix, self.threads)[:, 0])
        return Scores(p, p, p, self.version, self.source).split([len(retries) for _, retries in asked])


def plan_value(
    stage: Stage,
    contexts: Sequence[Context],
    bag: Bag,
    encoders: Encoders,
    fold_of: Callable[[Payment], int],
    threads: int,
) -> PolicyValue:
    """Net value of the plan per failed payment, in major units of the economics' currency.

    Args:
        contexts: What is played.
        fold_of: The fold of a payment's customer, by which the bag's boosters left some out.
    """
    parts = []
    for booster, held_out in zip(boosters_of(bag.texts), bag.held_out, strict=True):
        theirs = [c for c in contexts if fold_of(c.payment) in held_out]
        policy = PlanPolicy(
            FoldScorer(booster, encoders, threads),
            stage.rulebook,
            stage.economics,
            max_retries=stage.max_retries,
            horizon_days=float(stage.horizon_days),
        )
        played = play(stage.world, policy, stage.rulebook, max_retries=stage.max_retries, failures=theirs)
        parts.append(results_of(policy.name, played, stage.economics))
    return _valued(joined(parts))


def _valued(results: Results) -> PolicyValue:
    net = results.net / 10.0 ** minor_digits(results.currency) / len(results)
    _, owner = np.unique(np.array(results.customers, dtype=np.str_), return_inverse=True)
    each = np.bincount(owner, weights=net).astype(np.float64)
    return PolicyValue(float(net.sum()), standard_error(each), tuple(each.round(6).tolist()))


def standard_error(parts: Floats) -> float:
    """Of a sum over customers drawn at random, shape (customers,)."""
    return float(np.sqrt(len(parts)) * np.std(parts, ddof=1)) if len(parts) > 1 else 0.0


def _whole_customers(contexts: Sequence[Context], most: int) -> tuple[Context, ...]:
    """All payments of as many customers as make at most so many payments, in the order of the customers' hash."""
    names = sorted({c.payment.customer_id for c in contexts})
    place = dict(zip(names, customer_folds(names, 2**31).tolist(), strict=True))
    ordered = sorted(contexts, key=lambda c: (place[c.payment.customer_id], c.payment.customer_id, c.as_of))
    kept = ordered[:most]
    if len(ordered) > most:
        cut = ordered[most].payment.customer_id
        kept = [c for c in kept if c.payment.customer_id != cut] or kept
    return tuple(kept)

"""The plan as it is told: every attempt with its chance if all before it are declined, and what they add up to."""

from collections.abc import Sequence
from itertools import accumulate
from math import prod
from operator import mul

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.money import Money
from features.proposed import Proposed
from features.supposed import Supposed
from model.contributions import Contribution, explains
from model.decision import Plan, PlannedAttempt
from model.planner import Case, Planned
from model.planning.imagined import Imagining
from model.scorer import Score, Scorer, score_supposed
from model.valuation import Values

Floats = NDArray[np.float64]


def contingent(case: Case, planned: Planned, scorer: Scorer) -> Plan:
    """The plan as it is told: every attempt with the scorer's own chance once those before it were declined."""
    return explained(case, planned, scorer, ())[0]


def explained(
    case: Case, planned: Planned, scorer: Scorer, compared: Sequence[Retry]
) -> tuple[Plan, tuple[Contribution, ...]]:
    """The same, with what moved the score now of each retry compared, where the scorer can say so."""
    context, options = case.context, case.options
    places = np.array(planned.path, dtype=np.int64)
    path = Proposed.of(options.retries).take(places)
    later = np.arange(1, max(places.size, 1), dtype=np.int64)
    before = [tuple(range(k)) for k in later.tolist()]
    supposed = Supposed(Imagining(context).supposing(path), before, later, [1] * len(before))
    parts: tuple[Contribution, ...] = ()
    if compared and explains(scorer):
        answers, parts = scorer.explained(supposed, (context, compared))
    else:
        answers = score_supposed(scorer, [supposed])
    first = [options.scores[planned.path[0]]] if planned.path else []
    scores = [*first, *(answers[k] for k in range(later.size))]
    chance = [score.probability for score in scores]
    reached = _reached(chance)
    own = planned.values.at(places, np.array(chance, dtype=np.float64))
    attempts = tuple(
        [
            PlannedAttempt(retry, rounded(score), own[k], round(reached[k], 6))
            for k, (retry, score) in enumerate(zip(path, scores, strict=True))
        ]
    )
    return _plan(context.payment.amount, attempts, own, np.array(reached), scores), parts


def _reached(chance: Sequence[float]) -> list[float]:
    """How likely each attempt is made at all: that all before it are declined."""
    return list(accumulate([1.0 - p for p in chance], mul, initial=1.0))[: len(chance)]


def _plan(
    amount: Money, attempts: tuple[PlannedAttempt, ...], own: Values, reached: Floats, scores: Sequence[Score]
) -> Plan:
    chance = [score.probability for score in scores]
    tries, recovered, cost, net, break_even = (
        (reached * np.array([np.ones(reached.size), chance, own.cost, own.net, own.break_even_cost]))
        .sum(axis=1)
        .tolist()
    )
    return Plan(
        attempts=attempts,
        expected_attempts=round(tries, 6),
        recovery_probability=_one_of(chance),
        recovery_low=_one_of([score.low for score in scores]),
        recovery_high=_one_of([score.high for score in scores]),
        expected_recovered=Money(round(recovered * amount.amount_minor), amount.currency),
        expected_cost=Money(round(cost), amount.currency),
        expected_net=Money(round(net), amount.currency),
        break_even_cost=Money(round(break_even / max(tries, 1.0)), amount.currency),
    )


def _one_of(chances: Sequence[float]) -> float:
    return round(1.0 - prod([1.0 - chance for chance in chances]), 6)


def rounded(score: Score) -> Score:
    """The score to six decimals, as decisions state it."""
    return Score(round(score.probability, 6), round(score.low, 6), round(score.high, 6))

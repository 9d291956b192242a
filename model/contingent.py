"""The plan as it is told: every attempt with its chance if all before it are declined, and what they add up to."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.money import Money
from features.table import Asked
from model.contributions import Contribution, Explaining
from model.decision import Plan, PlannedAttempt
from model.economics import Economics
from model.planner import Case, Options, Planned
from model.planning.imagined import Imagining
from model.scorer import Score, Scorer
from model.valuation import Values, values

Floats = NDArray[np.float64]


def contingent(case: Case, planned: Planned, scorer: Scorer, economics: Economics) -> Plan:
    """The plan as it is told: every attempt with the scorer's own chance once those before it were declined."""
    return explained(case, planned, scorer, economics, ())[0]


def explained(
    case: Case, planned: Planned, scorer: Scorer, economics: Economics, compared: Sequence[Retry]
) -> tuple[Plan, tuple[Contribution, ...]]:
    """The same, with what moved the score now of each retry compared, where the scorer can say so."""
    context, options = case.context, case.options
    retries = [options.retries[i] for i in planned.path]
    imagining = Imagining(context)
    later: list[Asked] = [(imagining.after(retries[:k]), [retries[k]]) for k in range(1, len(retries))]
    parts: tuple[Contribution, ...] = ()
    if compared and isinstance(scorer, Explaining):
        answers, parts = scorer.explained(later, (context, compared))
    else:
        answers = scorer.score_many(later)
    scores = [options.scores[planned.path[0]], *(answer[0] for answer in answers)] if retries else []
    chance = np.array([score.probability for score in scores], dtype=np.float64)
    reached = np.append(1.0, np.cumprod(1.0 - chance))[: chance.size]
    own = values(context, retries, chance, economics)
    attempts = [
        PlannedAttempt(retry, rounded(score), own[k], round(float(reached[k]), 6))
        for k, (retry, score) in enumerate(zip(retries, scores, strict=True))
    ]
    return _plan(context, attempts, own, reached, scores), parts


def _plan(
    context: Context, attempts: Sequence[PlannedAttempt], own: Values, reached: Floats, scores: Sequence[Score]
) -> Plan:
    amount = context.payment.amount
    chance = np.array([score.probability for score in scores], dtype=np.float64)
    tries = float(reached.sum())
    return Plan(
        attempts=tuple(attempts),
        expected_attempts=round(tries, 6),
        recovery_probability=_one_of(chance),
        recovery_low=_one_of([score.low for score in scores]),
        recovery_high=_one_of([score.high for score in scores]),
        expected_recovered=Money(round(float((reached * chance).sum()) * amount.amount_minor), amount.currency),
        expected_cost=Money(round(float((reached * own.cost).sum())), amount.currency),
        expected_net=Money(round(float((reached * own.net).sum())), amount.currency),
        break_even_cost=Money(round(float((reached * own.break_even_cost).sum()) / max(tries, 1.0)), amount.currency),
    )


def _one_of(chances: Floats | Sequence[float]) -> float:
    return round(float(1.0 - np.prod(1.0 - np.asarray(chances))), 6)


def planned_attempt(options: Options, worth: Values, index: int) -> PlannedAttempt:
    """One option as the next attempt, with its chance and its own value."""
    return PlannedAttempt(options.retries[index], rounded(options.scores[index]), worth[index], 1.0)


def rounded(score: Score) -> Score:
    """The score to six decimals, as decisions state it."""
    return Score(round(score.probability, 6), round(score.low, 6), round(score.high, 6))

"""Which allowed retry to make now. One attempt ahead: the retry of the highest expected net value, if any pays.

Waiting is priced in the value (customers leave, days cost), so that a later slot must earn its delay.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.money import Money
from model.caps.verdict import Verdict
from model.decision import Plan, PlannedAttempt
from model.economics import Economics
from model.scorer import Score, Scores
from model.valuation import Values, values

POLICY = "one-attempt-ahead"


@dataclass(frozen=True, slots=True)
class Options:
    """What may be done: the retries every rule allows, each with its chance and what its rules leave.

    Args:
        retries: In order of time.
        scores: P(approved) of each.
        verdicts: Of each, every rule that applies, with used and limit.
    """

    retries: tuple[Retry, ...]
    scores: Scores
    verdicts: tuple[tuple[Verdict, ...], ...]


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was chosen from.

    Args:
        worth: Expected net value of starting with each option and going on as planned, minor units, shape (n,).
        first: Position of the option the plan starts with, or None when no option pays.
    """

    plan: Plan
    values: Values
    worth: NDArray[np.float64]
    first: int | None


def plan(context: Context, options: Options, economics: Economics) -> Planned:
    """The best plan over the options now; ties go to the earlier slot, then to the method listed first."""
    worth = values(context, options.retries, options.scores.probability, economics)
    first = int(np.argmax(worth.net)) if options.retries else None
    if first is not None and not worth.net[first] > 0.0:
        first = None
    attempts = () if first is None else (planned_attempt(options, worth, first),)
    return Planned(_totals(context, attempts), worth, worth.net, first)


def planned_attempt(options: Options, worth: Values, index: int) -> PlannedAttempt:
    """One option with its chance and value."""
    return PlannedAttempt(options.retries[index], rounded(options.scores[index]), worth[index])


def rounded(score: Score) -> Score:
    """The score to six decimals, as decisions state it."""
    return Score(round(score.probability, 6), round(score.low, 6), round(score.high, 6))


def _totals(context: Context, attempts: Sequence[PlannedAttempt]) -> Plan:
    amount = context.payment.amount
    recovered = sum(a.score.probability for a in attempts) * amount.amount_minor
    return Plan(
        attempts=tuple(attempts),
        expected_recovered=Money(round(recovered), amount.currency),
        expected_cost=Money(sum(a.value.cost.amount_minor for a in attempts), amount.currency),
        expected_net=Money(sum(a.value.net.amount_minor for a in attempts), amount.currency),
    )

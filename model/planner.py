"""Which allowed retry to make now, looking one attempt ahead: its own value and that of the best try after it.

    worth(i) = net(i) + (1 − p(i)) · AFTER_DECLINE · max(0, best net of a retry that may still follow i)

Without what may follow, the first attempt would be spent on the latest good day (a greedy choice is worse than a fixed
schedule from three retries on). A retry with the same method may follow a day later, if the limits leave two; one with
another method at once. Waiting is priced in the value (customers leave, days cost).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import MICROS_PER_DAY, to_micros
from features.money import Money
from model.caps.verdict import Verdict
from model.decision import Plan, PlannedAttempt
from model.economics import Economics
from model.scorer import Score, Scores
from model.valuation import Values, values

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

POLICY = "one-attempt-ahead"

AFTER_DECLINE = 0.8
"""What one more decline leaves of a later retry's value. Ours: what the prior's shift does to even odds."""

_SPACING = MICROS_PER_DAY


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
        worth: Expected net value of starting with each option and trying once more after a decline, minor units,
            shape (n,).
        first: Position of the option the plan starts with, or None when no option pays.
    """

    plan: Plan
    values: Values
    worth: Floats
    first: int | None


def plan(context: Context, options: Options, economics: Economics) -> Planned:
    """The best plan over the options now; ties go to the earlier slot, then to the method listed first."""
    value = values(context, options.retries, options.scores.probability, economics)
    follow_up = _follow_up(options, value.net)
    worth = value.net + (1.0 - options.scores.probability) * AFTER_DECLINE * follow_up
    paying = np.where(value.net > 0.0, worth, -np.inf)
    first = int(np.argmax(paying)) if options.retries and paying.max() > 0.0 else None
    attempts = () if first is None else (planned_attempt(options, value, first),)
    return Planned(_totals(context, attempts, worth, first), value, worth, first)


def _follow_up(options: Options, net: Floats) -> Floats:
    """Net value of the best retry that may follow each option after a decline, zero where none pays, shape (n,)."""
    start = np.array([to_micros(retry.slot.start) for retry in options.retries], dtype=np.int64)
    methods = np.array([retry.method_id for retry in options.retries], dtype=np.str_)
    spare = np.array([_spares_two(verdicts) for verdicts in options.verdicts], dtype=np.bool_)
    best = np.zeros(net.shape)
    for method in np.unique(methods):
        theirs = methods == method
        ahead = _best_from(start[theirs], net[theirs])
        again = ahead(start + _SPACING)
        best = np.maximum(best, np.where(theirs, np.where(spare, again, 0.0), ahead(start + 1)))
    return best


def _best_from(start: Int64s, net: Floats) -> Callable[[Int64s], Floats]:
    """The best net value of the retries that start at or after an instant, never below zero; `start` rises."""
    best = np.append(np.maximum.accumulate(np.maximum(net, 0.0)[::-1])[::-1], 0.0)

    def at(instants: Int64s) -> Floats:
        found: Floats = best[np.searchsorted(start, instants, side="left")]
        return found

    return at


def _spares_two(verdicts: Sequence[Verdict]) -> bool:
    """Whether every limit leaves another attempt after this one."""
    return all(v.limit - v.used >= 2 for v in verdicts if v.limit is not None and v.used is not None)


def planned_attempt(options: Options, worth: Values, index: int) -> PlannedAttempt:
    """One option with its chance and value."""
    return PlannedAttempt(options.retries[index], rounded(options.scores[index]), worth[index])


def rounded(score: Score) -> Score:
    """The score to six decimals, as decisions state it."""
    return Score(round(score.probability, 6), round(score.low, 6), round(score.high, 6))


def _totals(context: Context, attempts: Sequence[PlannedAttempt], worth: Floats, first: int | None) -> Plan:
    amount = context.payment.amount
    recovered = sum(a.score.probability for a in attempts) * amount.amount_minor
    return Plan(
        attempts=tuple(attempts),
        expected_recovered=Money(round(recovered), amount.currency),
        expected_cost=Money(sum(a.value.cost.amount_minor for a in attempts), amount.currency),
        expected_net=Money(0 if first is None else round(float(worth[first])), amount.currency),
    )

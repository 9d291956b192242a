"""Policies that choose by a scorer: greedily, by the best plan, and by the plan with a little exploration.

All keep every rule of the rulebook, answer many contexts with few calls of the scorer, and take the same two bounds: at
most so many retries of a payment, and until so many days after its first failure.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from features.action import Action, Stop
from features.context import Context
from model.candidates import candidates
from model.caps.rulebook import Rulebook
from model.decision import Choice, StopReason
from model.economics import Economics
from model.planner import POLICY, Case, Options, Planned, plan_many
from model.policies import window_end
from model.retries import most_attempts
from model.scorer import Scorer
from model.screening import screen
from model.valuation import values

Floats = NDArray[np.float64]

AT_ONCE = 64
"""Contexts that are planned at once; more would only hold more memory."""


@dataclass(frozen=True, slots=True)
class PlanPolicy:
    """Does what the best plan starts with.

    Args:
        max_retries: At most so many retries of a payment; None leaves it to the economics and the caps.
        horizon_days: Retries until so many days after the first failure; None leaves it to `recover_by`.
    """

    scorer: Scorer
    rulebook: Rulebook
    economics: Economics
    max_retries: int | None = None
    horizon_days: float | None = None
    name: str = POLICY

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """What the plan starts with in each context, taken with certainty.

        Raises:
            InvalidValueError: A currency has no rate in the economics.
        """
        return [Choice(first_action(case, planned), propensity=1.0) for case, planned in self.plans(contexts)]

    def plans(self, contexts: Sequence[Context]) -> Iterator[tuple[Case, Planned]]:
        """The plan of each context with what it was chosen from, some contexts at a time."""
        for start in range(0, len(contexts), AT_ONCE):
            some = contexts[start : start + AT_ONCE]
            cases = allowed_cases(some, self.scorer, self.rulebook, self.economics, self.max_retries, self.horizon_days)
            yield from zip(cases, plan_many(cases, self.scorer, self.rulebook, self.economics), strict=True)


@dataclass(frozen=True, slots=True)
class Greedy:
    """Makes the allowed retry that is best by itself, as if there were no other; a baseline, not a planner.

    Args:
        by: `net` for the highest net value, `probability` for the highest chance; in either case only if it pays.
    """

    scorer: Scorer
    rulebook: Rulebook
    economics: Economics
    max_retries: int | None = None
    horizon_days: float | None = None
    by: Literal["net", "probability"] = "net"

    @property
    def name(self) -> str:
        """`greedy-net` or `greedy-probability`."""
        return f"greedy-{self.by}"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """The best single retry of each context; ties go to the earlier.

        Raises:
            InvalidValueError: A currency has no rate in the economics.
        """
        return [
            Choice(self._action(case), propensity=1.0)
            for start in range(0, len(contexts), AT_ONCE)
            for case in allowed_cases(
                contexts[start : start + AT_ONCE],
                self.scorer,
                self.rulebook,
                self.economics,
                self.max_retries,
                self.horizon_days,
            )
        ]

    def _action(self, case: Case) -> Action:
        chance = case.options.scores.probability
        net = values(case.context, case.options.retries, chance, self.economics).net
        if not case.most or not (net > 0).any():
            return Stop(_why_stopped(case))
        rank = net if self.by == "net" else np.where(net > 0, chance, -1.0)
        return case.options.retries[int(np.argmax(rank))]


def allowed_cases(
    contexts: Sequence[Context],
    scorer: Scorer,
    rulebook: Rulebook,
    economics: Economics,
    max_retries: int | None,
    horizon_days: float | None,
) -> list[Case]:
    """What the rules allow in each context, scored in one call; nothing where no retry is left."""
    most = [most_attempts(context, economics, max_retries) for context in contexts]
    screened = [
        screen(context, candidates(context, window_end(context, horizon_days)) if left else (), rulebook)
        for context, left in zip(contexts, most, strict=True)
    ]
    scores = scorer.score_many([(context, found.allowed) for context, found in zip(contexts, screened, strict=True)])
    return [
        Case(context, Options(found.allowed, score, found.verdicts), left)
        for context, found, score, left in zip(contexts, screened, scores, most, strict=True)
    ]


def first_action(case: Case, planned: Planned) -> Action:
    """What a plan starts with, or why there is none."""
    return Stop(_why_stopped(case)) if planned.first is None else case.options.retries[planned.first]


def _why_stopped(case: Case) -> StopReason:
    if not case.most:
        return StopReason.RETRIES_USED_UP
    return StopReason.NOT_WORTH_IT if case.options.retries else StopReason.NO_ALLOWED_ACTION

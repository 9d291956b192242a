"""The planner as a policy that answers many contexts at once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from features.action import Action, Stop
from features.context import Context
from model.candidates import candidates
from model.caps.rulebook import Rulebook
from model.decision import Choice
from model.economics import Economics
from model.planner import POLICY, Case, Options, Planned, plan_many
from model.policies import SCHEDULE_OVER, window_end
from model.retries import most_attempts
from model.scorer import Scorer
from model.screening import screen

NOTHING_PAYS = "not_worth_it"
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
        return [Choice(_first(case, planned), propensity=1.0) for case, planned in self.plans(contexts)]

    def plans(self, contexts: Sequence[Context]) -> Iterator[tuple[Case, Planned]]:
        """The plan of each context with what it was chosen from, some contexts at a time."""
        for start in range(0, len(contexts), AT_ONCE):
            cases = self._cases(contexts[start : start + AT_ONCE])
            yield from zip(cases, plan_many(cases, self.scorer, self.rulebook, self.economics), strict=True)

    def _cases(self, contexts: Sequence[Context]) -> list[Case]:
        most = [most_attempts(context, self.economics, self.max_retries) for context in contexts]
        screened = [
            screen(context, candidates(context, window_end(context, self.horizon_days)) if left else (), self.rulebook)
            for context, left in zip(contexts, most, strict=True)
        ]
        asked = [(context, found.allowed) for context, found in zip(contexts, screened, strict=True)]
        scores = self.scorer.score_many(asked)
        return [
            Case(context, Options(found.allowed, score, found.verdicts), left)
            for context, found, score, left in zip(contexts, screened, scores, most, strict=True)
        ]


def _first(case: Case, planned: Planned) -> Action:
    if planned.first is not None:
        return case.options.retries[planned.first]
    return Stop(NOTHING_PAYS if case.most else SCHEDULE_OVER)

"""The planner as a policy that answers many contexts at once."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.action import Action, Stop
from features.context import Context
from model.candidates import candidates
from model.caps.rulebook import Rulebook
from model.decision import Choice
from model.economics import Economics
from model.planner import POLICY, Options, plan
from model.policies import SCHEDULE_OVER, retries_left, window_end
from model.scorer import Scorer, Scores
from model.screening import Screened, screen

NOTHING_PAYS = "not_worth_it"


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
        screened = [self._screened(context) for context in contexts]
        asked = [(context, found.allowed) for context, found in zip(contexts, screened, strict=True)]
        scores = self.scorer.score_many(asked)
        return [
            Choice(self._action(context, found, score), propensity=1.0)
            for context, found, score in zip(contexts, screened, scores, strict=True)
        ]

    def _screened(self, context: Context) -> Screened:
        over = retries_left(context, self.max_retries) == 0
        proposed = () if over else candidates(context, window_end(context, self.horizon_days))
        return screen(context, proposed, self.rulebook)

    def _action(self, context: Context, screened: Screened, scores: Scores) -> Action:
        if retries_left(context, self.max_retries) == 0:
            return Stop(SCHEDULE_OVER)
        planned = plan(context, Options(screened.allowed, scores, screened.verdicts), self.economics)
        return Stop(NOTHING_PAYS) if planned.first is None else screened.allowed[planned.first]

"""Any policy, held to the rules and to bounds: what a schedule would come to if it were made lawful."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.action import Action, Retry, Stop
from features.context import Context
from model.candidates import candidates
from model.caps.rulebook import Rulebook
from model.decision import Choice, StopReason
from model.policies import Policy, window_end
from model.retries import retries_made
from model.screening import screen, verdicts_on


@dataclass(frozen=True, slots=True)
class WithinRules:
    """Does what another policy does, unless a rule forbids that: then the first allowed slot after it, same route.

    Args:
        max_retries: At most so many retries of a payment; None for no such bound.
        horizon_days: Until so many days after the first failure; None leaves it to `recover_by`.
    """

    policy: Policy
    rulebook: Rulebook
    max_retries: int | None = None
    horizon_days: float | None = None

    @property
    def name(self) -> str:
        """The name of the policy it holds to the rules."""
        return self.policy.name

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """The policy's choices, moved or stopped where they must be; its propensities stay.

        Raises:
            InvalidValueError: As the policy's.
        """
        chosen = self.policy.choices(contexts)
        return [
            Choice(self._lawful(context, choice.action), choice.propensity)
            for context, choice in zip(contexts, chosen, strict=True)
        ]

    def _lawful(self, context: Context, action: Action) -> Action:
        if isinstance(action, Stop):
            return action
        if self.max_retries is not None and retries_made(context) >= self.max_retries:
            return Stop(StopReason.RETRIES_USED_UP)
        end = window_end(context, self.horizon_days)
        if action.slot.end <= end and all(verdict.allowed for verdict in verdicts_on(context, action, self.rulebook)):
            return action
        later = [retry for retry in candidates(context, end) if _follows(retry, action)]
        allowed = screen(context, later, self.rulebook).allowed
        return allowed[0] if allowed else Stop(StopReason.NO_ALLOWED_ACTION)


def _follows(retry: Retry, wanted: Retry) -> bool:
    same = (retry.method_id, retry.processor) == (wanted.method_id, wanted.processor)
    return same and retry.slot.start >= wanted.slot.start

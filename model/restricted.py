"""A policy without some of its moves: what cycling and routing are worth, seen by doing without them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from features.context import Context
from features.method import Method
from model.decision import Choice
from model.failures import failures
from model.policies import Policy


@dataclass(frozen=True, slots=True)
class Restricted:
    """The policy as it would choose if it had fewer moves.

    Args:
        cycling: Whether it may use another method than the one that failed first.
        routing: Whether it may use another processor than the one that failed first, or, for other methods, than the
            first that carries them.
    """

    policy: Policy
    name: str
    cycling: bool = True
    routing: bool = True

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """What the policy would do in each context with the moves it is left."""
        return self.policy.choices([self._without(context) for context in contexts])

    def _without(self, context: Context) -> Context:
        failed = failures(context)
        if not failed:
            return context
        first = failed[0]
        return replace(
            context,
            methods=tuple(self._method(method, first.method_id, first.processor) for method in context.methods),
        )

    def _method(self, method: Method, first_method: str, first_processor: str) -> Method:
        consented = method.consented and (self.cycling or method.method_id == first_method)
        if self.routing:
            return replace(method, consented=consented)
        only = (first_processor,) if method.method_id == first_method else method.processors[:1]
        return replace(method, consented=consented, processors=only)

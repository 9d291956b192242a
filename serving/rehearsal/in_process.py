"""The truth of an experiment in a world: every variant answers in this process for every payment, one after the other.

No HTTP, no ledger, no clock, no holds and no assignment are in it: what those might spoil is what is put to the test.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from experiments.definition import Definition
from experiments.outcomes import PaymentOutcome
from experiments.potential_outcomes import Entrant, arms, became
from experiments.replay import play
from experiments.world import World
from features.context import Context
from model.decision import Choice
from model.record import NOTHING
from serving.live_experiments import Answerer
from serving.rehearsal.numbered import Numbered
from serving.service import Service, load_service
from serving.settings import Settings
from serving.trust.ladder import Ladder

Outcomes = Mapping[str, Sequence[PaymentOutcome]]
"""By variant, what became of each payment under it."""

Tell = Callable[[str, int, int], None]
"""Called with (variant, payments that are over, payments)."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A variant as a policy of a replay: what the service decides for it, with nothing on record."""

    name: str
    ladder: Ladder

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """Its decisions.

        Raises:
            InvalidValueError: A currency has no rate in the economics.
        """
        return [self.ladder.decide(context, NOTHING, None).choice for context in contexts]


def potential_outcomes(
    world: World,
    definition: Definition,
    taking_part: Sequence[Entrant],
    service: Service,
    tell: Tell = lambda name, done, of: None,  # noqa: ARG005 - nobody looks
) -> Outcomes:
    """What becomes of every payment under every variant, the hold-out included.

    Args:
        service: With the started definition among its experiments.
    """
    (live,) = [one for one in service.experiments.live if one.definition.key == definition.key]
    return {
        variant: _played(world, definition, taking_part, service, variant, live.answerers[variant], tell)
        for variant in arms(definition)
    }


def potential_outcomes_apart(
    world: World, definition: Definition, taking_part: Sequence[Entrant], settings: Settings
) -> Outcomes:
    """The same, with a service loaded by these settings: for a process of its own."""
    return potential_outcomes(world, definition, taking_part, load_service(settings))


def _played(
    world: World,
    definition: Definition,
    taking_part: Sequence[Entrant],
    service: Service,
    variant: str,
    answerer: Answerer,
    tell: Tell,
) -> Sequence[PaymentOutcome]:
    answering = service.answering
    policy = Answers(
        variant,
        Ladder(answering.scorer, answerer.rulebook, service.economics, answering.reliance, arm=answerer.arm),
    )
    episodes = play(
        Numbered(world),
        policy,
        answerer.rulebook,
        max_retries=service.economics.max_retries,
        failures=[one.context for one in taking_part],
        progress=lambda done, of: tell(variant, done, of),
    )
    return [
        became(episode, one.failure.failed_at, world, definition.window_days)
        for episode, one in zip(episodes, taking_part, strict=True)
    ]

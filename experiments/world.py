"""Where policies are tried out: a world gives failed payments and answers any retry.

`World` is small so that anyone can bring one: a simulator, or recorded reality with known counterfactuals. What a world
knows beyond that, it says by the other protocols here, or by `model.oracle.Chances`; whoever plays in it asks by the
functions below.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from features.action import Retry
from features.attempt import Attempt
from features.context import Context

Proposal = tuple[str, Retry]
"""A payment's id and the retry asked for it."""


class World(Protocol):
    """Failed payments, and an answer to every retry of them."""

    def failures(self) -> Iterable[Context]:
        """Each failed payment as known when its first failure became known."""
        ...

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        """What the retry would have come to, made at the start of its slot; `unknown` where the world cannot tell.

        Common random numbers: the same question has the same answer, whatever was asked before.
        """
        ...


@runtime_checkable
class Batched(Protocol):
    """A world that answers many retries at a fraction of the cost of one by one."""

    def submit_many(self, proposals: Sequence[Proposal]) -> Sequence[Attempt]:
        """The answers, each as `submit` would give it."""
        ...


@runtime_checkable
class Living(Protocol):
    """A world in which customers act by themselves."""

    def settled_at(self, payment_id: str) -> datetime | None:
        """When the customer pays by hand if nothing was recovered before, or None."""
        ...

    def left_at(self, payment_id: str) -> datetime | None:
        """When the customer leaves for good if the payment is still open then, or None."""
        ...


def answers(world: World, proposals: Sequence[Proposal]) -> Sequence[Attempt]:
    """The world's answers, all at once where it can."""
    if isinstance(world, Batched):
        return world.submit_many(proposals)
    return [world.submit(*proposal) for proposal in proposals]

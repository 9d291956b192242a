"""A payment after declines that have not happened: places among some retries instead of contexts full of attempts.

A plan asks about some dozen of them, and they differ from the payment as it stands in a few numbers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from features.attempt import Attempt
from features.context import Context
from features.instants import from_micros, to_micros
from features.proposed import Proposed

SUPPOSED = "imagined"
"""The name and the source of attempts that have not happened."""


@dataclass(frozen=True, slots=True, eq=False)
class Supposing:
    """What everything supposed about one payment has in common.

    Args:
        context: The payment as it stands.
        moves: The retries of which some are supposed to have been declined, in order of time.
        likes: A decline by each route of the moves; those of its moves differ from it in their instants only.
    """

    context: Context
    moves: Proposed
    likes: tuple[Attempt, ...]

    def attempt(self, number: int, place: int) -> Attempt:
        """The decline of a move, as the so manieth of those supposed."""
        like = self.likes[int(self.moves.route[place])]
        at = from_micros(int(self.moves.start[place]))
        return replace(like, attempt_id=f"{SUPPOSED} {number}", at=at, outcome_at=at + (like.known_at - like.at))

    def waits(self) -> list[int]:
        """How long a decline by each route takes to become known, microseconds."""
        return [to_micros(like.known_at) - to_micros(like.at) for like in self.likes]


@dataclass(frozen=True, slots=True, eq=False)
class Supposed:
    """One supposition: these moves were made, in order of time, and declined."""

    by: Supposing
    declined: tuple[int, ...]

    def context(self) -> Context:
        """The context as it would be then."""
        context = self.by.context
        attempts = [self.by.attempt(number, place) for number, place in enumerate(self.declined)]
        as_of = max([context.as_of, *(attempt.known_at for attempt in attempts)])
        return replace(context, attempts=(*context.attempts, *attempts), as_of=as_of)


Supposition = tuple[Supposed, Proposed]
"""A supposition and the retries asked about under it."""


def contexts_of(suppositions: Sequence[Supposition]) -> list[tuple[Context, Proposed]]:
    """The same of contexts, for who knows nothing of suppositions."""
    return [(supposed.context(), retries) for supposed, retries in suppositions]

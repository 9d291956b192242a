"""A payment after declines that have not happened: places among some retries instead of contexts full of attempts.

A plan asks about some dozen of them, and they differ from the payment as it stands in a few numbers only.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from features.attempt import Attempt
from features.context import Context
from features.instants import from_micros, to_micros
from features.proposed import Proposed

Int64s = NDArray[np.int64]

SUPPOSED = "imagined"
"""The name and the source of attempts that have not happened."""


def declined_like(like: Attempt, number: int, at: datetime) -> Attempt:
    """The so manieth of the declines supposed: at another instant, and answered as long after it."""
    return replace(like, attempt_id=f"{SUPPOSED} {number}", at=at, outcome_at=at + (like.known_at - like.at))


def context_after(context: Context, declined: Sequence[Attempt]) -> Context:
    """The context as it would be once these attempts had been made, and all their outcomes were known."""
    as_of = max([context.as_of, *(attempt.known_at for attempt in declined)])
    return replace(context, attempts=(*context.attempts, *declined), as_of=as_of)


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

    def after(self, declined: Sequence[int]) -> Context:
        """The context as it would be once these moves, in order of time, had all been declined."""
        starts, routes = self.moves.start.tolist(), self.moves.route.tolist()
        attempts = [
            declined_like(self.likes[routes[place]], number, from_micros(starts[place]))
            for number, place in enumerate(declined)
        ]
        return context_after(self.context, attempts)

    def waits(self) -> list[int]:
        """How long a decline by each route takes to become known, microseconds."""
        return [to_micros(like.known_at) - to_micros(like.at) for like in self.likes]


@dataclass(frozen=True, slots=True, eq=False)
class Supposed:
    """Suppositions about one payment, and what is asked under each.

    Args:
        declined: Under each, the places of the moves that were made, in order of time, and declined.
        asked: Places of the moves asked about, one supposition after another, shape (n,).
        sizes: How many are asked about under each.
    """

    by: Supposing
    declined: Sequence[tuple[int, ...]]
    asked: Int64s
    sizes: Sequence[int]

    def contexts(self) -> list[tuple[Context, Proposed]]:
        """The same as contexts and retries, for who knows nothing of suppositions."""
        retries = self.by.moves.take(self.asked)
        return [
            (self.by.after(declined), retries[end - size : end])
            for declined, size, end in zip(self.declined, self.sizes, accumulate(self.sizes), strict=True)
        ]

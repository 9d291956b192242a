"""A world whose retries are numbered by payment, as a billing system numbers its attempts.

Two retries of a payment may be made at one instant, with one method after the other. What is known of a payment is
sorted by instant and id, so the ids have to tell which was first, over HTTP and in process alike.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from experiments.world import Living, Proposal, World, answers
from features.action import Retry
from features.attempt import Attempt
from features.context import Context


@dataclass
class Numbered:
    """The same world; to be played once, since it counts."""

    world: World
    _made: Counter[str] = field(default_factory=Counter)

    def failures(self) -> Sequence[Context]:
        """Those of the world."""
        return list(self.world.failures())

    def submit(self, payment_id: str, action: Retry) -> Attempt:
        """The world's answer, under the next number of the payment.

        Raises:
            InvalidValueError: As the world.
        """
        return self.submit_many([(payment_id, action)])[0]

    def submit_many(self, proposals: Sequence[Proposal]) -> Sequence[Attempt]:
        """The same for many at once."""
        return [self._numbered(one) for one in answers(self.world, proposals)]

    def settled_at(self, payment_id: str) -> datetime | None:
        """As the world knows it; None where it does not."""
        return self.world.settled_at(payment_id) if isinstance(self.world, Living) else None

    def left_at(self, payment_id: str) -> datetime | None:
        """As the world knows it; None where it does not."""
        return self.world.left_at(payment_id) if isinstance(self.world, Living) else None

    def _numbered(self, attempt: Attempt) -> Attempt:
        self._made[attempt.payment_id] += 1
        return replace(attempt, attempt_id=f"{attempt.payment_id}_{self._made[attempt.payment_id]:03d}")

"""What can be done about a failed payment: try in a slot with a method through a processor, or stop."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Slot:
    """A window of time to make an attempt in, half open: `start <= at < end` (UTC).

    Scores are taken at `start`; far slots are coarse and refined when their turn comes.
    """

    start: datetime
    end: datetime

    @property
    def length(self) -> timedelta:
        """How long the window is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Retry:
    """Make one attempt in the slot with the method through the processor."""

    slot: Slot
    method_id: str
    processor: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Make no further attempt; `reason` is a short code such as `no_allowed_action` or `not_worth_it`."""

    reason: str


Action = Retry | Stop

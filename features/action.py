"""What can be done about a failed payment: try in a slot with a method through a processor, or stop."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from features.instants import to_micros


@dataclass(frozen=True, slots=True)
class Slot:
    """A window of time to make an attempt in, half open: `start <= at < end` (UTC).

    Scores are taken at `start`; far slots are coarse and refined when their turn comes.

    Args:
        start_micros, end_micros: The same instants in microseconds, worked out once for all who ask.

    Raises:
        InvalidValueError: An instant has no time zone.
    """

    start: datetime
    end: datetime
    start_micros: int = field(init=False, repr=False, compare=False)
    end_micros: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "start_micros", to_micros(self.start))
        object.__setattr__(self, "end_micros", to_micros(self.end))

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

"""Policies to compare with: the fixed schedules that billing systems ship."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from features.action import Action, Retry, Slot, Stop
from features.context import Context
from features.errors import InvalidValueError
from model.decision import Choice
from model.failures import failures

SCHEDULE_OVER = "schedule_over"
SLOT_LENGTH = timedelta(hours=1)


class Policy(Protocol):
    """Anything that says what to do next about a failed payment, from its context alone."""

    @property
    def name(self) -> str:
        """As it stands in histories and reports."""
        ...

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """What it would do next in each context, with its propensity; many at once, because scoring is cheaper so."""
        ...


@dataclass(frozen=True, slots=True)
class FixedSchedule:
    """Retries so many days after the first failure, with the method and processor that failed last, whatever happened.

    Args:
        days: After the first failure, rising, one a retry; at the same time of day.
    """

    name: str
    days: tuple[int, ...]

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """The schedule's next action in each context; it never draws.

        Raises:
            InvalidValueError: As for `next_action`.
        """
        return [Choice(self.next_action(context), propensity=1.0) for context in contexts]

    def next_action(self, context: Context) -> Action:
        """The schedule's next retry; one that should have been made already is made now.

        Raises:
            InvalidValueError: No attempt of the payment has failed.
        """
        failed = failures(context)
        if not failed:
            raise InvalidValueError(
                "attempts", len(context.own_attempts), "at least one failed attempt of this payment"
            )
        made = sum(attempt.at > failed[0].at for attempt in context.own_attempts)
        if made >= len(self.days):
            return Stop(SCHEDULE_OVER)
        start = max(failed[0].at + timedelta(days=self.days[made]), context.as_of)
        return Retry(Slot(start, start + SLOT_LENGTH), failed[-1].method_id, failed[-1].processor)


FIXED_1_3_5_7 = FixedSchedule("fixed-1-3-5-7", (1, 3, 5, 7))
FIXED_3_7_14_21 = FixedSchedule("fixed-3-7-14-21", (3, 7, 14, 21))
EIGHT_IN_TWO_WEEKS = FixedSchedule("eight-in-two-weeks", (1, 3, 5, 7, 8, 10, 12, 14))
FIXED_SCHEDULES = (FIXED_1_3_5_7, FIXED_3_7_14_21, EIGHT_IN_TWO_WEEKS)

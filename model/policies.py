"""What a policy is, and those to compare with: no retry and the fixed schedules that billing systems ship."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from features.action import Action, Retry, Slot, Stop
from features.context import Context
from features.errors import InvalidValueError
from model.candidates import HORIZON_DAYS, by_day, horizon_of
from model.decision import Choice
from model.failures import failures
from model.retries import retries_made

SCHEDULE_OVER = "schedule_over"
NO_RETRY = "no_retry"
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
class NoRetry:
    """Stops after the first failure: what recovers without any retry is the floor for all others."""

    name: str = "no-retry"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """A stop for every context."""
        return [Choice(Stop(NO_RETRY), propensity=1.0) for _ in contexts]


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
        made = retries_made(context)
        if made >= len(self.days):
            return Stop(SCHEDULE_OVER)
        start = max(failed[0].at + timedelta(days=self.days[made]), context.as_of)
        return Retry(Slot(start, start + SLOT_LENGTH), failed[-1].method_id, failed[-1].processor)


FIXED_1_3_5_7 = FixedSchedule("fixed-1-3-5-7", (1, 3, 5, 7))


def window_end(context: Context, horizon_days: float | None) -> datetime:
    """Until when a policy that retries so many days from the first failure plans; at most to `recover_by` and 60 days.

    Where history knows days only, the last day counts whole.
    """
    end = horizon_of(context, HORIZON_DAYS)
    failed = failures(context)
    if horizon_days is None or not failed:
        return end
    last_day = timedelta(hours=12) if by_day(context) else timedelta(0)
    return min(end, failed[0].at + timedelta(days=horizon_days) + last_day)

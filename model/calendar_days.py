"""The rule of thumb that retries on certain days of the month, within the rules."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.action import Action, Retry, Stop
from features.calendars import day_of_month
from features.context import Context
from features.instants import to_micros
from features.time_zones import local_day, local_micros
from model.candidates import candidates
from model.caps.rulebook import Rulebook
from model.decision import Choice, StopReason
from model.failures import failures
from model.issuer_clock import issuer_clock
from model.policies import window_end
from model.retries import retries_made
from model.screening import screen


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """Retries on given days of the month on the issuer's clock, with the method and processor that failed last.

    Takes the first slot of such a day that the rules allow; where only its first hours are forbidden, a later one.

    Args:
        days: Of the month, 1 to 31; 31 also stands for the last day of shorter months.
        max_retries: At most so many retries of a payment; None for no such bound.
        horizon_days: Until so many days after the first failure; None leaves it to `recover_by`.
    """

    rulebook: Rulebook
    days: tuple[int, ...] = (1, 15)
    max_retries: int | None = None
    horizon_days: float | None = None
    name: str = "calendar-1-15"

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """The next such day of each context; it never draws."""
        return [Choice(self._action(context), propensity=1.0) for context in contexts]

    def _action(self, context: Context) -> Action:
        failed = failures(context)
        if not failed or (self.max_retries is not None and retries_made(context) >= self.max_retries):
            return Stop(StopReason.RETRIES_USED_UP if failed else StopReason.NO_ALLOWED_ACTION)
        route = (failed[-1].method_id, failed[-1].processor)
        proposed = candidates(context, window_end(context, self.horizon_days))
        theirs = [retry for retry in proposed if (retry.method_id, retry.processor) == route]
        allowed = screen(context, self._on_days(context, theirs), self.rulebook).allowed
        return allowed[0] if allowed else Stop(StopReason.NO_ALLOWED_ACTION)

    def _on_days(self, context: Context, retries: Sequence[Retry]) -> tuple[Retry, ...]:
        """Those on the days of the rule that come after the day of the last attempt."""
        if not retries:
            return ()
        zone = issuer_clock(context, context.method(retries[0].method_id)).zone
        start = np.array([to_micros(retry.slot.start) for retry in retries], dtype=np.int64)
        day = local_day(local_micros(zone, start))
        last = local_day(local_micros(zone, np.array([to_micros(context.own_attempts[-1].at)], dtype=np.int64)))
        month_ends = (day_of_month(day + 1) == 1) & (31 in self.days)
        chosen = (np.isin(day_of_month(day), self.days) | month_ends) & (day > last)
        return tuple(retries[i] for i in np.flatnonzero(chosen).tolist())

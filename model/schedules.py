"""Schedules as policies: retries on days known in advance, kept within the limits like any other policy.

A timetable says on which days after the first failure to retry, knowing only the day of that failure; `Schedule` makes
a policy of it. A day on which a rule forbids the retry is passed over.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from features.action import Action, Retry, Slot, Stop
from features.calendars import to_day
from features.context import Context
from features.errors import InvalidValueError
from model.caps.rulebook import Rulebook
from model.decision import Choice, StopReason
from model.failures import failures
from model.issuer_clock import issuer_clock
from model.policies import SCHEDULE_OVER, SLOT_LENGTH
from model.screening import verdicts_on
from model.wording import local_date


class Timetable(Protocol):
    """Days on which to retry, known as soon as the day of the first failure is."""

    def days(self, failed_on: date) -> tuple[int, ...]:
        """Local days after the first failure, rising, each at least 1."""
        ...


@dataclass(frozen=True, slots=True)
class FixedDays:
    """The same days after every failure."""

    after: tuple[int, ...]

    def days(self, failed_on: date) -> tuple[int, ...]:  # noqa: ARG002 - other timetables need it
        """Those days."""
        return self.after


@dataclass(frozen=True, slots=True)
class ByDueDay:
    """Days chosen by the part of the month in which the payment failed.

    Args:
        last_days: Last day of the month of each part but the last, rising; (5, 10) parts 1-5, 6-10 and 11-31.
        after: Days after the failure, one tuple a part.
    """

    last_days: tuple[int, ...]
    after: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        if len(self.after) != len(self.last_days) + 1:
            raise InvalidValueError("after", len(self.after), f"{len(self.last_days) + 1} parts of the month")

    def days(self, failed_on: date) -> tuple[int, ...]:
        """The days of that part."""
        return self.after[bisect_left(self.last_days, failed_on.day)]


@dataclass(frozen=True, slots=True)
class MonthDays:
    """Certain days of the month, as they come after the failure; the 31st is the last day of a shorter month.

    Args:
        of_month: Days of the month, 1 to 31.
        within_days: Not later than so many days after the failure.
    """

    of_month: tuple[int, ...]
    within_days: int

    def days(self, failed_on: date) -> tuple[int, ...]:
        """Days after that failure that fall on one of them."""
        return tuple(after for after in range(1, self.within_days + 1) if self._falls(failed_on, after))

    def _falls(self, failed_on: date, after: int) -> bool:
        day = failed_on + timedelta(days=after)
        last = (day + timedelta(days=1)).day == 1
        return day.day in self.of_month or (last and any(wanted > day.day for wanted in self.of_month))


@dataclass(frozen=True, slots=True)
class Schedule:
    """Retries by a timetable, with the method and processor that failed last, at the time of day of the first failure.

    Args:
        name: As it stands in histories and reports.
        rulebook: A day on which a rule forbids the retry is passed over.
    """

    name: str
    timetable: Timetable
    rulebook: Rulebook

    def choices(self, contexts: Sequence[Context]) -> Sequence[Choice]:
        """The schedule's next action in each context; it never draws.

        Raises:
            InvalidValueError: As for `next_action`.
        """
        return [Choice(self.next_action(context), propensity=1.0) for context in contexts]

    def next_action(self, context: Context) -> Action:
        """The next day's retry that no rule forbids; one that should have been made already is made now.

        Raises:
            InvalidValueError: No attempt of the payment has failed.
        """
        left = upcoming(context, self.timetable)
        for retry in left:
            if self._allows(context, retry):
                return retry
        return Stop(StopReason.NO_ALLOWED_ACTION if left else SCHEDULE_OVER)

    def _allows(self, context: Context, retry: Retry) -> bool:
        if not self.rulebook.rules:
            return True
        return all(verdict.allowed for verdict in verdicts_on(context, retry, self.rulebook))


def upcoming(context: Context, timetable: Timetable) -> tuple[Retry, ...]:
    """The retries that a timetable has left; those that should have been made already are one, made now.

    Raises:
        InvalidValueError: No attempt of the payment has failed.
    """
    failed = failures(context)
    if not failed:
        raise InvalidValueError("attempts", len(context.own_attempts), "at least one failed attempt of the payment")
    first, last = failed[0], failed[-1]
    zone = issuer_clock(context, context.method(first.method_id)).zone
    failed_on = local_date(first.at, zone)
    made = to_day(local_date(context.own_attempts[-1].at, zone)) - to_day(failed_on)
    starts = (max(first.at + timedelta(days=day), context.as_of) for day in timetable.days(failed_on) if day > made)
    return tuple(
        Retry(Slot(start, start + SLOT_LENGTH), last.method_id, last.processor) for start in dict.fromkeys(starts)
    )


@dataclass(frozen=True, slots=True)
class NamedDays:
    """A timetable that needs no learning, with its name."""

    name: str
    timetable: Timetable


def known_timetables(within_days: int) -> tuple[NamedDays, ...]:
    """What billing systems ship: 1-3-5-7, 3-7-14-21, weekly, eight tries in two weeks, the 1st and 15th."""
    return (
        NamedDays("fixed-1-3-5-7", FixedDays((1, 3, 5, 7))),
        NamedDays("fixed-3-7-14-21", FixedDays((3, 7, 14, 21))),
        NamedDays("fixed-7-14-21-28", FixedDays((7, 14, 21, 28))),
        NamedDays("eight-in-two-weeks", FixedDays((1, 3, 5, 7, 8, 10, 12, 14))),
        NamedDays("first-and-fifteenth", MonthDays((1, 15), within_days)),
    )

"""Why then: paydays, banking days and what waiting changes, as sentences with figures."""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import lru_cache

import numpy as np

from features.calendars import days_to_payday, holiday_name, next_banking_day, to_date, to_day
from features.context import Context
from features.money import Money
from features.proposed import Proposed
from features.vocabulary import DeclineCategory
from model.decision import PlannedAttempt, Reason, Topic
from model.failures import category_of, failures
from model.issuer_clock import IssuerClock, issuer_clock
from model.planner import Options, Planned
from model.wording import count_words, country_words, day_words, duration_words, local_date, moment_words, percent

_TELLING = 0.005  # a smaller difference in probability is not a reason


def timing_reasons(context: Context, options: Options, planned: Planned, chosen: PlannedAttempt) -> Iterator[Reason]:
    """Why the chosen slot and not another time with the same method."""
    retry = chosen.retry
    clock = issuer_clock(context, context.method(retry.method_id))
    today, then = local_date(context.as_of, clock.zone), local_date(retry.slot.start, clock.zone)
    failed = failures(context, retry.method_id)
    if failed and category_of(failed[-1]) is DeclineCategory.INSUFFICIENT_FUNDS:
        yield from from_payday(clock, today, then)
    yield from closed_day(clock, today)
    yield _waiting(context, options, planned, chosen, clock)


def from_payday(clock: IssuerClock, today: date, then: date) -> Iterator[Reason]:
    """Where the slot lies from the market's next usual payday."""
    if clock.country is None:
        return
    payday = to_date(_payday_from(clock.country, to_day(today)))
    away, after = (payday - today).days, (then - payday).days
    where = "on it" if after == 0 else f"{count_words(abs(after), 'day')} {'after' if after > 0 else 'before'} it"
    when = "today" if away == 0 else f"{day_words(payday)}, {count_words(away, 'day')} away"
    country = country_words(clock.country)
    yield Reason(Topic.TIMING, f"The next usual payday in {country} is {when}; this slot is {where}.")


@lru_cache(maxsize=4_096)
def _payday_from(country: str, day: int) -> int:
    """The market's next usual payday, that day or later; days since 1970."""
    return day + int(days_to_payday(country, np.array([day]))[0])


def closed_day(clock: IssuerClock, day: date) -> Iterator[Reason]:
    """That banks are closed on a day, and when they open; nothing on a banking day."""
    number = to_day(day)
    if clock.country is None or _opens(clock.calendar, number) == number:
        return
    name = holiday_name(clock.calendar, number)
    why = f" ({name})" if name else ""
    opens = day_words(to_date(_opens(clock.calendar, number)))
    country = country_words(clock.country)
    yield Reason(Topic.TIMING, f"{day_words(day)}{why} is no banking day in {country}; the next is {opens}.")


@lru_cache(maxsize=4_096)
def _opens(calendar: str, day: int) -> int:
    """The day itself if banks work, else the next day they do; days since 1970."""
    return next_banking_day(calendar, day)


def _waiting(
    context: Context, options: Options, planned: Planned, chosen: PlannedAttempt, clock: IssuerClock
) -> Reason:
    """What the chosen time changes against the first allowed one with the same method and processor."""
    proposed = Proposed.of(options.retries)
    route = proposed.routes.index((chosen.retry.method_id, chosen.retry.processor))
    first = int(np.argmax(proposed.route == route))
    when = moment_words(chosen.retry.slot.start, clock.zone)
    wait = chosen.retry.slot.start - context.as_of
    ahead = "at once" if wait < timedelta(minutes=1) else f"{duration_words(wait)} from now"
    if first == planned.first:
        return Reason(Topic.TIMING, f"The first allowed slot, {when}, {ahead}: waiting is not worth more.")
    at_first = float(options.scores.probability[first])
    rise = chosen.score.probability - at_first
    lost = planned.values[first].gain.amount_minor - chosen.value.gain.amount_minor
    if rise < _TELLING:
        return Reason(Topic.TIMING, f"The slot is {when}, {ahead}.")
    sentence = (
        f"Waiting {duration_words(wait)}, until {when}, raises the chance from {percent(at_first)} "
        f"at the first allowed slot to {percent(chosen.score.probability)}"
    )
    cost = f", and costs {_money(planned, lost)} of what an approval is worth" if lost > 0 else ""
    return Reason(Topic.TIMING, f"{sentence}{cost}.")


def _money(planned: Planned, minor: int) -> str:
    return str(Money(minor, planned.values.currency))

"""Banking days, holidays and paydays by country, for whole arrays of local days.

Days are integers since 1970-01-01 on the local calendar. Holidays and weekends, including weekends that are not
Saturday and Sunday and that changed over the years, come from the `holidays` library; payday customs from
data/markets.toml. Bank debits settle on their scheme's calendar rather than on the country's: TARGET for SEPA,
the Federal Reserve for ACH.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

import holidays
import numpy as np
from numpy.typing import NDArray

from features.markets import PaydayRule, market
from features.time_zones import weekday
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MONTH = 30.4375
"""Mean days of a month (365.25 / 12)."""

CUT_OFF_HOUR = 15
"""Local hour by which a bank must have an order to work on it the same day (ours: most lie between 14 and 18)."""

_EPOCH_DAY = date(1970, 1, 1)
_NEAR_DAYS = 31  # no bank closes, or works, for longer without a break
_REMEMBERED = 1_024  # years of calendars; a caller may ask about any year in any country
_SCHEME_CALENDARS = {Network.SEPA_CORE: "XECB", Network.SEPA_B2B: "XECB", Network.ACH: "XFED"}
_SCHEME_COUNTRIES = {Network.BACS: "GB", Network.PAD: "CA", Network.NACH: "IN", Network.BECS_AU: "AU"}


def calendar_of(country: str | None, network: Network | str = Network.UNKNOWN) -> str:
    """The bank calendar that applies: the debit scheme's if it has one, else the country's, else weekdays only.

    >>> calendar_of("DE", Network.SEPA_CORE), calendar_of("SA"), calendar_of(None)
    ('XECB', 'SA', '')
    """
    known = Network(network)
    return _SCHEME_CALENDARS.get(known) or country or _SCHEME_COUNTRIES.get(known) or ""


def is_banking_day(calendar: str, days: Int64s) -> Flags:
    """Whether banks work: neither weekend nor public holiday (working days moved to weekends count)."""
    span = _span_of(calendar, days)
    return span.banking[days - span.first]


def is_holiday(calendar: str, days: Int64s) -> Flags:
    """Whether the day is a public holiday; plain weekends are not."""
    span = _span_of(calendar, days)
    return span.holiday[days - span.first]


def days_to_closed_day(calendar: str, days: Int64s) -> Int64s:
    """Days until banks are closed next; 0 where they are closed."""
    span = _span_of(calendar, days)
    return span.next_closed[days - span.first] - days


def days_from_closed_day(calendar: str, days: Int64s) -> Int64s:
    """Days since banks were last closed; 0 where they are closed."""
    span = _span_of(calendar, days)
    return days - span.last_closed[days - span.first]


def days_to_processing(calendar: str, days: Int64s, hours: Floats) -> Int64s:
    """Days until a bank works on an order: 0 on a banking day before the cut-off, else until the next banking day.

    Args:
        hours: Local hour of each order; NaN (only the day is known) is taken as before the cut-off.
    """
    started = days + (hours >= CUT_OFF_HOUR)
    span = _span_of(calendar, np.append(days, started))
    return span.next_open[started - span.first] - days


def next_banking_day(calendar: str, day: int) -> int:
    """The day itself if banks work, else the next day they do."""
    ahead = np.arange(day, day + 31, dtype=np.int64)
    open_days = ahead[is_banking_day(calendar, ahead)]
    return int(open_days[0]) if open_days.size else day


def days_to_payday(country: str, days: Int64s) -> Int64s:
    """Days until the market's next usual payday; 0 on a payday."""
    paydays = _paydays_around(country, days)
    return paydays[np.searchsorted(paydays, days, side="left")] - days


def days_from_payday(country: str, days: Int64s) -> Int64s:
    """Days since the market's latest usual payday; 0 on a payday."""
    paydays = _paydays_around(country, days)
    return days - paydays[np.searchsorted(paydays, days, side="right") - 1]


def days_to_month_end(days: Int64s) -> Int64s:
    """Days left in the month; 0 on its last day."""
    months = days.astype("datetime64[D]").astype("datetime64[M]")
    ends: Int64s = (months + np.int64(1)).astype("datetime64[D]").astype(np.int64) - days - 1
    return ends


def day_of_month(days: Int64s) -> Int64s:
    """1 to 31."""
    dates = days.astype("datetime64[D]")
    numbers: Int64s = (dates - dates.astype("datetime64[M]").astype("datetime64[D]")).astype(np.int64) + 1
    return numbers


def month_of(days: Int64s) -> Int64s:
    """Months since January 1970."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)


def first_of_month(month: int) -> int:
    """The day number of a month's first day; months since January 1970."""
    return to_day(date(_EPOCH_DAY.year + month // 12, month % 12 + 1, 1))


def to_date(day: int) -> date:
    """The calendar date of a day number."""
    return _EPOCH_DAY + timedelta(days=int(day))


def to_day(when: date) -> int:
    """The day number of a calendar date."""
    return (when - _EPOCH_DAY).days


def holiday_name(calendar: str, day: int) -> str | None:
    """What the holiday is called, in English where the library has it; None on other days."""
    when = to_date(day)
    source = _holidays(calendar, when.year)
    return None if source is None else source.get(when)


@dataclass(frozen=True, slots=True)
class _Span:
    """Every day of some years in a row, from day number `first` on; the other arrays have shape (days,).

    Args:
        next_open, last_open: Day number of the nearest banking day not before the day, and not after it.
        next_closed, last_closed: The same for days on which banks are closed.
    """

    first: int
    banking: Flags
    holiday: Flags
    next_open: Int64s
    last_open: Int64s
    next_closed: Int64s
    last_closed: Int64s


def _span_of(calendar: str, days: Int64s) -> _Span:
    """The years of the days and of those near them; no days need no calendar."""
    if not days.size:
        return _span("", _EPOCH_DAY.year, _EPOCH_DAY.year)
    low, high = to_date(int(days.min()) - _NEAR_DAYS), to_date(int(days.max()) + _NEAR_DAYS)
    return _span(calendar, low.year, high.year)


@lru_cache(maxsize=_REMEMBERED)
def _span(calendar: str, first_year: int, last_year: int) -> _Span:
    years = [_year(calendar, year) for year in range(first_year, last_year + 1)]
    banking, holiday = (np.concatenate([year[part] for year in years]) for part in (0, 1))
    first = to_day(date(first_year, 1, 1))
    days = np.arange(first, first + banking.size, dtype=np.int64)
    far = np.int64(days[-1] + 1)
    return _Span(
        first=first,
        banking=banking,
        holiday=holiday,
        next_open=np.minimum.accumulate(np.where(banking, days, far)[::-1])[::-1],
        last_open=np.maximum.accumulate(np.where(banking, days, first - 1)),
        next_closed=np.minimum.accumulate(np.where(banking, far, days)[::-1])[::-1],
        last_closed=np.maximum.accumulate(np.where(banking, first - 1, days)),
    )


@lru_cache(maxsize=_REMEMBERED)
def _year(calendar: str, year: int) -> tuple[Flags, Flags]:
    """(banking day, holiday) for each day of one year."""
    first = date(year, 1, 1)
    dates = [first + timedelta(days=i) for i in range((date(year + 1, 1, 1) - first).days)]
    source = _holidays(calendar, year)
    if source is None:
        return np.array([d.weekday() < 5 for d in dates]), np.zeros(len(dates), dtype=np.bool_)
    return np.array([source.is_working_day(d) for d in dates]), np.array([d in source for d in dates])


@lru_cache(maxsize=_REMEMBERED)
def _holidays(calendar: str, year: int) -> holidays.HolidayBase | None:
    if not calendar:
        return None
    try:
        if calendar in {"XECB", "XFED"}:
            return holidays.financial_holidays(calendar, years=year, expand=False)
        subdivision = market(calendar).subdivision
        return holidays.country_holidays(calendar, subdiv=subdivision, years=year, expand=False, language="en_US")
    except NotImplementedError:
        return None


def _paydays_around(country: str, days: Int64s) -> Int64s:
    if not days.size:
        return np.zeros(1, dtype=np.int64)
    return _paydays_of(country, to_date(int(days.min())).year - 1, to_date(int(days.max())).year + 1)


@lru_cache(maxsize=_REMEMBERED)
def _paydays_of(country: str, first_year: int, last_year: int) -> Int64s:
    return np.unique(np.concatenate([_paydays(country, year) for year in range(first_year, last_year + 1)]))


@lru_cache(maxsize=_REMEMBERED)
def _paydays(country: str, year: int) -> Int64s:
    """Sorted day numbers of the market's usual paydays in a year."""
    days = np.arange(to_day(date(year, 1, 1)), to_day(date(year, 12, 31)) + 1, dtype=np.int64)
    banking = _year(country, year)[0]
    found = [
        _moved(country, rule, _falls_on(rule, days, banking), banking, days[0]) for rule in market(country).paydays
    ]
    return np.unique(np.concatenate(found))


def _moved(country: str, rule: PaydayRule, days: Int64s, banking: Flags, first: int) -> Int64s:
    """The days, those on which banks are closed moved to the nearest on which they work."""
    moved = days.copy()
    closed = ~banking[days - first]
    span = _span_of(country, days[closed])
    moved[closed] = (span.next_open if rule.adjust == "after" else span.last_open)[days[closed] - span.first]
    return moved


def _falls_on(rule: PaydayRule, days: Int64s, banking: Flags) -> Int64s:
    if rule.weekday is not None:
        return np.extract(weekday(days) == rule.weekday, days)
    if rule.day is not None:
        return np.extract(days_to_month_end(days) == 0 if rule.day == 0 else day_of_month(days) == rule.day, days)
    months = month_of(days)
    nth = (rule.working_day or 0) - 1  # the n-th, or the last where the rule says 0
    return np.array([days[banking & (months == m)][nth] for m in np.unique(months)], dtype=np.int64)

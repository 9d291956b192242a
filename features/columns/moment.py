"""Columns of the moment: time since the failure, the issuer's clock and its banks' calendar."""

from features import calendars
from features.columns.arithmetic import by_calendar, hours_between
from features.columns.column import Values, column
from features.encoders import Encoders
from features.known import pick
from features.rows import Rows
from features.time_zones import weekday


@column("hours", "action")
def hours_since_last_attempt(rows: Rows, _: Encoders) -> Values:
    """Time the account has had to change since the payment's latest attempt."""
    return hours_between(rows.at, pick(rows.table.at, rows.last_in_payment))


@column("hours", "action")
def hours_since_first_attempt(rows: Rows, _: Encoders) -> Values:
    """Time since the payment was first tried."""
    return hours_between(rows.at, pick(rows.table.at, rows.of_payment.first()))


@column("hour", "action")
def local_hour(rows: Rows, _: Encoders) -> Values:
    """Hour of day on the issuer's clock; NaN where only the day is known."""
    return rows.hour


@column("weekday", "action")
def local_weekday(rows: Rows, _: Encoders) -> Values:
    """Day of the week on the issuer's calendar, Monday = 0."""
    return weekday(rows.day)


@column("day", "action")
def day_of_month(rows: Rows, _: Encoders) -> Values:
    """Day of the month on the issuer's calendar, 1 to 31."""
    return rows.month_day


@column("days", "action")
def days_to_month_end(rows: Rows, _: Encoders) -> Values:
    """Days left in the month; wages and rents gather at its ends."""
    return calendars.days_to_month_end(rows.day)


@column("flag", "action")
def banking_day(rows: Rows, _: Encoders) -> Values:
    """Whether banks work: money arrives and debits settle on banking days only."""
    return by_calendar(rows, lambda calendar, chosen: calendars.is_banking_day(calendar, rows.day[chosen]))


@column("flag", "action")
def holiday(rows: Rows, _: Encoders) -> Values:
    """Whether it is a public holiday: people spend and banks answer otherwise than on a plain weekend."""
    return by_calendar(rows, lambda calendar, chosen: calendars.is_holiday(calendar, rows.day[chosen]))


@column("days", "action")
def days_to_closed_day(rows: Rows, _: Encoders) -> Values:
    """Days until banks close (weekend or holiday), 0 while closed: wages due then are often paid before."""
    return by_calendar(rows, lambda calendar, chosen: calendars.days_to_closed_day(calendar, rows.day[chosen]))


@column("days", "action")
def days_from_closed_day(rows: Rows, _: Encoders) -> Values:
    """Days since banks were closed, 0 while closed: what was held up is booked on the first days after."""
    return by_calendar(rows, lambda calendar, chosen: calendars.days_from_closed_day(calendar, rows.day[chosen]))


@column("days", "action")
def days_to_processing(rows: Rows, _: Encoders) -> Values:
    """Days until a bank works on it: 0 on a banking day before the usual cut-off (15:00), else to the next one."""
    return by_calendar(
        rows, lambda calendar, chosen: calendars.days_to_processing(calendar, rows.day[chosen], rows.hour[chosen])
    )


COLUMNS = (
    hours_since_last_attempt,
    hours_since_first_attempt,
    local_hour,
    local_weekday,
    day_of_month,
    days_to_month_end,
    banking_day,
    holiday,
    days_to_closed_day,
    days_from_closed_day,
    days_to_processing,
)

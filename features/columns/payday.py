"""Columns of the pay cycle: the market's custom, what the market's retries have shown, and this customer's own past."""

import numpy as np

from features import calendars
from features.columns.arithmetic import (
    Flags,
    Floats,
    Int64s,
    days_between,
    if_known,
    lift,
    log_amount,
    month_distance,
    rate,
    shrunk,
    unless_missing,
)
from features.columns.column import Values, column
from features.encoders import Encoders
from features.instants import MICROS_PER_DAY
from features.known import pick
from features.rows import Rows

ATTEMPTS, RETRIES = 16, 12  # of a customer, the latest ones that count
DAY_WIDTH = 2.0  # days: a weekend moves a payday by up to two
AMOUNT_WIDTH = 0.3  # log10: a factor of two
OFFSET_WIDTH = 0.35  # ln(1 + days): two days near day five, a week near day twenty
HALF_LIFE_DAYS = 180.0  # people change jobs
STRENGTH = 2.0  # attempts' worth of trust in the market before a customer's own


@column("days", "action")
def days_from_payday(rows: Rows, _: Encoders) -> Values:
    """Days since the market's latest usual payday (a custom; the model learns what it is worth)."""
    return unless_missing(rows.days_from_payday)


@column("days", "action")
def days_to_payday(rows: Rows, _: Encoders) -> Values:
    """Days until the market's next usual payday."""
    return unless_missing(rows.days_to_payday)


@column("points", "action", monotone=1)
def month_day_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the country's retries of the whole month on this day of it: paydays as the market shows them."""
    return lift(rows, encoders, "retry_month_day", "retry_market")


@column("points", "action", monotone=1)
def payday_lift(rows: Rows, encoders: Encoders) -> Values:
    """Points above the country's retries so many days after its usual payday: what the custom is worth."""
    return lift(rows, encoders, "retry_payday", "retry_market")


@column("share", "action")
def customer_day_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of this customer's attempts near this day of the month that were approved, shrunk to the market's day."""
    table = rows.table
    past = rows.of_customer.latest(table.approved | table.failed, ATTEMPTS)
    off = rows.month_day - rows.table_month_day[past]
    approved = np.where(past >= 0, table.approved[past], False)
    doubt = DAY_DOUBT[off + 30] + _age_doubt(rows, past) + _amount_doubt(rows, past, approved)
    weight = np.where(past >= 0, np.exp(-doubt), 0.0)
    own = shrunk((weight * approved).sum(axis=0), weight.sum(axis=0), rate(rows, encoders, "retry_month_day"), STRENGTH)
    return if_known(rows, own)


@column("share", "action")
def customer_offset_rate(rows: Rows, encoders: Encoders) -> Values:
    """Share of this customer's retries about so many days after the first attempt that were approved."""
    table = rows.table
    past = rows.of_customer.latest((table.approved | table.failed) & table.is_retry, RETRIES)
    days = days_between(rows.at, pick(table.at, rows.of_payment.first()))
    off = np.log1p(np.maximum(days, 0)) - np.log1p(rows.own_payment.waited_days)[past]
    approved = np.where(past >= 0, table.approved[past], False)
    weight = np.where(past >= 0, np.exp(-_doubt(off, OFFSET_WIDTH) - _age_doubt(rows, past)), 0.0)
    own = shrunk((weight * approved).sum(axis=0), weight.sum(axis=0), rate(rows, encoders, "retry_market"), STRENGTH)
    return if_known(rows, own)


@column("days", "action")
def days_from_last_recovery_day(rows: Rows, _: Encoders) -> Values:
    """Distance in the month from the day on which a retry of this customer last succeeded (±15)."""
    last = rows.of_customer.last(rows.table.approved & rows.table.is_retry)
    return if_known(rows, month_distance(rows.month_day, pick(rows.table_month_day, last)))


@column("days", "action")
def days_from_own_payday(rows: Rows, _: Encoders) -> Values:
    """Days since the day of the month on which this customer's money seems to come, inferred from past recoveries."""
    own = rows.own_paydays
    since: Floats = (rows.month_day - own.day[own.which]) % calendars.MONTH
    return if_known(rows, since)


@column("recoveries", "context")
def own_payday_support(rows: Rows, _: Encoders) -> Values:
    """How many recoveries speak of this customer's payday: how far the inferred day can be trusted."""
    return if_known(rows, rows.own_paydays.support[rows.own_paydays.which])


@column("share", "action")
def own_payday_passed(rows: Rows, _: Encoders) -> Values:
    """Chance that this customer's money has come since the payment's latest failure, by the customer's recoveries."""
    last = rows.of_payment.last(rows.table.failed)
    failed_day = pick(rows.table_day, last, 0).astype(np.int64)
    passed = rows.own_paydays.chance_between(failed_day, rows.day)
    return if_known(rows, np.where(last >= 0, passed, np.nan))


COLUMNS = (
    days_from_payday,
    days_to_payday,
    month_day_lift,
    payday_lift,
    customer_day_rate,
    customer_offset_rate,
    days_from_last_recovery_day,
    days_from_own_payday,
    own_payday_support,
    own_payday_passed,
)


def _doubt(off: Floats, width: float) -> Floats:
    """How little an attempt says that is so far off: minus the logarithm of its weight."""
    doubt: Floats = 0.5 * (off / width) ** 2
    return doubt


DAY_DOUBT = _doubt(month_distance(np.arange(-30, 31), np.zeros(1)), DAY_WIDTH)


def _age_doubt(rows: Rows, past: Int64s) -> Floats:
    """By age at the decision, shape (k, q); what stands where there is no attempt has no meaning."""
    age = rows.decided_at - np.minimum(rows.table.known_at[past], rows.decided_at)
    doubt: Floats = age * (np.log(2) / (HALF_LIFE_DAYS * MICROS_PER_DAY))
    return doubt


def _amount_doubt(rows: Rows, past: Int64s, approved: Flags) -> Floats:
    """By amount, shape (k, q).

    An approval of a larger amount and a decline of a smaller one say as much as the same amount would; the others
    less, the further away their amount is.
    """
    amounts = log_amount(rows.table.amount_major)
    below = amounts[rows.index] - amounts[past]
    return _doubt(np.maximum(np.where(approved, below, -below), 0), AMOUNT_WIDTH)

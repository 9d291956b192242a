"""Columns of the payment and who owes it: the amount, and what the customer's past says of the customer."""

import numpy as np

from features.columns.arithmetic import Floats, days_between, divide, if_known, log_amount
from features.columns.column import Values, column
from features.encoders import Encoders
from features.instants import MICROS_PER_DAY
from features.known import pick
from features.rows import Rows

LATEST = 12  # approvals


@column("log10 major units", "context")
def amount(rows: Rows, _: Encoders) -> Values:
    """Larger amounts need more money in the account. Comparable within a currency."""
    return _asked_amount(rows)


@column("log10 ratio", "context")
def amount_to_usual(rows: Rows, _: Encoders) -> Values:
    """The amount against the mean (of logs) of what this customer paid before."""
    paid = np.where(rows.table.approved, _amounts(rows), 0.0)
    usual = divide(rows.of_customer.total(paid), rows.of_customer.total(rows.table.approved))
    return if_known(rows, _asked_amount(rows) - usual)


@column("log10 ratio", "context")
def amount_to_largest(rows: Rows, _: Encoders) -> Values:
    """The amount against the largest of the customer's twelve latest approvals: what the account has borne before."""
    latest = rows.of_customer.latest(rows.table.approved, LATEST)
    largest = pick(_amounts(rows), latest, -np.inf).max(axis=0, initial=-np.inf)
    return if_known(rows, np.where(np.isfinite(largest), _asked_amount(rows) - largest, np.nan))


@column("code", "context", kind="category")
def currency(rows: Rows, encoders: Encoders) -> Values:
    """Currency of the amount: it scales `amount` and stands for the market."""
    return encoders.currency.codes(rows.table.currency, rows.index)


@column("approvals", "context")
def customer_approvals(rows: Rows, _: Encoders) -> Values:
    """How often this customer has paid before: a run of clean charges is the best sign of a live account."""
    return if_known(rows, rows.of_customer.total(rows.table.approved))


@column("declines", "context")
def customer_declines(rows: Rows, _: Encoders) -> Values:
    """How often this customer's attempts have failed before, this payment's included."""
    return if_known(rows, rows.of_customer.total(rows.table.failed))


@column("attempts", "context")
def customer_failed_run(rows: Rows, _: Encoders) -> Values:
    """How many of the customer's latest attempts in a row failed, for any payment: money short for all of them."""
    run = rows.of_customer.run(rows.table.approved)
    approved = pick(rows.table.approved, rows.of_customer.last(), 1) > 0
    return if_known(rows, np.where(approved, 0, run))


@column("recoveries", "context")
def customer_recoveries(rows: Rows, _: Encoders) -> Values:
    """How many failed payments of this customer a retry has recovered before: who recovered once will again."""
    return if_known(rows, rows.of_customer.total(rows.table.is_retry & rows.table.approved))


@column("share", "context")
def customer_retry_rate(rows: Rows, _: Encoders) -> Values:
    """Share of this customer's past retries that were approved; NaN before the first."""
    retried = rows.of_customer.total(rows.table.is_retry)
    recovered = rows.of_customer.total(rows.table.is_retry & rows.table.approved)
    return if_known(rows, divide(recovered, retried))


@column("days", "context")
def customer_recovery_days(rows: Rows, _: Encoders) -> Values:
    """How many days this customer's recoveries took on average, from first attempt to approval."""
    recovered = rows.table.is_retry & rows.table.approved
    took = rows.of_customer.total(np.where(recovered, rows.own_payment.waited_days, 0.0))
    return if_known(rows, divide(took, rows.of_customer.total(recovered)))


@column("days", "context")
def customer_tenure(rows: Rows, _: Encoders) -> Values:
    """Days since the customer joined, or since the first attempt known of."""
    seen = if_known(rows, pick(rows.table.at, rows.of_customer.first()) / MICROS_PER_DAY)
    joined = rows.asked(rows.table.customer_since_day).astype(np.float64)
    return np.maximum(rows.decided_at / MICROS_PER_DAY - np.fmin(joined, seen), 0)


@column("days", "action")
def days_since_customer_approval(rows: Rows, _: Encoders) -> Values:
    """Days from the customer's latest approval, for any payment, to this attempt."""
    return if_known(rows, days_between(rows.at, pick(rows.table.at, rows.of_customer.last(rows.table.approved))))


@column("flag", "context")
def three_d_secure(rows: Rows, _: Encoders) -> Values:
    """Whether the payer was authenticated at the latest attempt; for a first attempt, at that attempt."""
    flags = rows.table.three_d_secure
    return np.where(rows.last_in_payment >= 0, pick(flags, rows.last_in_payment), rows.asked(flags).astype(np.float64))


COLUMNS = (
    amount,
    amount_to_usual,
    amount_to_largest,
    currency,
    customer_approvals,
    customer_declines,
    customer_failed_run,
    customer_recoveries,
    customer_retry_rate,
    customer_recovery_days,
    customer_tenure,
    days_since_customer_approval,
    three_d_secure,
)


def _amounts(rows: Rows) -> Floats:
    """log10 of every attempt's amount, shape (n,)."""
    return log_amount(rows.table.amount_major)


def _asked_amount(rows: Rows) -> Floats:
    return log_amount(rows.asked(rows.table.amount_major).astype(np.float64))

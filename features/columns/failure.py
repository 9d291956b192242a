"""Columns of the failure: why, how often and how monotonously this payment has been refused."""

from collections.abc import Collection

import numpy as np

from features.columns.arithmetic import Floats, codes_at, hours_between
from features.columns.column import Values, column
from features.encoders import Encoders
from features.known import pick
from features.rows import Rows
from features.table import CATEGORIES
from features.vocabulary import TECHNICAL, DeclineCategory

MONEY = (DeclineCategory.INSUFFICIENT_FUNDS, DeclineCategory.AMOUNT_LIMIT, DeclineCategory.VELOCITY_LIMIT)
UNSAID = (DeclineCategory.DO_NOT_HONOR, DeclineCategory.REFER_TO_ISSUER, DeclineCategory.UNKNOWN)


@column("code", "context", kind="category")
def decline_category(rows: Rows, _: Encoders) -> Values:
    """Why the payment's latest attempt failed; the strongest single hint at what will help."""
    return rows.last_category


@column("code", "context", kind="category")
def first_decline_category(rows: Rows, _: Encoders) -> Values:
    """Why the payment failed first; later codes are often the issuer repeating itself."""
    return codes_at(rows.table.category, rows.of_payment.first(rows.table.failed))


@column("attempts", "context")
def attempts_before(rows: Rows, _: Encoders) -> Values:
    """Known attempts of this payment; every further one is drawn from a harder remainder."""
    return rows.of_payment.count


@column("attempts", "context")
def same_category_run(rows: Rows, _: Encoders) -> Values:
    """How many of the latest attempts in a row failed for the same reason."""
    return rows.of_payment.run(rows.table.category)


@column("reasons", "context")
def distinct_categories(rows: Rows, _: Encoders) -> Values:
    """For how many different reasons this payment failed; an issuer that changes its mind may change it again."""
    return rows.of_payment.total(rows.own_payment.new_reason)


@column("declines", "context")
def money_declines(rows: Rows, _: Encoders) -> Values:
    """How often this payment failed for want of money or over a limit, which days cure."""
    return _failures_for(rows, MONEY)


@column("declines", "context")
def technical_declines(rows: Rows, _: Encoders) -> Values:
    """How often this payment failed over a system that was down: such failures say nothing of the account."""
    return _failures_for(rows, TECHNICAL)


@column("declines", "context")
def unsaid_declines(rows: Rows, _: Encoders) -> Values:
    """How often this payment failed without a reason that means anything; behind it any other may hide."""
    return _failures_for(rows, UNSAID)


@column("declines", "context")
def other_declines(rows: Rows, _: Encoders) -> Values:
    """How often this payment failed for reasons of the card, the mandate or a suspicion, which seldom pass."""
    failures = rows.of_payment.total(rows.table.category >= 0)
    return failures - _failures_for(rows, (*MONEY, *TECHNICAL, *UNSAID))


@column("hours", "action")
def hours_beyond_advice(rows: Rows, _: Encoders) -> Values:
    """Hours past the earliest retry the latest decline's advice asked for; negative is too early, NaN no advice."""
    last = rows.of_payment.last(rows.table.failed)
    return hours_between(rows.at, pick(rows.table.at, last)) - pick(rows.table.min_wait_hours, last)


COLUMNS = (
    decline_category,
    first_decline_category,
    attempts_before,
    same_category_run,
    distinct_categories,
    money_declines,
    technical_declines,
    unsaid_declines,
    other_declines,
    hours_beyond_advice,
)


def _failures_for(rows: Rows, reasons: Collection[DeclineCategory]) -> Floats:
    counted = np.array([category in reasons for category in CATEGORIES] + [False])  # the last stands for -1
    return rows.of_payment.total(counted[rows.table.category])

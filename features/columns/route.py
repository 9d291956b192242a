"""Columns of the route: who would carry the attempt, and how this customer has fared with them."""

from features.columns.arithmetic import days_between, if_known, same_as_last
from features.columns.column import Values, column
from features.encoders import Encoders
from features.known import pick
from features.rows import Rows


@column("code", "action", kind="category")
def processor(rows: Rows, encoders: Encoders) -> Values:
    """Who would carry the attempt."""
    return encoders.processor.codes(rows.table.processor, rows.index)


@column("flag", "action")
def same_processor(rows: Rows, _: Encoders) -> Values:
    """Whether it is the processor of the payment's latest attempt."""
    return same_as_last(rows.table.processor.codes, rows)


@column("approvals", "action")
def processor_approvals(rows: Rows, _: Encoders) -> Values:
    """How often this customer was approved through this processor: a route that works for this account."""
    return if_known(rows, rows.of_customer_processor.total(rows.table.approved))


@column("declines", "action")
def processor_declines(rows: Rows, _: Encoders) -> Values:
    """How often this customer failed through this processor."""
    return if_known(rows, rows.of_customer_processor.total(rows.table.failed))


@column("days", "action")
def days_since_processor_approval(rows: Rows, _: Encoders) -> Values:
    """Days from this customer's latest approval through this processor to this attempt."""
    last = rows.of_customer_processor.last(rows.table.approved)
    return if_known(rows, days_between(rows.at, pick(rows.table.at, last)))


COLUMNS = (processor, same_processor, processor_approvals, processor_declines, days_since_processor_approval)

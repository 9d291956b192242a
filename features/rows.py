"""Rows: proposed or past attempts, each with what was known when it was decided.

Training and serving build the same thing. A history's retries and a context's proposed retries are both attempts
of one `AttemptTable`; a proposed retry merely has an outcome that never becomes known. Every fact about the past
goes through `Known`, which counts only outcomes known at the row's decision.
"""

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features import calendars
from features.action import Retry
from features.context import Context
from features.instants import to_micros
from features.known import NEVER, Known, distinct, pick
from features.own_paydays import OwnPaydays, own_paydays
from features.own_payment import OwnPayment, own_payment
from features.table import Asked, AttemptTable, Coded
from features.table_of_contexts import from_contexts
from features.time_zones import local_day, local_hour, local_micros
from features.vocabulary import Network

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Rows:
    """Attempts of a table as questions: would this one be approved, given what was known at its decision?

    Args:
        table: The attempts; the known ones are the past, the asked ones the questions.
        index: Position in the table of each question, shape (q,).
        decided_at: When each was decided, microseconds, before its own time, shape (q,).
        customer_known: Whether absence from the customer's past means anything; see `Context.history_known`.
    """

    def __init__(self, table: AttemptTable, index: Int64s, decided_at: Int64s, customer_known: bool = True) -> None:
        self.table = table
        self.index = index
        self.decided_at = decided_at
        self.customer_known = customer_known
        self.memo: tuple[object, dict[str, Floats]] | None = None  # approval rates and the encoders they came from

    def __len__(self) -> int:
        return int(self.index.size)

    def asked(self, values: NDArray[np.generic]) -> NDArray[np.generic]:
        """What the table's column says of each asked attempt itself; never pass an outcome."""
        return values[self.index]

    @cached_property
    def at(self) -> Int64s:
        """When each asked attempt is to be made; microseconds."""
        return self.table.at[self.index]

    @cached_property
    def of_payment(self) -> Known:
        """The payment's attempts as known at the decision."""
        return self._known(self.table.payment.codes)

    @cached_property
    def of_customer(self) -> Known:
        """The customer's attempts as known at the decision, those of this payment included."""
        return self._known(self.table.customer.codes)

    @cached_property
    def of_method(self) -> Known:
        """The asked method's attempts as known at the decision, for this payment and others."""
        return self._known(self.table.method.codes)

    @cached_property
    def of_payment_method(self) -> Known:
        """The payment's attempts with the asked method as known at the decision."""
        return self._known(_pairs(self.table.payment, self.table.method, self.index))

    @cached_property
    def of_customer_processor(self) -> Known:
        """The customer's attempts through the asked processor as known at the decision."""
        return self._known(_pairs(self.table.customer, self.table.processor, self.index))

    @cached_property
    def own_payment(self) -> OwnPayment:
        """What each attempt of the asked customers was within its own payment."""
        return own_payment(self.table, self.of_customer.order)

    @cached_property
    def own_paydays(self) -> OwnPaydays:
        """When each asked customer's money comes, by the customer's recoveries known at the decision."""
        before = self.own_payment.failed_before
        recovered = self.table.approved & (before >= 0)
        return own_paydays(self.of_customer, recovered, self.table_day[before], self.table_day)

    @cached_property
    def last_in_payment(self) -> Int64s:
        """Position of the payment's latest known attempt, -1 for none."""
        return self.of_payment.last()

    @cached_property
    def last_category(self) -> Int64s:
        """Category of the payment's latest known failure, index into CATEGORIES, -1 for none."""
        return pick(self.table.category, self.of_payment.last(self.table.failed), -1).astype(np.int64)

    @cached_property
    def local(self) -> Int64s:
        """The issuer's wall clock at each asked attempt; microseconds since 1970 local."""
        return self._by_zone(self.at, self.table.zone.codes[self.index])

    @cached_property
    def day(self) -> Int64s:
        """The issuer's calendar day of each asked attempt."""
        return local_day(self.local)

    @cached_property
    def month_day(self) -> Int64s:
        """The issuer's day of the month of each asked attempt, 1 to 31."""
        return calendars.day_of_month(self.day)

    @cached_property
    def calendars(self) -> tuple[tuple[str, Flags], ...]:
        """(bank calendar, which asked attempts follow it) for each that some do."""
        networks = list(Network)
        key = self.table.country.codes[self.index] * len(networks) + self.table.network.codes[self.index]
        found = []
        for code in np.unique(key):
            place = self.table.country.word(int(code // len(networks)))
            found.append((calendars.calendar_of(place, networks[int(code % len(networks))]), key == code))
        return tuple(found)

    @cached_property
    def hour(self) -> Floats:
        """The issuer's local hour in [0, 24); NaN where only the day is known."""
        return np.where(self.table.day_only[self.index], np.nan, local_hour(self.local))

    @cached_property
    def table_day(self) -> Int64s:
        """The issuer's calendar day of every attempt of the table, shape (n,)."""
        return local_day(self._by_zone(self.table.at, self.table.zone.codes))

    @cached_property
    def table_month_day(self) -> Int64s:
        """The issuer's day of the month of every attempt of the table, shape (n,)."""
        return calendars.day_of_month(self.table_day)

    @cached_property
    def days_from_payday(self) -> Int64s:
        """Days since the market's latest usual payday; -1 where the country is not known."""
        return self._by_country(calendars.days_from_payday)

    @cached_property
    def days_to_payday(self) -> Int64s:
        """Days until the market's next usual payday; -1 where the country is not known."""
        return self._by_country(calendars.days_to_payday)

    def _by_country(self, days_of: Callable[[str, Int64s], Int64s]) -> Int64s:
        result = np.full(len(self), -1, dtype=np.int64)
        codes = self.table.country.codes[self.index]
        for code in distinct(codes):
            chosen = codes == code
            result[chosen] = days_of(self.table.country.word(int(code)) or "", self.day[chosen])
        return result

    def _known(self, group: Int64s) -> Known:
        return Known(group, self.table.known_at, group[self.index], self.decided_at)

    def _by_zone(self, utc: Int64s, codes: Int64s) -> Int64s:
        local = utc.copy()
        for code in distinct(codes):
            chosen = codes == code
            local[chosen] = local_micros(self.table.zone.word(int(code)) or "UTC", utc[chosen])
        return local


def rows_of_history(table: AttemptTable, *, first_attempts: bool = False) -> Rows:
    """One row an attempt that was decided after a failure; with `first_attempts`, one row every attempt.

    A retry's decision instant is when the outcome of the attempt before it became known; where that was only
    later than the retry itself, and for first attempts, it is the instant before the attempt. Attempts of
    payments that are not known to have failed, or are known to be paid, are not retries and have no row.

    Args:
        table: A history, ordered by time.
    """
    every = rows_of_all(table)
    if first_attempts:
        return every
    payment = every.of_payment
    open_failure = (payment.total(table.failed) > 0) & (payment.total(table.approved) == 0)
    chosen = np.flatnonzero(table.is_retry & open_failure)
    return Rows(table, chosen, every.decided_at[chosen])


def rows_of_all(table: AttemptTable) -> Rows:
    """One row every attempt of a history, first attempts and later ones alike.

    An attempt whose outcome never became known holds up no decision: what follows it was decided once it was made.
    """
    order = np.lexsort((np.arange(len(table)), table.payment.codes))
    known_at = np.where(table.known_at == NEVER, table.at, table.known_at)[order]
    payment = table.payment.codes[order]
    before = np.empty(len(table), dtype=np.int64)
    before[order] = _running_max_before(payment, known_at)
    decided_at = np.minimum(before, table.at - 1)
    return Rows(table, np.arange(len(table), dtype=np.int64), decided_at)


def rows_of_context(context: Context, retries: Sequence[Retry]) -> Rows:
    """One row a proposed retry, decided at the context's instant.

    Retries are scored at the start of their slot.
    """
    return rows_of_contexts([(context, retries)])


def rows_of_contexts(asked: Sequence[Asked]) -> Rows:
    """The same for many contexts at once, in their order; every row is what it would be if asked alone.

    Args:
        asked: All of one kind: either every context knows the customer's history or none does.

    Raises:
        ValueError: Some contexts know the customer's history and some do not.
    """
    known = {context.history_known for context, _ in asked}
    if len(known) > 1:
        raise ValueError("contexts with and without the customer's history cannot share one table")
    proposed = [np.repeat([False, True], [len(context.attempts), len(retries)]) for context, retries in asked]
    index = np.flatnonzero(np.concatenate([np.zeros(0, dtype=np.bool_), *proposed])).astype(np.int64)
    instants = np.array([to_micros(context.as_of) for context, _ in asked], dtype=np.int64)
    decided_at = np.repeat(instants, [len(retries) for _, retries in asked])
    return Rows(from_contexts(asked), index, decided_at, customer_known=known != {False})


def _pairs(left: Coded, right: Coded, asked: Int64s) -> Int64s:
    """One small code a pair of words, -1 where the left one is not among those of the asked positions, shape (n,)."""
    wanted = np.zeros(len(left.words), dtype=np.bool_)
    wanted[left.codes[asked]] = True
    chosen = np.flatnonzero(wanted[left.codes])
    pairs = np.full(left.codes.shape, -1, dtype=np.int64)
    pairs[chosen] = np.unique(left.codes[chosen] * len(right.words) + right.codes[chosen], return_inverse=True)[1]
    return pairs


def _running_max_before(group: Int64s, values: Int64s) -> Int64s:
    """Largest value of the same group before each place; the largest integer where there is none.

    Args:
        group: Sorted, shape (n,).
    """
    largest = np.iinfo(np.int64).max
    if not group.size:
        return values.copy()
    order = np.unique(values, return_inverse=True)
    rank = order[1].astype(np.int64)
    # Adding a multiple of the width a group makes one running maximum restart at every group.
    block = np.cumsum(np.append(False, group[1:] != group[:-1])).astype(np.int64) * (order[0].size + 1)
    running = np.maximum.accumulate(rank + block) - block
    first = np.append(True, group[1:] != group[:-1])
    before = order[0][np.append(0, running[:-1]) % order[0].size]
    return np.where(first, largest, before)

"""When a policy would have done what the log did: by what the propensities are of."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from experiments.history_contexts import LoggedRetry
from features.action import Retry, Slot
from features.calendars import to_day
from features.context import Context
from features.instants import MICROS_PER_DAY, MICROSECOND, from_micros, to_micros
from features.time_zones import local_hour, local_micros, offset_micros
from features.vocabulary import Precision, Rail
from model.failures import failures
from model.issuer_clock import issuer_clock
from model.wording import local_date


class Matching(Protocol):
    """What of a retry is the action; the rest is the log's, whatever a policy would do."""

    def cell(self, context: Context, retry: Retry) -> Hashable:
        """The action; two retries are the same where theirs is."""
        ...

    def judged(self, one: LoggedRetry, would: Retry) -> Retry:
        """The retry that is valued where a policy would make this one: its action, with the rest as the log had it."""
        ...


@dataclass(frozen=True, slots=True)
class ByCell:
    """The method, the processor and the cell of time, which stated propensities are of.

    Args:
        slot_hours: Width of a cell in hours; a cell is the local day for bank debits and where only days are known.
    """

    slot_hours: int

    def cell(self, context: Context, retry: Retry) -> Hashable:
        """(method, processor, local day, and the cell of the day where it counts)."""
        method = context.method(retry.method_id)
        zone = issuer_clock(context, method).zone
        day = local_date(retry.slot.start, zone)
        coarse = method.rail is Rail.BANK_DEBIT or any(a.precision is Precision.DAY for a in context.own_attempts)
        if coarse:
            return retry.method_id, retry.processor, day
        local = local_micros(zone, np.array([retry.slot.start_micros], dtype=np.int64))
        return retry.method_id, retry.processor, day, int(local_hour(local)[0]) // self.slot_hours

    def judged(self, one: LoggedRetry, would: Retry) -> Retry:  # noqa: ARG002 - by the day it is needed
        """All of it is the policy's."""
        return would


@dataclass(frozen=True, slots=True)
class ByDay:
    """The number of local days after the first failure: all that a share of days can be the propensity of."""

    def cell(self, context: Context, retry: Retry) -> int:
        """Local days since the first failure, by the clock of the retry's issuer."""
        zone = issuer_clock(context, context.method(retry.method_id)).zone
        return to_day(local_date(retry.slot.start, zone)) - to_day(local_date(failures(context)[0].at, zone))

    def judged(self, one: LoggedRetry, would: Retry) -> Retry:
        """The logged retry on the policy's day: same method, processor and local time; not before it could be made.

        Asked of the policy's own hour, the model would be believed on what no propensity lets the log correct.
        """
        done = as_retry(one)
        later = self.cell(one.context, would) - self.cell(one.context, done)
        if not later:
            return done
        zone = issuer_clock(one.context, one.context.method(done.method_id)).zone
        here = np.array([to_micros(one.attempt.at)], dtype=np.int64)
        wall = local_micros(zone, here) + later * MICROS_PER_DAY
        guess = wall - offset_micros(zone, here)
        start = max(from_micros(int((wall - offset_micros(zone, guess))[0])), one.context.as_of)
        return Retry(Slot(start, start + MICROSECOND), done.method_id, done.processor)


def as_retry(one: LoggedRetry) -> Retry:
    """What the log did, as an action."""
    at = one.attempt.at
    return Retry(Slot(at, at + MICROSECOND), one.attempt.method_id, one.attempt.processor)

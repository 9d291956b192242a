"""The retries that could be made at all: slots to the horizon × methods the customer allows × their processors.

What may not be made is for the caps to say; this file leaves out only what cannot be: a method without consent,
past its expiry, or without a processor.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from features.context import Context
from features.instants import to_micros
from features.method import Method
from features.proposed import Proposed, Route
from features.vocabulary import TECHNICAL, Precision, Rail
from model.failures import category_of, failures
from model.issuer_clock import IssuerClock, issuer_clock
from model.slots import Hours, day_slots, debit_slots, edges, hourly_grid, local_hours, odd_slot
from model.wording import local_date

Int64s = NDArray[np.int64]

HORIZON_DAYS = 60
OUTAGE_PAUSE = timedelta(minutes=15)


def candidates(context: Context, horizon: datetime) -> Proposed:
    """Every retry that could be made between the context's instant and the horizon.

    Ordered by start of the slot, then by the order of the methods and of their processors.
    """
    found: list[tuple[Route, Int64s, Int64s]] = []
    for method in context.methods:
        processors = usable_processors(context, method) if method.consented else ()
        if processors:
            regular = _regular(context, method, horizon)
            found += [((method.method_id, one), *_slots(context, method, one, regular)) for one in processors]
    return Proposed.in_order(found)


def horizon_of(context: Context, max_days: float = HORIZON_DAYS) -> datetime:
    """Where planning ends: `recover_by` of the payment, at most `max_days` from now."""
    return min(context.payment.recover_by, context.as_of + timedelta(days=max_days))


def usable_processors(context: Context, method: Method) -> tuple[str, ...]:
    """The processors of the method; where none is listed, those that attempted it, latest first."""
    if method.processors:
        return tuple(dict.fromkeys(method.processors))
    attempted = (a.processor for a in reversed(context.attempts) if a.method_id == method.method_id)
    return tuple(dict.fromkeys(attempted))


def is_expired(context: Context, method: Method) -> bool:
    """Whether the method's last valid day is over on the issuer's clock."""
    today = local_date(context.as_of, issuer_clock(context, method).zone)
    return method.expires_on is not None and method.expires_on < today


def is_technical(context: Context) -> bool:
    """Whether the payment's last failure was of the technical kind that can pass within minutes."""
    failed = failures(context)
    return bool(failed) and category_of(failed[-1]) in TECHNICAL


def by_day(context: Context) -> bool:
    """Whether the payment's history knows days only, so that the decision is for a day."""
    own = context.own_attempts
    return bool(own) and all(attempt.precision is Precision.DAY for attempt in own)


@dataclass(frozen=True, slots=True)
class _Regular:
    """The slots of a method that every processor has in common.

    Args:
        hours: Local hours from which the odd slot before them is made; None where there is none.
        start, end: When each begins and ends, microseconds, shape (n,).
    """

    clock: IssuerClock
    start: Int64s
    end: Int64s
    hours: Hours | None


def _regular(context: Context, method: Method, horizon: datetime) -> _Regular:
    clock, last = issuer_clock(context, method), max(horizon, context.as_of)
    debit, daily = method.rail is Rail.BANK_DEBIT, by_day(context)
    if not debit and not daily:
        grid = hourly_grid(clock.zone, context.as_of, last)
        cut = grid.until(to_micros(last), method.expires_on)
        struck = grid.hours.start.size > 0 and int(grid.hours.start[0]) <= to_micros(last)
        return _Regular(clock, cut.start, cut.end, grid.hours if struck else None)
    hours = local_hours(clock.zone, context.as_of, last)
    if daily:
        after = local_date(context.own_attempts[-1].at, clock.zone)
        slots = day_slots(hours, clock, method.expires_on, after=after, debit=debit)
    else:
        slots = debit_slots(hours, clock, method.expires_on)
    return _Regular(clock, *edges(slots), None)


def _slots(context: Context, method: Method, processor: str, regular: _Regular) -> tuple[Int64s, Int64s]:
    """When the route's slots begin and end, microseconds."""
    soonest = None if regular.hours is None else _soonest(context, method, processor)
    if soonest is None or regular.hours is None:
        return regular.start, regular.end
    odd = odd_slot(regular.hours, regular.clock, soonest, method.expires_on)
    if odd is None:
        return regular.start, regular.end
    return np.append(odd.start_micros, regular.start), np.append(odd.end_micros, regular.end)


def _soonest(context: Context, method: Method, processor: str) -> datetime | None:
    """When the route can be tried within this hour: another one at once, the same a little after an outage."""
    failed = failures(context)
    if not failed or (failed[-1].method_id, failed[-1].processor) != (method.method_id, processor):
        return context.as_of
    return context.as_of + OUTAGE_PAUSE if is_technical(context) else None

"""The retries that could be made at all: slots to the horizon × methods the customer allows × their processors.

What may not be made is for the caps to say; this file leaves out only what cannot be: a method without consent,
past its expiry, or without a processor.
"""

from datetime import datetime, timedelta

from features.action import Retry, Slot
from features.context import Context
from features.method import Method
from features.vocabulary import TECHNICAL, Precision, Rail
from model.failures import category_of, failures
from model.issuer_clock import issuer_clock
from model.slots import day_slots, debit_slots, hourly_slots, local_hours, odd_slot
from model.wording import local_date

HORIZON_DAYS = 60
OUTAGE_PAUSE = timedelta(minutes=15)


def candidates(context: Context, horizon: datetime) -> tuple[Retry, ...]:
    """Every retry that could be made between the context's instant and the horizon.

    Ordered by start of the slot, then by the order of the methods and of their processors.
    """
    found: list[tuple[datetime, int, int, Retry]] = []
    for m, method in enumerate(context.methods):
        for p, processor in enumerate(usable_processors(context, method) if method.consented else ()):
            slots = _slots(context, method, processor, horizon)
            found += [(slot.start, m, p, Retry(slot, method.method_id, processor)) for slot in slots]
    found.sort(key=lambda entry: entry[:3])
    return tuple(retry for *_, retry in found)


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


def _slots(context: Context, method: Method, processor: str, horizon: datetime) -> tuple[Slot, ...]:
    clock = issuer_clock(context, method)
    hours = local_hours(clock.zone, context.as_of, max(horizon, context.as_of))
    debit = method.rail is Rail.BANK_DEBIT
    if by_day(context):
        last = local_date(context.own_attempts[-1].at, clock.zone)
        return day_slots(hours, clock, method.expires_on, after=last, debit=debit)
    if debit:
        return debit_slots(hours, clock, method.expires_on)
    start = _soonest(context, method, processor)
    soon = odd_slot(hours, clock, start, method.expires_on) if start else None
    return (*((soon,) if soon else ()), *hourly_slots(hours, context.as_of, method.expires_on))


def _soonest(context: Context, method: Method, processor: str) -> datetime | None:
    """When the route can be tried within this hour: another one at once, the same a little after an outage."""
    failed = failures(context)
    if not failed or (failed[-1].method_id, failed[-1].processor) != (method.method_id, processor):
        return context.as_of
    return context.as_of + OUTAGE_PAUSE if is_technical(context) else None

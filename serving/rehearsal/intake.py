"""Who is in a rehearsal: the payments of a world that fail from its start on, each with what was known by then."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from experiments.world import World
from features.attempt import Attempt
from features.context import Context
from features.errors import InputError
from model.failures import failures


def intake(
    world: World, merchant_id: str | None, *, since: datetime | None, least_days: int, most: int | None = None
) -> tuple[datetime, tuple[Context, ...]]:
    """The start, and the failed payments that are played, by the instant at which their failure became known.

    Args:
        merchant_id: Whose payments they are told to be; None leaves the world's own.
        since: The start; when absent, the latest first of a month that leaves `least_days` of failures.
        most: At most so many payments, the first to fail.

    Raises:
        InputError: No payment fails from then on.
    """
    found = [(failures(context)[0].at, context) for context in world.failures()]
    if not found:
        raise InputError("the world has no payment that failed; simulate a larger one")
    last = max(at for at, _ in found)
    start = since or _month_before(last, timedelta(days=least_days))
    played = sorted((c for at, c in found if at >= start), key=lambda c: (c.as_of, c.payment.payment_id))[:most]
    if not played:
        raise InputError(f"no payment of the world fails from {start:%Y-%m-%d} on; the last does so on {last:%Y-%m-%d}")
    ids = frozenset(context.payment.payment_id for context in played)
    return start, tuple(_told(context, ids, merchant_id) for context in played)


def _month_before(last: datetime, least: timedelta) -> datetime:
    """The latest first of a month that is at least so long before an instant."""
    latest = last - least
    return datetime(latest.year, latest.month, 1, tzinfo=UTC)


def _told(context: Context, played: frozenset[str], merchant_id: str | None) -> Context:
    """The context as the rehearsal's merchant knows it.

    What the world's own merchant retried of payments that are played never happened; their first attempts did.
    """
    payment = context.payment
    own = payment if merchant_id is None else replace(payment, merchant_id=merchant_id)
    return replace(context, payment=own, attempts=_happened(context.attempts, played))


def _happened(attempts: Sequence[Attempt], played: frozenset[str]) -> tuple[Attempt, ...]:
    first: dict[str, Attempt] = {}
    for attempt in attempts:
        first.setdefault(attempt.payment_id, attempt)
    return tuple(one for one in attempts if one.payment_id not in played or first[one.payment_id] is one)

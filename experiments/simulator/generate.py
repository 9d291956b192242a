"""Make a world and the attempt history its merchant would have logged, block of customers by block."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.answers import Hidden, answer
from experiments.simulator.billing import bill
from experiments.simulator.causes import Cause
from experiments.simulator.dunning import Episodes, begin, retire, retry_all, settle_by_hand, stays
from experiments.simulator.journal import Journal, by_time, entries, joined
from experiments.simulator.landscape import Landscape, landscape
from experiments.simulator.methods import SLOTS, methods
from experiments.simulator.population import customers
from experiments.simulator.settings import MAX_CUSTOMERS, Settings, Shift
from features.errors import InvalidValueError

Int64s = NDArray[np.int64]

BLOCK = 20_000
_PILOT = 2_000
DEFAULT_RANDOMISED_SHARE = 0.5

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Failures:
    """What a replay needs of each payment whose first attempt failed, shape (n,).

    Args:
        customer: Customer numbers.
        payment: Month of billing.
        failed_at: When the first failure became known (UTC microseconds).
        cured_at: When the customer pays by hand unless paid before; far away where never.
        gone_hour: Hour from which the customer has withdrawn every permission.
    """

    customer: Int64s
    payment: Int64s
    amount: Int64s
    due_at: Int64s
    failed_at: Int64s
    cured_at: Int64s
    gone_hour: Int64s


@dataclass(frozen=True, slots=True)
class Generated:
    """A world's truth and its merchant's log."""

    settings: Settings
    hidden: Hidden
    journal: Journal
    failures: Failures


@dataclass(frozen=True, slots=True)
class _Block:
    journal: Journal
    failures: Failures


def generate(
    settings: Settings,
    *,
    randomised_share: float = DEFAULT_RANDOMISED_SHARE,
    progress: Progress | None = None,
) -> Generated:
    """Make the world of the settings and log its merchant's attempts.

    Args:
        randomised_share: Share of failed payments retried by the randomised policy; the others follow 1-3-5-7.
        progress: Called with customers done and customers in all.

    Raises:
        InvalidValueError: `randomised_share` is not a share.
    """
    if not 0.0 <= randomised_share <= 1.0:
        raise InvalidValueError("randomised_share", randomised_share, "a share from 0 to 1")
    land = landscape(settings)
    blocks = []
    for start in range(0, settings.customers, BLOCK):
        numbers = np.arange(start, min(start + BLOCK, settings.customers), dtype=np.int64)
        blocks.append(_block(_hidden(land, numbers), randomised_share))
        if progress is not None:
            progress(int(numbers[-1]) + 1, settings.customers)
    failures = [block.failures for block in blocks]
    return Generated(
        settings,
        _hidden(land, np.arange(settings.customers, dtype=np.int64)),
        by_time(joined([block.journal for block in blocks])),
        Failures(**{f.name: np.concatenate([getattr(part, f.name) for part in failures]) for f in fields(Failures)}),
    )


def generate_attempts(
    seed: int,
    start: date,
    months: int,
    attempts: int,
    *,
    randomised_share: float = DEFAULT_RANDOMISED_SHARE,
    shift: Shift | None = None,
    progress: Progress | None = None,
) -> Generated:
    """Make the smallest world of whole customers that holds at least so many attempts.

    Customers are drawn by number, so the world of the first n customers is a part of every larger one: a pilot
    tells how many are needed, and the surplus is cut off.

    Raises:
        InvalidValueError: More attempts than the largest world holds.
    """
    if attempts < 1:
        raise InvalidValueError("attempts", attempts, "a whole number above zero")
    moved = shift or Shift()
    pilot = generate(Settings(seed, start, months, _PILOT, moved), randomised_share=randomised_share)
    needed = int(attempts * _PILOT / max(len(pilot.journal), 1) * 1.04) + 200
    if needed > MAX_CUSTOMERS:
        raise InvalidValueError("attempts", attempts, "fewer: they need more than ten million customers")
    made = generate(Settings(seed, start, months, needed, moved), randomised_share=randomised_share, progress=progress)
    counts = np.cumsum(np.bincount(made.journal.customer, minlength=needed))
    enough = min(int(np.searchsorted(counts, attempts)) + 1, needed)
    return first_customers(made, enough)


def first_customers(made: Generated, count: int) -> Generated:
    """The part of a world that its first customers make; the same as if only they had been drawn."""
    kept = made.failures.customer < count
    return Generated(
        settings=replace(made.settings, customers=count),
        hidden=_hidden(made.hidden.land, np.arange(count, dtype=np.int64)),
        journal=made.journal.take(np.flatnonzero(made.journal.customer < count)),
        failures=Failures(**{f.name: getattr(made.failures, f.name)[kept] for f in fields(Failures)}),
    )


def _hidden(land: Landscape, numbers: Int64s) -> Hidden:
    people = customers(land, numbers)
    return Hidden(land, people, methods(land, people))


def _block(hidden: Hidden, randomised_share: float) -> _Block:
    """Every month of billing and dunning of one block of customers."""
    people = hidden.people.number.size
    active = np.ones(people, dtype=np.bool_)
    usable_from = np.zeros(people * SLOTS, dtype=np.int64)
    journals, opened = [], []
    for month in range(hidden.land.settings.months):
        asks, due_at = bill(hidden.land, hidden.people, hidden.methods, usable_from, month, active)
        replies = answer(hidden, asks)
        first = np.zeros(asks.customer.size, dtype=np.int64)
        journals.append(entries(hidden.people.number[asks.customer], asks, replies, first, due_at))
        failed = np.flatnonzero(replies.cause != Cause.APPROVED)
        episodes = begin(hidden, asks.take(failed), replies.take(failed), due_at[failed], randomised_share)
        opened.append(_failures(hidden, episodes))
        retries, episodes, paid = retry_all(hidden, episodes, usable_from)
        unpaid = episodes.take(~paid)
        by_hand, cured = settle_by_hand(hidden, unpaid)
        journals.extend([*retries, by_hand])
        retire(hidden, episodes, usable_from)
        lost = unpaid.take(~cured)
        active[lost.customer[~stays(hidden, lost)]] = False
    failures = Failures(
        **{f.name: np.concatenate([getattr(part, f.name) for part in opened]) for f in fields(Failures)}
    )
    return _Block(joined(journals), failures)


def _failures(hidden: Hidden, episodes: Episodes) -> Failures:
    return Failures(
        customer=hidden.people.number[episodes.customer],
        payment=episodes.payment,
        amount=episodes.amount,
        due_at=episodes.due_at,
        failed_at=episodes.failed_at,
        cured_at=episodes.cured_at,
        gone_hour=episodes.gone_hour,
    )

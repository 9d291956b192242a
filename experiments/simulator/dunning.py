"""From first failures to their end: retries under caps, the customer paying by hand, leaving, or being given up on.

The simulated merchant's hard rules, stricter than the networks': a method answered with a final code is not tried
again for that payment (nor later, unless it was renewed), a debit is presented at most three times in all, Mastercard's
advised waits are kept, retries end 20 days after the first failure.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from experiments.simulator.answers import Asks, Hidden, Replies, answer
from experiments.simulator.billing import default_processor, within_hour
from experiments.simulator.causes import FINAL, Cause
from experiments.simulator.codes import advice_hours, codebook
from experiments.simulator.draws import Stream, exponential, uniform
from experiments.simulator.journal import Journal, entries
from experiments.simulator.logging_policy import (
    DAY_SLOTS,
    DAYS,
    DEBIT_SLOT,
    FIXED_DAYS,
    SLOT_HOURS,
    Move,
    Situation,
    choose,
)
from experiments.simulator.methods import NEVER, PRIMARY, REPLACEMENT, SECOND, SLOTS, THIRD
from features.instants import MICROS_PER_DAY, MICROS_PER_HOUR

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

WINDOW_DAYS = 20
MOST_PRESENTMENTS = 3  # of one debit: the first and two more (Nacha; as a custom for SEPA and Bacs)
_CURE_SHARE, _CURE_DAYS = 0.13, 5.5
_LEAVING_DAYS = 110
_GIVEN_UP_SHARE = 0.8  # unpaid subscriptions that end
_CHUNK = 2_048
_CURE_ORDER = (PRIMARY, THIRD, SECOND, REPLACEMENT)  # the last that lives is what the customer pays with
_FAR = NEVER * MICROS_PER_HOUR


@dataclass(frozen=True, slots=True)
class Episodes:
    """Failed payments on their way, one position each; arrays over method slots have shape (n, SLOTS).

    Args:
        failed_at: When the first failure became known.
        known_at: When the latest outcome became known.
        cured_at: When the customer pays by hand unless paid before; far away where never.
        cure_slot: What the customer would pay with.
        gone_hour: Hour in which the customer withdraws.
        ruled_out: The final `Cause` that a method's code told, or 0.
        not_before: Instants that advice asks to wait for, by method.
        presented: How often each method was presented.
    """

    customer: Int64s
    payment: Int64s
    amount: Int64s
    due_at: Int64s
    failed_at: Int64s
    known_at: Int64s
    policy: Int64s
    retries: Int64s
    last_slot: Int64s
    last_processor: Int64s
    cured_at: Int64s
    cure_slot: Int64s
    gone_hour: Int64s
    ruled_out: Int64s
    not_before: Int64s
    presented: Int64s

    def take(self, chosen: Int64s | Flags) -> "Episodes":
        """The payments at those positions."""
        return Episodes(**{f.name: getattr(self, f.name)[chosen] for f in fields(self)})

    def put(self, positions: Int64s, newer: "Episodes") -> "Episodes":
        """The episodes with those at the positions replaced."""
        values = {f.name: getattr(self, f.name).copy() for f in fields(self)}
        for name, value in values.items():
            value[positions] = getattr(newer, name)
        return Episodes(**values)

    def __len__(self) -> int:
        return int(self.customer.size)


def begin(hidden: Hidden, asks: Asks, replies: Replies, due_at: Int64s, randomised_share: float) -> Episodes:
    """The episodes that failed first attempts open, with the customer's own fate drawn."""
    seed, number = hidden.land.settings.seed, hidden.people.number[asks.customer]
    cured_at, cure_slot = _cure(hidden, asks, replies)
    leaving = _LEAVING_DAYS * exponential(seed, Stream.LEAVING, number, asks.payment)
    count = asks.customer.size
    episodes = Episodes(
        customer=asks.customer,
        payment=asks.payment,
        amount=asks.amount,
        due_at=due_at,
        failed_at=replies.known_at,
        known_at=replies.known_at,
        policy=(uniform(seed, Stream.POLICY, number, asks.payment) < randomised_share).astype(np.int64),
        retries=np.zeros(count, dtype=np.int64),
        last_slot=asks.slot,
        last_processor=asks.processor,
        cured_at=cured_at,
        cure_slot=cure_slot,
        gone_hour=replies.known_at // MICROS_PER_HOUR + 1 + (24 * leaving).astype(np.int64),
        ruled_out=np.zeros((count, SLOTS), dtype=np.int64),
        not_before=np.zeros((count, SLOTS), dtype=np.int64),
        presented=np.zeros((count, SLOTS), dtype=np.int64),
    )
    return _after(episodes, asks, replies)


def _cure(hidden: Hidden, asks: Asks, replies: Replies) -> tuple[Int64s, Int64s]:
    """When the customer would pay by hand, and with which method: never where every method is dead."""
    seed, number, them = hidden.land.settings.seed, hidden.people.number[asks.customer], hidden.methods
    share = uniform(seed, Stream.CURE, number, asks.payment, 0)
    delay = _CURE_DAYS * exponential(seed, Stream.CURE, number, asks.payment, 1)
    hour = replies.known_at // MICROS_PER_HOUR + 2 + (24 * delay).astype(np.int64)
    slot = np.full(hour.shape, -1, dtype=np.int64)
    for candidate in _CURE_ORDER:
        position = asks.customer * SLOTS + candidate
        slot[(them.added_hour[position] <= hour) & (hour < them.dead_hour[position])] = candidate
    cures = (share < _CURE_SHARE) & (slot >= 0) & (delay < WINDOW_DAYS)
    at = hour * MICROS_PER_HOUR + within_hour(hidden.land, number, asks.payment, 99)
    return np.where(cures, at, _FAR), np.where(cures, slot, -1)


def retry_all(hidden: Hidden, episodes: Episodes, usable_from: Int64s) -> tuple[list[Journal], Episodes, Flags]:
    """Retry round after round until every payment is paid or given up.

    Returns:
        The attempts of each round, the episodes as they last stood, and which of them a retry has paid.
    """
    journals = []
    paid = np.zeros(len(episodes), dtype=np.bool_)
    still_open = np.arange(len(episodes))
    while still_open.size:
        goes_on, move, at = _next(hidden, episodes.take(still_open), usable_from)
        still_open = still_open[goes_on]
        current = episodes.take(still_open)
        asks = Asks(current.customer, current.payment, move.slot, move.processor, at, current.amount, current.gone_hour)
        replies = answer(hidden, asks)
        tried = _after(replace(current, retries=current.retries + 1), asks, replies)
        journal = entries(hidden.people.number[asks.customer], asks, replies, tried.retries, tried.due_at)
        journals.append(replace(journal, policy=tried.policy, propensity=move.propensity))
        episodes = episodes.put(still_open, tried)
        approved = replies.cause == Cause.APPROVED
        paid[still_open[approved]] = True
        still_open = still_open[~approved]
    return journals, episodes, paid


def _after(episodes: Episodes, asks: Asks, replies: Replies) -> Episodes:
    """The episodes once an attempt was answered."""
    rows = np.arange(len(episodes))
    ruled_out, not_before, presented = (
        values.copy() for values in (episodes.ruled_out, episodes.not_before, episodes.presented)
    )
    final = np.isin(replies.reported, [int(cause) for cause in FINAL])
    ruled_out[rows, asks.slot] = np.where(final, replies.reported, ruled_out[rows, asks.slot])
    wait = advice_hours(codebook())[replies.advice] * MICROS_PER_HOUR
    not_before[rows, asks.slot] = np.maximum(not_before[rows, asks.slot], asks.at + wait)
    presented[rows, asks.slot] += replies.cause != Cause.PROCESSOR_DOWN
    return replace(
        episodes,
        known_at=replies.known_at,
        last_slot=asks.slot,
        last_processor=asks.processor,
        ruled_out=ruled_out,
        not_before=not_before,
        presented=presented,
    )


def _next(hidden: Hidden, episodes: Episodes, usable_from: Int64s) -> tuple[Flags, Move, Int64s]:
    """Which episodes get another attempt, and the move and instant of each that does."""
    seed, number = hidden.land.settings.seed, hidden.people.number[episodes.customer]
    draws = uniform(seed, Stream.CHOICE, number, episodes.payment, episodes.retries)
    moves = []
    for start in range(0, len(episodes), _CHUNK):
        part = np.arange(start, min(start + _CHUNK, len(episodes)))
        moves.append(choose(situation(hidden, episodes.take(part), usable_from), draws[part]))
    move = Move(**{f.name: np.concatenate([getattr(m, f.name) for m in moves]) for f in fields(Move)})
    at = _instant(hidden, episodes, move)
    goes_on = (
        (move.propensity > 0)
        & (at <= episodes.failed_at + WINDOW_DAYS * MICROS_PER_DAY)
        & (at < episodes.cured_at)
        & (at // MICROS_PER_HOUR < episodes.gone_hour)
    )
    chosen = Move(**{f.name: getattr(move, f.name)[goes_on] for f in fields(Move)})
    return goes_on, chosen, at[goes_on]


def situation(hidden: Hidden, episodes: Episodes, usable_from: Int64s) -> Situation:
    """What each episode's merchant may do next, as of the latest outcome."""
    land, people, them = hidden.land, hidden.people, hidden.methods
    position = episodes.customer[:, None] * SLOTS + np.arange(SLOTS)
    network = them.network[position]
    zone = land.issuers.zone[them.issuer[position]]
    earliest = np.maximum(episodes.known_at[:, None], episodes.not_before) + MICROS_PER_HOUR
    today = land.local(zone, np.broadcast_to(episodes.known_at[:, None], zone.shape)) // MICROS_PER_DAY
    starts = (today[:, :, None, None] + np.arange(DAYS)[:, None]) * MICROS_PER_DAY + _slot_starts()
    # An hour of margin, so that a change of the clocks cannot bring a slot before what is allowed.
    open_slots = starts >= (land.local(zone, earliest) + MICROS_PER_HOUR)[:, :, None, None]
    debit = land.is_debit[network]
    open_slots &= ~debit[:, :, None, None] | _debit_slots(hidden, episodes, today)
    hour = episodes.known_at // MICROS_PER_HOUR
    usable = (them.added_hour[position] <= hour[:, None]) & (usable_from[position] <= hour[:, None])
    usable &= (episodes.ruled_out == 0) & ~(debit & (episodes.presented >= MOST_PRESENTMENTS))
    first_day = land.local(zone[:, 0], episodes.failed_at) // MICROS_PER_DAY
    fixed_day = first_day + FIXED_DAYS[np.minimum(episodes.retries, FIXED_DAYS.size - 1)] - today[:, 0]
    return Situation(
        policy=episodes.policy,
        retries=episodes.retries,
        fixed_day=np.clip(fixed_day, 0, DAYS - 1),
        last_slot=episodes.last_slot,
        last_processor=episodes.last_processor,
        fallback=_fallback(usable, episodes.last_slot),
        allowed=open_slots & usable[:, :, None, None],
        carries=land.carries[:, people.market[episodes.customer][:, None], network].transpose(1, 2, 0)
        & (network >= 0)[:, :, None],
    )


def _slot_starts() -> Int64s:
    return np.arange(DAY_SLOTS, dtype=np.int64) * SLOT_HOURS * MICROS_PER_HOUR


def _debit_slots(hidden: Hidden, episodes: Episodes, today: Int64s) -> Flags:
    """Debits go out once on a banking day."""
    land = hidden.land
    market = hidden.people.market[episodes.customer]
    banking = land.banking[market[:, None, None], land.day_column(today[:, :, None] + np.arange(DAYS))]
    result: Flags = banking[:, :, :, None] & (np.arange(DAY_SLOTS) == DEBIT_SLOT)
    return result


def _fallback(usable: Flags, last_slot: Int64s) -> Int64s:
    """The method tried last while it may be tried, else the first usable one in the merchant's order."""
    rows = np.arange(last_slot.size)
    slot = np.full(last_slot.size, -1, dtype=np.int64)
    for candidate in (THIRD, SECOND, PRIMARY, REPLACEMENT):
        slot[usable[:, candidate]] = candidate
    return np.where(usable[rows, last_slot], last_slot, slot)


def _instant(hidden: Hidden, episodes: Episodes, move: Move) -> Int64s:
    """The UTC instant of each move: its slot on the issuer's clock, at an hour and second of its own within it."""
    land, them, number = hidden.land, hidden.methods, hidden.people.number[episodes.customer]
    zone = land.issuers.zone[them.issuer[episodes.customer * SLOTS + move.slot]]
    today = land.local(zone, episodes.known_at) // MICROS_PER_DAY
    draws = uniform(land.settings.seed, Stream.MINUTE, number, episodes.payment, episodes.retries, 50)
    hour = move.day_slot * SLOT_HOURS + (draws * SLOT_HOURS).astype(np.int64)
    local = (today + move.day) * MICROS_PER_DAY + hour * MICROS_PER_HOUR
    return land.utc(zone, local) + within_hour(land, number, episodes.payment, episodes.retries + 1)


def settle_by_hand(hidden: Hidden, unpaid: Episodes) -> tuple[Journal, Flags]:
    """The attempts of customers who pay by hand what no retry has paid, and which of the episodes they settle."""
    cures = (unpaid.cured_at < _FAR) & (unpaid.cured_at // MICROS_PER_HOUR < unpaid.gone_hour)
    cured = unpaid.take(cures)
    at = np.maximum(cured.cured_at, cured.known_at + MICROS_PER_HOUR)
    processor = default_processor(hidden.land, hidden.people, hidden.methods, cured.customer, cured.cure_slot)
    asks = Asks(cured.customer, cured.payment, cured.cure_slot, processor, at, cured.amount, cured.gone_hour)
    nothing = np.zeros(len(cured), dtype=np.int64)
    approved = Replies(nothing + int(Cause.APPROVED), nothing, nothing, nothing, at)
    journal = entries(hidden.people.number[cured.customer], asks, approved, cured.retries + 1, cured.due_at)
    return replace(journal, by_customer=nothing + 1), cures


def stays(hidden: Hidden, episodes: Episodes) -> Flags:
    """Whether the subscription of each unpaid episode goes on: some are kept, the others given up on or gone."""
    number = hidden.people.number[episodes.customer]
    kept = uniform(hidden.land.settings.seed, Stream.ENDING, number, episodes.payment) > _GIVEN_UP_SHARE
    window_end = (episodes.failed_at + WINDOW_DAYS * MICROS_PER_DAY) // MICROS_PER_HOUR
    return kept & (episodes.gone_hour > window_end)


def retire(hidden: Hidden, episodes: Episodes, usable_from: Int64s) -> None:
    """Note in `usable_from` (by method) what final codes say about later payments.

    An expired card may be charged again once its expiry was renewed, one that asked for authentication for the next
    payment; whatever else a final code told is for good.
    """
    which, slot = np.nonzero(episodes.ruled_out)
    cause = episodes.ruled_out[which, slot]
    position = episodes.customer[which] * SLOTS + slot
    renewed = hidden.methods.refreshed_day[position] * 24
    until = np.where(cause == Cause.EXPIRED, renewed, np.where(cause == Cause.AUTHENTICATION, 0, NEVER))
    usable_from[position] = np.maximum(usable_from[position], until)

"""The queue of events on their way: taken with a lease, put off, given up, shown, sent again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from secrets import token_hex

from features.errors import InvalidValueError
from features.instants import to_micros
from serving.ledger.store import Row, Store, Transaction, Value

LEASE = timedelta(seconds=60)
"""Whoever takes longer over a try is taken for dead, and the next worker takes it up."""

MOST_TRIES = 28
"""About three days from the first try to the last, with the pauses below."""

_FIRST_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 6 * 3600.0
_DOUBLINGS = 16
_LONGEST_REASON = 200


class State(StrEnum):
    """Where an event on its way to a target stands."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"  # given up; the reason says why


@dataclass(frozen=True, slots=True, order=True)
class Receiver:
    """A target by its name, whether it is still set up or not."""

    merchant_id: str
    target: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """An event that this worker may send to a target, until its lease ends."""

    claim: str
    receiver: Receiver
    event_id: str
    tries: int
    type: str
    body: str


@dataclass(frozen=True, slots=True)
class Listed:
    """An event on its way as the queue shows it; instants in microseconds since 1970."""

    merchant_id: str
    event_id: str
    target: str
    state: str
    tries: int
    next_at: int | None
    reason: str
    touched_at: int
    type: str
    payment_id: str
    recovery: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Count:
    """How many events of a type stand in a state, and since when the oldest of them."""

    merchant_id: str
    target: str
    type: str
    state: str
    events: int
    oldest: int


@dataclass(frozen=True, slots=True)
class Kept:
    """One event as it is sent."""

    merchant_id: str
    event_id: str
    type: str
    body: str


def pause_after(tries: int, draw: Random) -> timedelta:
    """The pause after that many tries: doubled each time from 5 seconds to 6 hours, a random half of it taken off.

    >>> pause_after(1, Random(1)) <= timedelta(seconds=5)
    True
    """
    longest = min(_FIRST_PAUSE_S * 2.0 ** min(tries - 1, _DOUBLINGS), _LONGEST_PAUSE_S)
    return timedelta(seconds=longest * (0.5 + 0.5 * draw.random()))


def receivers_due(store: Store, now: datetime) -> Sequence[Receiver]:
    """For whom anything is due."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("receivers_due", {"now": to_micros(now)}))
    return [Receiver(str(merchant_id), str(target)) for merchant_id, target in rows]


def claimed(store: Store, now: datetime, shares: Mapping[Receiver, int]) -> Sequence[Claimed]:
    """Take what is due, so many at most for each receiver; nobody else is given it until the lease ends."""
    name, until = token_hex(8), to_micros(now + LEASE)
    with store.writing() as transaction:
        return [
            Claimed(name, receiver, str(event), int(tries or 0), str(kind), str(body))
            for receiver, most in sorted(shares.items())
            for event, tries, kind, body in _taken(transaction, receiver, most, name, to_micros(now), until)
        ]


def _taken(transaction: Transaction, receiver: Receiver, most: int, name: str, now: int, until: int) -> Sequence[Row]:
    whose: dict[str, Value] = {"merchant_id": receiver.merchant_id, "target": receiver.target}
    taking: dict[str, Value] = {"claim": name, "until": until}
    transaction.put("claim_sendings", whose | taking | {"now": now, "most": most})
    (rows,) = transaction.ask(("claimed_sendings", whose | taking))
    return rows


def accepted(store: Store, one: Claimed, now: datetime) -> None:
    """The target has it."""
    _note(store, one, State.DELIVERED, None, "", now)


def refused(store: Store, one: Claimed, reason: str, now: datetime, pause: timedelta | None) -> State:
    """The target has not got it: tried again after a pause, given up where there is none or it was tried enough."""
    again = pause is not None and one.tries < MOST_TRIES
    state = State.WAITING if again else State.FAILED
    next_at = to_micros(now + pause) if pause is not None and again else None
    _note(store, one, state, next_at, reason[:_LONGEST_REASON], now)
    return state


def listed(store: Store, state: State, most: int) -> Sequence[Listed]:
    """The latest events in a state."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("events_out", {"state": state.value, "most": most}))
    return [_listed(row) for row in rows]


def counts(store: Store) -> Sequence[Count]:
    """How many events of which type stand where."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("event_out_counts", {}))
    return [
        Count(str(m), str(target), str(kind), str(state), int(number or 0), int(oldest or 0))
        for m, target, kind, state, number, oldest in rows
    ]


def found(store: Store, event_id: str) -> Kept:
    """The one event whose id begins so.

    Raises:
        InvalidValueError: None does, or several do.
    """
    expected = "the id of one event, as recoup events list shows it"
    letters = event_id.removeprefix("evt_")
    if len(letters) < 4 or not set(letters) <= set("0123456789abcdef"):
        raise InvalidValueError("event", event_id, expected)
    first = f"evt_{letters}"
    with store.reading() as transaction:
        (rows,) = transaction.ask(("one_event_out", {"first": first, "last": first + "g"}))
    if len(rows) != 1:
        raise InvalidValueError("event", event_id, expected)
    merchant_id, found_id, kind, body = rows[0]
    return Kept(str(merchant_id), str(found_id), str(kind), str(body))


def replay(store: Store, one: Kept, now: datetime) -> int:
    """Send one event again to every target that it had; how many those are."""
    values: dict[str, Value] = {"merchant_id": one.merchant_id, "event_id": one.event_id, "now": to_micros(now)}
    with store.writing() as transaction:
        return transaction.change("replay_event_out", values)


def replay_failed(store: Store, now: datetime) -> int:
    """Send again whatever was given up; how many there were."""
    with store.writing() as transaction:
        return transaction.change("replay_failed", {"now": to_micros(now)})


def _note(store: Store, one: Claimed, state: State, next_at: int | None, reason: str, now: datetime) -> None:
    values: dict[str, Value] = {
        "merchant_id": one.receiver.merchant_id,
        "event_id": one.event_id,
        "target": one.receiver.target,
        "claim": one.claim,
        "state": state.value,
        "next_at": next_at,
        "reason": reason,
        "now": to_micros(now),
    }
    with store.writing() as transaction:
        transaction.put("note_sending", values)


def _listed(row: Row) -> Listed:
    merchant_id, event_id, target, state, tries, next_at, reason, touched_at, kind, payment_id, recovery, created = row
    return Listed(
        str(merchant_id),
        str(event_id),
        str(target),
        str(state),
        int(tries or 0),
        None if next_at is None else int(next_at),
        str(reason),
        int(touched_at or 0),
        str(kind),
        str(payment_id),
        int(recovery or 0),
        int(created or 0),
    )

"""Counts by looking: the attempts of a context in the form that rules count them."""

import re
from dataclasses import dataclass
from functools import lru_cache

from features.attempt import Attempt
from features.context import Context
from features.decline import Decline
from features.declines.taxonomy import network_code
from features.instants import MICROS_PER_HOUR, to_micros
from features.method import Method
from features.money import Money
from features.vocabulary import Initiator, Network, Outcome, Precision
from model.caps.rule import KeyPart

# Where only the day is known the instant stands at local noon, so it may be off by half a day either way.
_HALF_A_DAY = 12 * MICROS_PER_HOUR
_NAMES = 4_096
_NOT_WORD = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Event:
    """An attempt that reached the network, as counters see it.

    Args:
        earliest, latest: Between which instants it was made (int64 microseconds, UTC); equal where the instant
            is known, a day apart where only the day is.
        outcome: Approved, declined, or unknown while it is pending.
        known_at: When its outcome became known (int64 microseconds), where that was after it was made; see `known`.
        network_code: The network's own code of the decline, where it is known.
    """

    attempt_id: str
    merchant_id: str
    payment_id: str
    method_id: str
    mandate_id: str | None
    processor: str
    amount: Money
    initiator: Initiator
    at: int
    earliest: int
    latest: int
    outcome: Outcome
    decline: Decline | None = None
    network_code: str | None = None
    known_at: int | None = None

    @property
    def known(self) -> int:
        """When its outcome was known, for sure: a debit comes back days after it was presented."""
        return self.latest if self.known_at is None else max(self.latest, self.known_at)

    @property
    def refused(self) -> bool:
        """Declined, or not known to be approved: what is pending counts as a decline until it is known."""
        return self.outcome is not Outcome.APPROVED

    def precedes(self, other: "Event") -> bool:
        """Whether it was made before the other, for sure; of two at one known instant the names say which was first."""
        if self.latest != other.earliest:
            return self.latest < other.earliest
        known = self.earliest == self.latest and other.earliest == other.latest
        return not known or self.attempt_id < other.attempt_id


@dataclass(frozen=True, slots=True)
class Counter:
    """Which counter of a key: the values of its parts."""

    merchant_id: str
    payment_id: str
    method_id: str
    mandate_id: str | None
    amount: Money
    initiator: Initiator
    processor: str = ""

    def holds(self, event: Event, key: tuple[KeyPart, ...]) -> bool:
        """Whether the event shares every part of the key."""
        for part in key:  # noqa: SIM110 - asked very often, and `all` of a generator takes thrice as long
            if not self._shares(part, event):
                return False
        return True

    def cleared_by(self, approval: Event, key: tuple[KeyPart, ...]) -> bool:
        """Whether an approval that shares the key does so for sure: who started it may be unknown."""
        known = approval.initiator is self.initiator and approval.initiator is not Initiator.UNKNOWN
        return known or KeyPart.INITIATOR not in key

    def touches(self, event: Event) -> bool:
        """Whether the event shares the method, the mandate or the payment."""
        return (
            event.method_id == self.method_id
            or event.payment_id == self.payment_id
            or (event.mandate_id is not None and event.mandate_id == self.mandate_id)
        )

    def _shares(self, part: KeyPart, event: Event) -> bool:
        if part is KeyPart.METHOD:
            return event.method_id == self.method_id
        if part is KeyPart.AMOUNT:
            return event.amount == self.amount
        if part is KeyPart.PAYMENT:
            return event.payment_id == self.payment_id
        if part is KeyPart.MERCHANT:
            return event.merchant_id == self.merchant_id
        if part is KeyPart.INITIATOR:
            return event.initiator is self.initiator or Initiator.UNKNOWN in {event.initiator, self.initiator}
        if part is KeyPart.PROCESSOR:
            return carrier(event.processor) == carrier(self.processor)
        return self._shares_mandate(event)

    def _shares_mandate(self, event: Event) -> bool:
        if self.mandate_id is None or event.mandate_id is None:
            return event.method_id == self.method_id
        return event.mandate_id == self.mandate_id


@dataclass(frozen=True, slots=True)
class Tally:
    """Every event known, oldest first."""

    events: tuple[Event, ...] = ()

    def counter(self, counter: Counter, key: tuple[KeyPart, ...], *, resets: bool) -> tuple[Event, ...]:
        """The events of one counter, oldest first; where approvals reset it, without them and what they cleared."""
        shared = [event for event in self.events if counter.holds(event, key)]
        return tuple(_uncleared(shared, counter, key) if resets else shared)

    def about(self, counter: Counter) -> "Tally":
        """The events that share the counter's method, mandate or payment, which nearly every key asks for."""
        return Tally(tuple(event for event in self.events if counter.touches(event)))

    def plus(self, event: Event) -> "Tally":
        """This tally with one more event, in its place."""
        return Tally(tuple(sorted((*self.events, event), key=_order)))


@lru_cache(maxsize=_NAMES)
def carrier(processor: str) -> str:
    """Who carries an attempt, whatever the account is called.

    >>> carrier("Stripe"), carrier("stripe_us"), carrier("Checkout.com")
    ('stripe', 'stripe', 'checkout')
    """
    return _NOT_WORD.split(processor.lower().strip("_-. "))[0]


def tally_of(context: Context) -> Tally:
    """The tally of everything that a context knows. Errors never reached the issuer and are not counted."""
    methods = {method.method_id: method for method in context.methods}
    merchant_id = context.payment.merchant_id
    counted = (a for a in context.attempts if a.outcome is not Outcome.ERROR)
    events = (event_of(a, methods.get(a.method_id), merchant_id) for a in counted)
    return Tally(tuple(sorted(events, key=_order)))


def event_of(attempt: Attempt, method: Method | None, merchant_id: str) -> Event:
    """The attempt as counters see it; `method` is None when it is no longer on file."""
    at, decline = to_micros(attempt.at), attempt.decline
    slack = _HALF_A_DAY if attempt.precision is Precision.DAY else 0
    return Event(
        attempt_id=attempt.attempt_id,
        merchant_id=merchant_id,
        payment_id=attempt.payment_id,
        method_id=attempt.method_id,
        mandate_id=method.mandate_id if method else None,
        processor=attempt.processor,
        amount=attempt.amount,
        initiator=attempt.initiator,
        at=at,
        earliest=at - slack,
        latest=at + slack,
        outcome=attempt.outcome,
        decline=decline,
        network_code=_network_code(decline, attempt, method) if decline else None,
        known_at=to_micros(attempt.known_at),
    )


def _network_code(decline: Decline, attempt: Attempt, method: Method | None) -> str | None:
    network = decline.network if method is None or method.network is Network.UNKNOWN else method.network
    return network_code(decline.code, processor=attempt.processor, network=network, subcode=decline.subcode)


def _uncleared(events: list[Event], counter: Counter, key: tuple[KeyPart, ...]) -> list[Event]:
    """The events but those that certainly came before an approval of the counter, and but all approvals.

    One that may be of another counter, or may have come before everything here, clears nothing; it is no use of the
    counter either, for it clears the counter or is not in it.
    """
    approvals = [event for event in events if event.outcome is Outcome.APPROVED]
    if not approvals:
        return events
    left = [event for event in events if event.refused]
    clearing = [approval for approval in approvals if counter.cleared_by(approval, key)]
    if not clearing:
        return left
    last = max(clearing, key=lambda approval: (approval.earliest, approval.latest, approval.attempt_id))
    return [event for event in left if not event.precedes(last)]


def _order(event: Event) -> tuple[int, str]:
    return event.at, event.attempt_id

"""What is on record of a payment beyond what the request tells: attempts from anywhere, holds, and a reason to stop.

Whoever keeps the record reads it beforehand; here it is only counted, so that limits are never looser than it knows.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from features.context import Context
from features.instants import to_micros
from features.vocabulary import Outcome
from model.caps.engine import prepare
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, tally_of
from model.caps.verdict import Verdict
from model.decision import StopReason


@dataclass(frozen=True, slots=True)
class Halt:
    """Why nothing may be attempted whatever the counters say, with the sentences that a person reads."""

    reason: StopReason
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Record:
    """What is on record.

    Args:
        events: Attempts on the payment and its methods, and holds on attempts to come.
        halt: Why nothing may be attempted; None where nothing speaks against it.
    """

    events: tuple[Event, ...] = ()
    halt: Halt | None = None


NOTHING = Record()


def recorded_tally(context: Context, record: Record) -> Tally:
    """Everything that the context or the record knows, each attempt once.

    Of an attempt that both know, the record's word counts unless only the context knows what came of it.
    """
    told = tally_of(context)
    if not record.events:
        return told
    known = {event.attempt_id: event for event in told.events}
    for event in record.events:
        earlier = known.get(event.attempt_id)
        if earlier is None or event.outcome is not Outcome.UNKNOWN:
            known[event.attempt_id] = event
    return _ordered(known.values())


class Judge:
    """What the rules say about one proposal at any instant, with holds on later attempts counted.

    A hold for later shares a window with an attempt before it and must keep its place, so that it counts for that
    attempt as if it were made at the same instant.
    """

    def __init__(self, rulebook: Rulebook, tally: Tally, proposal: Proposal, as_of: datetime) -> None:
        self._rulebook, self._tally, self._proposal = rulebook, tally, proposal
        self._all = prepare(rulebook, tally, proposal)
        now, counter = to_micros(as_of), proposal.counter
        self._last = max((e.at for e in tally.events if e.at > now and counter.touches(e)), default=now)

    def at(self, instant: datetime) -> tuple[Verdict, ...]:
        """What every rule in force at the instant says."""
        micros = to_micros(instant)
        if micros >= self._last:
            return self._all.at(instant)
        moved = _ordered(_not_after(event, micros) for event in self._tally.events)
        return prepare(self._rulebook, moved, self._proposal).at(instant)


def _not_after(event: Event, at: int) -> Event:
    return event if event.at <= at else replace(event, at=at, earliest=min(event.earliest, at))


def _ordered(events: Iterable[Event]) -> Tally:
    return Tally(tuple(sorted(events, key=lambda event: (event.at, event.attempt_id))))

"""What is on record of a payment beyond what the request tells: attempts from anywhere, holds, and a reason to stop.

Whoever keeps the record reads it beforehand; here it is only counted, so that limits are never looser than it knows.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from features.context import Context
from features.instants import to_micros
from features.known import distinct
from features.vocabulary import Outcome
from model.caps.ahead import as_of, same_until
from model.caps.engine import ProposalVerdicts, prepare
from model.caps.fixes import Fix
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, tally_of
from model.caps.verdict import Verdict
from model.caps.volumes import Volumes
from model.decision import StopReason

Int64s = NDArray[np.int64]

_NO_VOLUMES = Volumes()


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
        volumes: What the merchant sends altogether, by rule.
        fixes: What was mended about the methods.
    """

    events: tuple[Event, ...] = ()
    halt: Halt | None = None
    volumes: Volumes = _NO_VOLUMES
    fixes: tuple[Fix, ...] = ()


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
    attempt as if it were made at the same instant. The rules are held against the counters once for every stretch in
    which that makes no difference; asked in the order of time, each stretch is prepared once.
    """

    def __init__(
        self, rulebook: Rulebook, tally: Tally, proposal: Proposal, now: datetime, record: Record = NOTHING
    ) -> None:
        self._rulebook, self._tally, self._proposal, self._record = rulebook, tally, proposal, record
        self._rules = rulebook.binding(proposal)
        self._all = self._prepared(tally)
        asked, counter = to_micros(now), proposal.counter
        self._last = max((e.at for e in tally.events if e.at > asked and counter.touches(e)), default=asked)
        self._stretches: list[tuple[int, int, ProposalVerdicts]] = []

    def at(self, instant: datetime) -> tuple[Verdict, ...]:
        """What every rule in force at the instant says."""
        return self._answer(to_micros(instant))[1]

    def throughout(self, start: int, end: int) -> tuple[bool, tuple[Verdict, ...]]:
        """(whether no rule forbids it, the verdicts) for an attempt in a slot, from its first to its last instant.

        Args:
            start, end: Of the slot, microseconds; the end is no part of it.

        Returns:
            Every rule at the start of the slot, or at its last instant if only there one forbids.
        """
        first = self._answer(start)
        if not first[0]:
            return first
        last = self._answer(end - 1)
        return first if last[0] else last

    def throughout_each(
        self, starts: Int64s, ends: Int64s
    ) -> Iterator[tuple[Int64s, tuple[bool, tuple[Verdict, ...]]]]:
        """(places of slots, what `throughout` says of each of them): every slot once, those with one answer together.

        Args:
            starts, ends: Of each slot, microseconds, shape (n,).
        """
        changes = self._all.changes
        if changes is None or not starts.size:
            places = np.empty(0, dtype=np.int64)
            alone = np.arange(starts.size)
        else:
            together = starts >= self._last
            places, alone = np.flatnonzero(together), np.flatnonzero(~together)
        for place in alone:
            yield place.reshape(1), self.throughout(int(starts[place]), int(ends[place]))
        if changes is None or not places.size:
            return
        edges = np.array(changes, dtype=np.int64)
        first, last = (edges.searchsorted(at[places], side="right") for at in (starts, ends - 1))
        stretches = first * (edges.size + 1) + last
        for stretch in distinct(stretches):
            alike = places[stretches == stretch]
            yield alike, self.throughout(int(starts[alike[0]]), int(ends[alike[0]]))

    def _answer(self, micros: int) -> tuple[bool, tuple[Verdict, ...]]:
        if micros >= self._last:
            return self._all.answer(micros)
        for start, until, prepared in reversed(self._stretches):
            if start <= micros < until:
                return prepared.answer(micros)
        prepared = self._prepared(as_of(self._tally, micros))
        until = same_until(self._rules, self._tally, self._proposal, micros)
        if until > micros + 1:
            self._stretches.append((micros, until, prepared))
        return prepared.answer(micros)

    def _prepared(self, tally: Tally) -> ProposalVerdicts:
        return prepare(self._rulebook, tally, self._proposal, self._record.volumes, self._record.fixes)


def _ordered(events: Iterable[Event]) -> Tally:
    return Tally(tuple(sorted(events, key=lambda event: (event.at, event.attempt_id))))

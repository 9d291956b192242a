"""What the limits leave for later attempts, asked of the rules' own engine with declines that have not happened.

After one imagined decline by each route, at a few of its moves, the engine says which later moves it forbids and how
much every limit leaves. From that: how far apart attempts must be, and how many more declines each method bears. Where
it cannot be exact it is cautious. A finished path is held against the engine step by step, with every decline before
it, so that no plan breaks a limit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import MICROSECOND, to_micros
from features.known import distinct
from model.caps.prescreen import NONE, Prescreen, prescreen_of
from model.caps.proposal import Proposal
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook
from model.caps.tally import Event, Tally, event_of
from model.caps.verdict import Verdict
from model.planning.imagined import Imagining, answer_time
from model.planning.recursion import UNBOUNDED, Room
from model.planning.shortlist import Shortlist
from model.record import Judge, Record, recorded_tally

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_POINTS = (0.0, 0.5)  # at which shares of a route's moves a decline is imagined
_NEVER = 1 << 61
_OWN = frozenset({KeyPart.METHOD, KeyPart.MANDATE})


@dataclass(frozen=True)
class Referee:
    """The rules about one payment, with declines that have not happened."""

    context: Context
    rulebook: Rulebook
    record: Record

    def after(self, declined: Sequence[Retry], more: int = 0) -> "Judging":
        """What the rules say once these retries, in order of time, were all declined.

        Args:
            more: Limits that leave more attempts than so many may go unmentioned.
        """
        imagined = self._imagining.after(declined)
        events = list(self._tally.events)
        for retry, attempt in zip(declined, imagined.attempts[-len(declined) :] if declined else (), strict=True):
            method = self.context.method(retry.method_id)
            event = event_of(attempt, method, self.context.payment.merchant_id)
            # It may be made at any instant of its slot.
            events.append(replace(event, latest=max(event.latest, retry.slot.end_micros - 1)))
        events.sort(key=lambda event: (event.at, event.attempt_id))
        return Judging(self, imagined, Tally(tuple(events)), more)

    def suspects(self, proposal: Proposal, events: Sequence[Event], more: int) -> Rulebook:
        """The rules that may forbid the proposal after these events, or after so many more attempts.

        Holding an attempt against all rules takes far longer than seeing that most cannot forbid it.
        """
        screen = prescreen_of(self.rulebook.binding(proposal))
        set_off = NONE
        for event in events:
            bits = self._set_off_by(event, screen)
            set_off |= bits if event.payment_id == proposal.payment.payment_id else screen.elsewhere(bits)
        return screen.rulebook(screen.suspects(len(events) + more, set_off))

    def _set_off_by(self, event: Event, screen: Prescreen) -> int:
        """What an event sets off; of those that happened it is worked out once."""
        if id(event) not in self._happened:
            return screen.set_off_by(event)
        asked = (id(screen), id(event))
        if asked not in self._set_off:
            self._set_off[asked] = screen.set_off_by(event)
        return self._set_off[asked]

    @cached_property
    def _happened(self) -> frozenset[int]:
        """The identities of the events that are no imagination; the tally holds them."""
        return frozenset(map(id, self._tally.events))

    @cached_property
    def _set_off(self) -> dict[tuple[int, int], int]:
        """By the identities of prescreen and event."""
        return {}

    @cached_property
    def _imagining(self) -> Imagining:
        return Imagining(self.context)

    @cached_property
    def _tally(self) -> Tally:
        return recorded_tally(self.context, self.record)

    def first_breach(self, path: Sequence[Retry]) -> int | None:
        """Position of the first retry of a path that may not be made after the declines before it, or None."""
        for step in range(1, len(path)):
            overlaps = path[step].slot.start < path[step - 1].slot.end
            if overlaps or not self.after(path[:step]).allows(path[step]):
                return step
        return None


class Judging:
    """What the rules say about any retry in one imagined context."""

    def __init__(self, referee: Referee, imagined: Context, tally: Tally, more: int) -> None:
        self._referee, self._imagined, self.tally, self._more = referee, imagined, tally, more
        self._judges: dict[tuple[str, str], Judge] = {}
        self._kinds: dict[tuple[object, ...], Judge] = {}

    def allows(self, retry: Retry) -> bool:
        """Whether no rule forbids it, at the first and at the last instant of its slot."""
        slot = retry.slot
        return (
            slot.start >= self._imagined.as_of and self.judge(retry).throughout(slot.start_micros, slot.end_micros)[0]
        )

    def judge(self, retry: Retry) -> Judge:
        """The rules about the retry's route; one judge for all routes of a method that the same rules look at alike."""
        route = (retry.method_id, retry.processor)
        if route not in self._judges:
            context = self._imagined
            method = context.method(retry.method_id)
            proposal = Proposal(context.payment, method, retry.processor, decided_at=context.as_of)
            rules = self._referee.suspects(proposal, self.tally.events, self._more)
            apart = any(KeyPart.PROCESSOR in rule.key for rule in rules.rules)
            kind = (retry.method_id, retry.processor if apart else None, *map(id, rules.rules))
            if kind not in self._kinds:
                self._kinds[kind] = Judge(rules, self.tally, proposal, context.as_of, self._referee.record)
            self._judges[route] = self._kinds[kind]
        return self._judges[route]


def room(referee: Referee, retries: Sequence[Retry], moves: Shortlist, most: int) -> Room:
    """What the limits leave for the moves of a plan.

    Args:
        retries: The moves themselves.
        most: Most attempts of the plan; a single one needs no room behind it.
    """
    size = len(moves)
    known = moves.start + _answer_times(referee.context, retries)
    free = np.maximum(known, moves.end)
    follows = moves.start[None, :] >= free[:, None]
    own_left = np.full(size, UNBOUNDED)
    all_left = np.full(size, UNBOUNDED)
    if most < 2 or not referee.rulebook.rules:
        return Room(follows, own_left, all_left)
    shared = {rule.rule_id for rule in referee.rulebook.rules if _OWN.isdisjoint(rule.key)}
    for route in distinct(moves.route):
        theirs = np.flatnonzero(moves.route == route)
        points = dict.fromkeys(int(theirs[int(share * theirs.size)]) for share in _POINTS)
        forbidden = np.zeros(size, dtype=np.int64)
        for last in points:
            judging = referee.after([retries[last]], more=most)
            for places, (allowed, verdicts) in _judged(judging, retries, moves, np.flatnonzero(follows[last])):
                if not allowed:
                    waits = _until(verdicts, moves.start[places]) - moves.start[last]
                    forbidden[places] = np.maximum(forbidden[places], waits)
                    continue
                own, every = _left(verdicts, shared)
                same = places[moves.method[places] == moves.method[last]]
                own_left[same] = np.minimum(own_left[same], own)
                all_left[places] = np.minimum(all_left[places], every)
        follows[theirs] &= _far_enough(moves, theirs, forbidden)
    return Room(follows, own_left, all_left)


def _judged(
    judging: Judging, retries: Sequence[Retry], moves: Shortlist, later: Int64s
) -> Iterator[tuple[Int64s, tuple[bool, tuple[Verdict, ...]]]]:
    """(moves, whether they are allowed and what every rule says), those with one answer together."""
    judges: dict[int, tuple[Judge, list[Int64s]]] = {}
    for route in distinct(moves.route[later]):
        places = later[moves.route[later] == route]
        judge = judging.judge(retries[int(places[0])])
        judges.setdefault(id(judge), (judge, []))[1].append(places)
    for judge, of_routes in judges.values():
        places = np.concatenate(of_routes)
        for alike, said in judge.throughout_each(moves.start[places], moves.end[places]):
            yield places[alike], said


def _answer_times(context: Context, retries: Sequence[Retry]) -> Int64s:
    """Until the answer to each retry is known, microseconds, shape (n,)."""
    waits = {m: answer_time(context, m) // MICROSECOND for m in {retry.method_id for retry in retries}}
    return np.array([waits[retry.method_id] for retry in retries], dtype=np.int64)


def _until(verdicts: Sequence[Verdict], at: Int64s) -> Int64s:
    """When the last of the rules that forbid attempts at some instants would allow each, microseconds, shape (n,)."""
    frees = [_NEVER if v.frees_at is None else to_micros(v.frees_at) for v in verdicts if not v.allowed]
    return np.maximum(at + 1, max(frees))


def _left(verdicts: Sequence[Verdict], shared: set[str]) -> tuple[int, int]:
    """(what the method's own limits leave, what limits shared with other methods leave)."""
    own = every = int(UNBOUNDED)
    for verdict in verdicts:
        if verdict.limit is not None and verdict.used is not None:
            left = verdict.limit - verdict.used
            own, every = (own, min(every, left)) if verdict.rule_id in shared else (min(own, left), every)
    return own, every


def _far_enough(moves: Shortlist, theirs: Int64s, forbidden: Int64s) -> Flags:
    """Whether each move is as far from each decline of the route as the rules were found to ask, shape (theirs, n)."""
    gap = moves.start[None, :] - moves.start[theirs][:, None]
    needed = np.zeros(len(moves), dtype=np.int64)
    for route in np.unique(moves.route):
        then = moves.route == route
        needed[then] = forbidden[then].max()
    enough: Flags = gap >= needed[None, :]
    return enough

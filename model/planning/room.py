"""What the limits leave for later attempts, asked of the rules' own engine with declines that have not happened.

After one imagined decline by each route, at a few of its moves, the engine says which later moves it forbids and how
much every limit leaves. From that: how far apart attempts must be, and how many more declines each method bears. Where
it cannot be exact it is cautious. A finished path is held against the engine step by step, with every decline before
it, so that no plan breaks a limit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.instants import to_micros
from features.proposed import Proposed, Route
from model.caps.rule import KeyPart
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.planning.recursion import UNBOUNDED, Room
from model.planning.referee import Judging, Referee
from model.planning.shortlist import Shortlist
from model.record import Judge

Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

_POINTS = (0.0, 0.5)  # at which shares of a route's moves a decline is imagined
_NEVER = 1 << 61
_OWN = frozenset({KeyPart.METHOD, KeyPart.MANDATE})


@dataclass(frozen=True, slots=True)
class _Lane:
    """The moves of one route, or of several that the rules do not tell apart; the last begins then (microseconds)."""

    route: Route
    places: Int64s
    last: int


def room(referee: Referee, retries: Sequence[Retry], moves: Shortlist, most: int) -> Room:
    """What the limits leave for the moves of a plan.

    Args:
        retries: The moves themselves.
        most: Most attempts of the plan; a single one needs no room behind it.
    """
    size = len(moves)
    lanes = _lanes(retries, moves)
    free = np.maximum(moves.start + _answer_times(referee, lanes, moves), moves.end)
    follows = moves.start[None, :] >= free[:, None]
    left = Room(follows, np.full(size, UNBOUNDED), np.full(size, UNBOUNDED))
    if most < 2 or referee.clears([lane.route for lane in lanes], most + 1):
        return left
    alike = _alike(referee, lanes)
    by_day = any(referee.limits.ground(lane.route).screen.reads_days for lane in alike)
    for lane in lanes:
        forbidden: Int64s | None = None
        for last in dict.fromkeys(int(lane.places[int(share * lane.places.size)]) for share in _POINTS):
            judging = referee.after([retries[last]], more=most)
            ahead = [other for other in alike if other.last >= free[last]]
            judged = _judges(judging, ahead, follows[last])
            for judge, places in judged:
                forbidden = np.zeros(size, dtype=np.int64) if forbidden is None else forbidden
                _bound(left, forbidden, judge, places, moves, last, referee.limits.rulebook)
            if not judged and not by_day:
                break  # a later decline by the route ends alike, and fewer moves are ahead of it
        if forbidden is not None:
            follows[lane.places] &= _far_enough(moves, lane.places, forbidden)
    return left


def _lanes(retries: Sequence[Retry], moves: Shortlist) -> list[_Lane]:
    proposed, found = Proposed.of(retries), []
    for number in range(int(moves.route.max(initial=-1)) + 1):
        places = np.flatnonzero(moves.route == number)
        route = proposed.routes[proposed.route[places[0]]]
        found.append(_Lane(route, places, int(moves.start[places[-1]])))
    return found


def _alike(referee: Referee, lanes: Sequence[_Lane]) -> list[_Lane]:
    """The moves of routes that no rule tells apart, together."""
    found: dict[int, list[_Lane]] = {}
    for lane in lanes:
        found.setdefault(id(referee.limits.ground(lane.route)), []).append(lane)
    return [
        _Lane(same[0].route, np.concatenate([lane.places for lane in same]), max(lane.last for lane in same))
        for same in found.values()
    ]


def _judges(judging: Judging, ahead: Sequence[_Lane], later: Flags) -> list[tuple[Judge, Int64s]]:
    """(the rules, the later moves about which they may say something); nothing of moves that no rule can forbid."""
    judges: dict[int, tuple[Judge, list[Int64s]]] = {}
    for lane in ahead:
        judge = judging.judge(lane.route)
        if judge is not None:
            judges.setdefault(id(judge), (judge, []))[1].append(lane.places[later[lane.places]])
    return [(judge, np.concatenate(places)) for judge, places in judges.values()]


def _bound(
    left: Room, forbidden: Int64s, judge: Judge, places: Int64s, moves: Shortlist, last: int, rulebook: Rulebook
) -> None:
    """Enter what the rules say of some moves after a decline of `last`: how long they forbid each, what they leave."""
    shared = {rule.rule_id for rule in rulebook.rules if _OWN.isdisjoint(rule.key)}
    for alike, (allowed, verdicts) in judge.throughout_each(moves.start[places], moves.end[places]):
        these = places[alike]
        if not allowed:
            waits = _until(verdicts, moves.start[these]) - moves.start[last]
            forbidden[these] = np.maximum(forbidden[these], waits)
            continue
        own, every = _left(verdicts, shared)
        same = these[moves.method[these] == moves.method[last]]
        left.own_left[same] = np.minimum(left.own_left[same], own)
        left.all_left[these] = np.minimum(left.all_left[these], every)


def _answer_times(referee: Referee, lanes: Sequence[_Lane], moves: Shortlist) -> Int64s:
    """Until the answer to each move is known, microseconds, shape (n,)."""
    waits = np.zeros(len(moves), dtype=np.int64)
    for lane in lanes:
        waits[lane.places] = referee.answer_micros(lane.route[0])
    return waits


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
    for route in range(int(moves.route.max()) + 1):
        then = moves.route == route
        needed[then] = forbidden[then].max()
    enough: Flags = gap >= needed[None, :]
    return enough

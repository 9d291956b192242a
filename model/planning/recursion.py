"""The plan as a dynamic program over what was declined last and how often each method was declined.

A decline carries no news but that it happened, so what follows it can be decided beforehand: the best plan is a path,
and its value obeys

    V(i, c) = max(0, max over j that may follow of  p · (gain_j − a_j) + (1 − p) · (V(j, c + 1_j) − d_j))

where `i` is the attempt declined last, `c` how many were declined with each method, `p` the chance of `j` then,
`a` and `d` what an approved and a declined attempt cost. Zero is stopping; waiting is choosing a later `j`; methods and
processors are switched by it. Every attempt raises the count, so the recursion goes over counts from the most attempts
down and each step is one array operation over all pairs (Bellman 1957; the formula is that of optimal stopping).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

Counts = tuple[int, ...]
"""How many attempts of the plan were declined with each method."""

UNBOUNDED = np.iinfo(np.int64).max
NONE = -1


@dataclass(frozen=True, slots=True)
class Moves:
    """The n attempts that may be planned, in order of time; every array has shape (n,).

    Args:
        method: Which method each uses, from 0.
        gain: What an approval is worth then.
        approved_cost, declined_cost: What the attempt costs by its outcome, in the unit of the gain.
    """

    method: Int64s
    gain: Floats
    approved_cost: Floats
    declined_cost: Floats

    def __len__(self) -> int:
        return int(self.method.size)

    @property
    def methods(self) -> int:
        """How many methods there are."""
        return int(self.method.max()) + 1 if self.method.size else 0

    def worth(self, p: Floats, then: Floats) -> Floats:
        """What each is worth with chance `p` if `then` is what a decline leaves; shapes broadcast to (…, n)."""
        worth: Floats = p * (self.gain - self.approved_cost) + (1.0 - p) * (then - self.declined_cost)
        return worth


class Beliefs(Protocol):
    """P(approved) of every move in every state of the plan."""

    @property
    def now(self) -> Floats:
        """Before anything of the plan was attempted, shape (n,)."""
        ...

    def after(self, counts: Counts, last: Int64s) -> Floats:
        """Once so many were declined, the last of them being each move in `last`; shape (len(last), n)."""
        ...


@dataclass(frozen=True, slots=True)
class Room:
    """What the limits leave for what has been declined before.

    Args:
        follows: Whether move j may come next after move i, shape (n, n); never if j is not later.
        own_left: After a first decline with the move's method, how many more such declines it bears, shape (n,).
        all_left: The same over all methods, for limits they share, shape (n,).
    """

    follows: Flags
    own_left: Int64s
    all_left: Int64s

    def bears(self, counts: Counts, method: Int64s) -> Flags:
        """Whether each move may still be made after so many declines (at least one), shape (n,)."""
        own = np.array(counts, dtype=np.int64)[method]
        borne: Flags = ((own == 0) | (own - 1 < self.own_left)) & (sum(counts) - 1 < self.all_left)
        return borne


@dataclass(frozen=True, slots=True)
class Solution:
    """The best plan.

    Args:
        value: Of the plan; zero where stopping is best.
        path: Positions of the moves in order; empty for stopping.
        worth: Of starting with each move and going on as best, shape (n,).
        then: What a decline of each as first attempt leaves, shape (n,).
        following: By counts, the best next move after each as last declined, -1 for stopping.
    """

    value: float
    path: tuple[int, ...]
    worth: Floats
    then: Floats
    following: Mapping[Counts, Int64s]


def solve(moves: Moves, beliefs: Beliefs, room: Room, most: int) -> Solution:
    """The best plan of at most so many attempts; ties go to the earlier move."""
    ahead: dict[Counts, Floats] = {}
    following: dict[Counts, Int64s] = {}
    bearable = _bearable(moves, room)
    for total in range(most - 1, 0, -1):
        for counts in _spread(total, bearable):
            ahead[counts], following[counts] = _one_more(moves, beliefs, room, counts, ahead)
    nothing = (0,) * moves.methods
    then = _then(moves, nothing, ahead)
    worth = moves.worth(beliefs.now, then) if most > 0 else np.full(len(moves), -np.inf)
    first = int(np.argmax(worth)) if len(moves) else NONE
    if first == NONE or not worth[first] > 0.0:
        return Solution(0.0, (), worth, then, following)
    return Solution(float(worth[first]), path_from(moves, first, following), worth, then, following)


def path_from(moves: Moves, first: int, following: Mapping[Counts, Int64s]) -> tuple[int, ...]:
    """The path that starts with a move and goes on as best."""
    path, counts = [first], _plus((0,) * moves.methods, int(moves.method[first]))
    while counts in following and (move := int(following[counts][path[-1]])) != NONE:
        path.append(move)
        counts = _plus(counts, int(moves.method[move]))
    return tuple(path)


def _one_more(
    moves: Moves, beliefs: Beliefs, room: Room, counts: Counts, ahead: dict[Counts, Floats]
) -> tuple[Floats, Int64s]:
    """(value, best next move) once so many were declined, for every move as the last of them, each of shape (n,)."""
    value, best = np.zeros(len(moves)), np.full(len(moves), NONE, dtype=np.int64)
    last = np.flatnonzero(np.array(counts, dtype=np.int64)[moves.method] > 0)
    bears = room.bears(counts, moves.method)
    if last.size and bears.any():
        worth = moves.worth(beliefs.after(counts, last), _then(moves, counts, ahead))
        worth = np.where(room.follows[last] & bears, worth, -np.inf)
        choice = np.argmax(worth, axis=1)
        most = worth[np.arange(last.size), choice]
        value[last] = np.maximum(most, 0.0)
        best[last] = np.where(most > 0.0, choice, NONE)
    return value, best


def _then(moves: Moves, counts: Counts, ahead: dict[Counts, Floats]) -> Floats:
    """What one more decline, of each move, leaves, shape (n,)."""
    then = np.zeros(len(moves))
    for method in range(moves.methods):
        value = ahead.get(_plus(counts, method))
        if value is not None:
            theirs = moves.method == method
            then[theirs] = value[theirs]
    return then


def _bearable(moves: Moves, room: Room) -> Counts:
    """How often each method may be declined at all."""
    most = [1 + int(min(room.own_left[moves.method == m].max(initial=0), len(moves))) for m in range(moves.methods)]
    return tuple(most)


def _spread(total: int, most: Counts) -> Iterator[Counts]:
    """Every way to have that many declines with at most so many of each method."""
    if not most:
        return
    if len(most) == 1:
        if total <= most[0]:
            yield (total,)
        return
    for here in range(min(total, most[0]) + 1):
        for rest in _spread(total - here, most[1:]):
            yield (here, *rest)


def _plus(counts: Counts, method: int) -> Counts:
    return (*counts[:method], counts[method] + 1, *counts[method + 1 :])

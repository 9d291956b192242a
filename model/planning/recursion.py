"""The plan as a dynamic program over what was declined last and how often each method was declined.

A decline carries no news but that it happened, so what follows it can be decided beforehand: the best plan is a path,
and its value obeys

    V(i, c) = max(0, max over j that may follow of  p · (gain_j − a_j) + (1 − p) · (V(j, c + 1_j) − d_j))

where `i` is the attempt declined last, `c` how many were declined with each method, `p` the chance of `j` then,
`a` and `d` what an approved and a declined attempt cost. Zero is stopping; waiting is choosing a later `j`; methods and
processors are switched by it. Every attempt raises the count, so the recursion goes over counts from the most attempts
down and each step is one array operation over all pairs (Bellman 1957; the formula is that of optimal stopping).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
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

_REMEMBERED = 256  # ways to bear declines whose states are kept


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


@dataclass(frozen=True, slots=True)
class Chances:
    """P(approved) of every move after every other as declined last, in some states of the plan.

    Args:
        tables: Of chance, or of odds, after each move for each, shape (tables, n, n).
        which: The table of each state, shape (states,).
        factors: What odds are multiplied by in each state, by the methods of the move before and of the move, shape
            (states, methods, methods); read for odds only.
        odds: Whether the tables hold odds.
    """

    tables: Floats
    which: Int64s
    factors: Floats
    odds: bool

    def after(self, state: int, last: int, method: Int64s) -> Floats:
        """Of every move in one state after one move, shape (n,)."""
        row: Floats = self.tables[self.which[state], last]
        if not self.odds:
            return row
        odds = row * self.factors[state, method[last]][method]
        chance: Floats = odds / (1.0 + odds)
        return chance


class Beliefs(Protocol):
    """P(approved) of every move in every state of the plan."""

    @property
    def now(self) -> Floats:
        """Before anything of the plan was attempted, shape (n,)."""
        ...

    def over(self, states: Int64s) -> Chances:
        """Once so many were declined with each method, shape (states, methods); in every state at least one was."""
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


@dataclass(frozen=True, slots=True)
class Solution:
    """The best plan.

    Args:
        value: Of the plan; zero where stopping is best.
        path: Positions of the moves in order; empty for stopping.
        worth: Of starting with each move and going on as best, shape (n,).
        then: What a decline of each as first attempt leaves, shape (n,).
        following: By counts, the best next move after each as last declined, -1 for stopping.
        states: Those counts as numbers, shape (states, methods).
        best: The same as `following` in their order, shape (states, n).
    """

    value: float
    path: tuple[int, ...]
    worth: Floats
    then: Floats
    following: Mapping[Counts, Int64s]
    states: Int64s
    best: Int64s


def solve(moves: Moves, beliefs: Beliefs, room: Room, most: int, like: Solution | None = None) -> Solution:
    """The best plan of at most so many attempts; ties go to the earlier move.

    Args:
        like: What was best under much the same beliefs, which makes it quicker and changes nothing.
    """
    from model.planning.kernels import over_states  # loads the compiler, which nothing else here needs

    then, following = np.zeros(len(moves)), {}
    states = best = np.empty((0, 0), dtype=np.int64)
    if len(moves) and most > 1:
        counts, states, onward = _states(_bearable(moves, room), most)
        chances = beliefs.over(states)
        known = like.best if like is not None and like.states is states else None
        hints = np.full((len(counts), len(moves)), NONE, dtype=np.int64) if known is None else known
        value, best = over_states(
            states, onward, moves.method, moves.gain - moves.approved_cost, moves.declined_cost, room.follows,
            room.own_left, room.all_left, chances.tables, chances.which, chances.factors, chances.odds, hints,
        )  # fmt: skip
        following = dict(zip(counts, best, strict=True))
        # The last states are those of one decline, in the order of the methods from the last to the first.
        then = value[_first_states(len(counts), moves.methods)[moves.method], np.arange(len(moves))]
    worth = moves.worth(beliefs.now, then) if most > 0 else np.full(len(moves), -np.inf)
    first = int(np.argmax(worth)) if len(moves) else NONE
    if first == NONE or not worth[first] > 0.0:
        return Solution(0.0, (), worth, then, following, states, best)
    path = path_from(moves, first, following)
    return Solution(float(worth[first]), path, worth, then, following, states, best)


def path_from(moves: Moves, first: int, following: Mapping[Counts, Int64s]) -> tuple[int, ...]:
    """The path that starts with a move and goes on as best."""
    path, counts = [first], _plus((0,) * moves.methods, int(moves.method[first]))
    while counts in following and (move := int(following[counts][path[-1]])) != NONE:
        path.append(move)
        counts = _plus(counts, int(moves.method[move]))
    return tuple(path)


def worth_of(path: Sequence[int], moves: Moves, beliefs: Beliefs) -> float:
    """What starting with the first move of a path and going on along it is worth; nothing for no path."""
    if not path:
        return 0.0
    states = np.zeros((len(path), moves.methods), dtype=np.int64)
    states[np.arange(len(path)), moves.method[list(path)]] = 1
    chance = [beliefs.now[path[0]]]
    if len(path) > 1:
        chances = beliefs.over(np.cumsum(states[:-1], axis=0))
        pairs = enumerate(pairwise(path))
        chance += [chances.after(state, last, moves.method)[move] for state, (last, move) in pairs]
    worth = 0.0
    for move, p in zip(reversed(path), reversed(chance), strict=True):
        net = moves.gain[move] - moves.approved_cost[move]
        worth = float(p * net + (1.0 - p) * (worth - moves.declined_cost[move]))
    return worth


def _bearable(moves: Moves, room: Room) -> Counts:
    """How often each method may be declined at all."""
    size = len(moves)
    most = np.zeros(moves.methods, dtype=np.int64)
    np.maximum.at(most, moves.method, np.minimum(room.own_left, size))
    return tuple((most + 1).tolist())


@lru_cache(maxsize=_REMEMBERED)
def _states(bearable: Counts, most: int) -> tuple[tuple[Counts, ...], Int64s, Int64s]:
    """(every state, declines with each method, the state after one more with each or -1), most declines first.

    Returns:
        The states as words, and twice as numbers of shape (states, methods).
    """
    found = tuple(counts for total in range(most - 1, 0, -1) for counts in _spread(total, bearable))
    place = {counts: number for number, counts in enumerate(found)}
    onward = [[place.get(_plus(counts, m), NONE) for m in range(len(bearable))] for counts in found]
    shape = (-1, len(bearable))
    return found, np.array(found, dtype=np.int64).reshape(shape), np.array(onward, dtype=np.int64).reshape(shape)


def _first_states(states: int, methods: int) -> Int64s:
    """Position of the state of one decline with each method, shape (methods,)."""
    return np.arange(states - 1, states - 1 - methods, -1)


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

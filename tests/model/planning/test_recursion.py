"""The recursion finds what enumerating every sequence of attempts finds, whatever is believed and capped."""

from dataclasses import dataclass

import numpy as np
import pytest

from model.planning.recursion import UNBOUNDED, Chances, Counts, Floats, Int64s, Moves, Room, solve, worth_of


@dataclass(frozen=True)
class Drawn:
    """Beliefs drawn at random for every state, the same each time they are asked for."""

    seed: int
    size: int
    methods: int

    @property
    def now(self) -> Floats:
        return self._draw(-1, (0,) * self.methods)

    def over(self, states: Int64s) -> Chances:
        tables = [[self.after(counts, last) for last in range(self.size)] for counts in map(tuple, states.tolist())]
        return Chances(np.array(tables), np.arange(len(states)), np.ones((0, 1, 1)), odds=False)

    def after(self, counts: Counts, last: int) -> Floats:
        return self._draw(last, counts)

    def _draw(self, last: int, counts: Counts) -> Floats:
        return np.random.default_rng([self.seed, last + 1, *counts]).uniform(0.0, 0.7, self.size)


@dataclass(frozen=True)
class Problem:
    moves: Moves
    beliefs: Drawn
    room: Room
    most: int


def drawn(seed: int) -> Problem:
    """A small problem: one to three methods, at different prices, under random spacing and counters."""
    rng = np.random.default_rng(seed)
    size, methods = int(rng.integers(1, 7)), int(rng.integers(1, 4))
    method = rng.integers(0, methods, size)
    method[-1] = method.max()
    method = np.unique(method, return_inverse=True)[1].astype(np.int64)
    moves = Moves(
        method,
        gain=rng.uniform(10, 100, size) * (rng.random(size) < 0.9),
        approved_cost=rng.uniform(0, 10, size),
        declined_cost=rng.uniform(0, 15, size),
    )
    follows = np.triu(rng.random((size, size)) < 0.85, k=1)
    own = rng.choice([0, 1, 2, UNBOUNDED], size)
    every = rng.choice([0, 1, 2, 3, UNBOUNDED], size, p=[0.05, 0.15, 0.2, 0.2, 0.4])
    return Problem(moves, Drawn(seed, size, moves.methods), Room(follows, own, every), int(rng.integers(0, 5)))


def enumerated(problem: Problem, path: tuple[int, ...] = ()) -> tuple[float, tuple[int, ...]]:
    """(value, path) of the best continuation after a path of declines, by trying every one."""
    moves, room = problem.moves, problem.room
    best: tuple[float, tuple[int, ...]] = (0.0, ())
    if len(path) == problem.most:
        return best
    made = [int(moves.method[i]) for i in path]
    counts = tuple(made.count(m) for m in range(moves.methods))
    chance = problem.beliefs.after(counts, path[-1]) if path else problem.beliefs.now
    for j in range(len(moves)):
        before = made.count(int(moves.method[j]))
        full = path and (before > room.own_left[j] or len(path) > room.all_left[j])
        if path and (not room.follows[path[-1], j] or full):
            continue
        later, then = enumerated(problem, (*path, j))
        p = chance[j]
        value = p * (moves.gain[j] - moves.approved_cost[j]) + (1 - p) * (later - moves.declined_cost[j])
        if value > best[0]:
            best = float(value), (j, *then)
    return best


@pytest.mark.parametrize("block", range(11))
def test_the_plan_is_that_of_enumerating_every_sequence(block: int) -> None:
    longest = 0
    for seed in range(block * 100, block * 100 + 100):
        problem = drawn(seed)
        found = solve(problem.moves, problem.beliefs, problem.room, problem.most)
        value, path = enumerated(problem)
        assert found.value == pytest.approx(value, abs=1e-9), seed
        assert found.path == path, seed
        longest = max(longest, len(path))
    assert longest >= 3


def test_starting_with_any_move_is_valued_with_what_follows_it() -> None:
    problem = drawn(8)
    assert problem.most > 1
    found = solve(problem.moves, problem.beliefs, problem.room, problem.most)
    for j in range(len(problem.moves)):
        later, _ = enumerated(problem, (j,))
        assert found.then[j] == pytest.approx(later, abs=1e-9)
        assert found.worth[j] == pytest.approx(float(problem.moves.worth(problem.beliefs.now, np.array(later))[j]))


@pytest.mark.parametrize("block", range(4))
def test_no_path_is_worth_more_than_the_best_one_and_that_is_worth_what_it_says(block: int) -> None:
    for seed in range(block * 100, block * 100 + 100):
        problem = drawn(seed)
        moves, beliefs, room = problem.moves, problem.beliefs, problem.room
        found = solve(moves, beliefs, room, problem.most)
        assert worth_of(found.path, moves, beliefs) == pytest.approx(found.value, abs=1e-9), seed
        for first in range(len(moves)) if problem.most else ():
            onward, then = enumerated(problem, (first,))
            along = worth_of((first, *then), moves, beliefs)
            assert along == pytest.approx(moves.worth(beliefs.now, np.array(onward))[first], abs=1e-9), seed
            assert along <= found.value + 1e-9, seed


def test_nothing_to_choose_from_is_a_stop() -> None:
    none = np.zeros(0)
    moves = Moves(none.astype(np.int64), none, none, none)
    room = Room(np.zeros((0, 0), dtype=np.bool_), none.astype(np.int64), none.astype(np.int64))
    found = solve(moves, Drawn(0, 0, 0), room, 4)
    assert (found.value, found.path) == (0.0, ())


def test_equals_go_to_the_earlier_move() -> None:
    two = np.array([50.0, 50.0])
    moves = Moves(np.zeros(2, dtype=np.int64), two, np.zeros(2), np.zeros(2))
    room = Room(np.zeros((2, 2), dtype=np.bool_), np.full(2, UNBOUNDED), np.full(2, UNBOUNDED))

    class Even:
        now = np.array([0.5, 0.5])

        def over(self, states: Int64s) -> Chances:
            which = np.zeros(len(states), dtype=np.int64)
            return Chances(np.full((1, 2, 2), 0.5), which, np.ones((0, 1, 1)), odds=False)

    assert solve(moves, Even(), room, 2).path == (0,)

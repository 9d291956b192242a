"""Compile the loops of scoring and planning and keep them on disk for every start: `python -m model.forest.warm`."""

import numpy as np

from model.forest.attribution import Attribution
from model.forest.flat import flatten
from model.forest.kernels import add_up, as_arrays
from model.forest.trees import Missing, Tree
from model.planning.beliefs import Exact
from model.planning.kernels import fill_in
from model.planning.recursion import UNBOUNDED, Moves, Room, solve


def warm() -> None:
    """Score and explain one row of the smallest forest and plan the smallest plan; takes seconds the first time."""
    tree = Tree((0,), (0.5,), (False,), (False,), (Missing.NAN,), (-1,), (-2,), (0.0, 1.0), (), (1, 1))
    forest, row = flatten([[tree]]), np.zeros((1, 1), dtype=np.float32)
    add_up(row, *as_arrays(forest))
    Attribution(forest, 1)(row)
    moves = Moves(np.zeros(2, dtype=np.int64), np.ones(2), np.zeros(2), np.zeros(2))
    unbounded = np.full(2, UNBOUNDED, dtype=np.int64)
    room = Room(np.triu(np.ones((2, 2), dtype=np.bool_), k=1), unbounded, unbounded)
    none, one = np.zeros((0, 0)), np.ones(1)
    fill_in(none, none, none, one[:0], np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int64), one[:0],
            np.zeros(0, dtype=np.int64), 0)  # fmt: skip
    solve(moves, Exact(np.zeros(2), (np.zeros((2, 2)),)), room, 2)


if __name__ == "__main__":
    warm()

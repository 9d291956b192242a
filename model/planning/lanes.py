"""The moves of a plan by route, and the gaps between the instants at which they start."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.instants import MICROS_PER_HOUR
from model.planning.shortlist import Shortlist

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lanes:
    """Moves side by side.

    Args:
        gap: log(1 + hours) from any instant at which moves start to any other, 0 backwards, shape (instants, instants).
        instant: At which of them each move starts, shape (n,).
        places: The moves of one route after another, each in order of time, shape (n,).
        begins: Where each route's begin among the places, and the end, shape (routes + 1,).
    """

    gap: Floats
    instant: Int64s
    places: Int64s
    begins: Int64s

    @classmethod
    def of(cls, moves: Shortlist) -> "Lanes":
        """The lanes of some moves, which are in order of time."""
        fresh = np.ones(len(moves), dtype=np.bool_)
        np.not_equal(moves.start[1:], moves.start[:-1], out=fresh[1:])
        instants = moves.start[fresh]
        ahead = np.maximum(instants[None, :] - instants[:, None], 0)
        sizes = np.bincount(moves.route)
        begins = np.zeros(sizes.size + 1, dtype=np.int64)
        np.cumsum(sizes, out=begins[1:])
        places = np.argsort(moves.route, kind="stable")
        return cls(np.log1p(ahead / MICROS_PER_HOUR), np.cumsum(fresh) - 1, places, begins)

    def __len__(self) -> int:
        """How many routes there are."""
        return int(self.begins.size) - 1

    def of_route(self, route: int) -> Int64s:
        """The moves of a route in order of time."""
        theirs: Int64s = self.places[self.begins[route] : self.begins[route + 1]]
        return theirs

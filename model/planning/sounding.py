"""Asks the scorer about declines that have not happened, in few batches, and fills in between the answers.

The belief after a decline is the scorer's own answer in an imagined context (`imagined.py`). How the log-odds of every
move change by a decline of every other is asked for:

- one method and few moves: every pair of (declined last, next), for every number of declines. Nothing is filled in.
- else: at some moves declined last and some moves next, for every pair of routes. In between the change is
  interpolated linearly in the time of the decline and in the logarithm of the gap. What more declines, of the same
  method and of others, change is asked at two points for every pair of methods, and added. After the moves of the plan
  that comes of it every move is then asked about, and again after those of the next plan, until it stands, promises
  hardly more than the one before, or was asked about thrice.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from features.proposed import Proposed
from features.supposed import Supposed
from model.planning.beliefs import MORE_DECLINES, Exact, Interpolated
from model.planning.further import Series, steps
from model.planning.imagined import Imagining
from model.planning.lanes import Lanes
from model.planning.shortlist import Shortlist

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

EXACT_ROWS = 2_600
"""Up to so many imagined retries of one method nothing is interpolated."""
FEWEST_ROWS = 300
"""Interpolation begins with at least so many, and with half as many as were proposed."""

_FEWEST, _MOST = 3, 12  # points a route, in either direction
_FURTHER = 4  # moves of each route, after more declines


@dataclass(frozen=True, slots=True)
class Question:
    """One imagined context.

    Args:
        declined: Moves that were declined, in order of time; the last one is what the answer is filed under.
        next_: Moves to score then, shape (q,).
    """

    declined: tuple[int, ...]
    next_: Int64s


Answered = tuple[Question, Floats]
"""A question with the cautious log-odds of the moves it asks about."""


class Sounding:
    """What to ask about one payment, and the beliefs made of the answers.

    Args:
        imagining: Makes the declines that have not happened.
        retries: The moves.
        moves: The same as numbers.
        proposed: How many retries were scored before; bounds what is asked.
        most: Most attempts of the plan.
    """

    def __init__(self, imagining: Imagining, retries: Proposed, moves: Shortlist, *, proposed: int, most: int) -> None:
        self._retries, self._moves, self._most = retries, moves, most
        pairs = len(moves) * (len(moves) - 1) // 2
        self._methods = int(moves.method.max(initial=-1)) + 1
        self.exact = self._methods == 1 and pairs * (most - 1) <= EXACT_ROWS
        self._supposing = imagining.supposing(retries)
        self._told: dict[int, Answered] = {}
        self._odds = np.zeros((0, 0))
        self._stepped: tuple[Sequence[Floats], Floats] | None = None
        self._series: list[Series] = []
        self.first: tuple[Question, ...] = ()
        self.more: tuple[Question, ...] = ()
        if most >= 2 and len(moves) >= 2:
            if self.exact:
                self.first = tuple(q for k in range(1, most) for q in self._every_state(k))
            else:
                self._lanes = Lanes.of(moves)
                self.first = self._points(max(proposed // 2, FEWEST_ROWS))
                self.more = tuple(self._further())

    def supposed(self, questions: Sequence[Question]) -> Supposed:
        """What some questions suppose and ask."""
        nothing = np.empty(0, dtype=np.int64)
        asked = np.concatenate([nothing, *(question.next_ for question in questions)])
        sizes = [question.next_.size for question in questions]
        return Supposed(self._supposing, [question.declined for question in questions], asked, sizes)

    def closer(self, path: Sequence[int], answered: Sequence[Answered]) -> tuple[Question, ...]:
        """What to ask so that nothing is filled in after the moves of a path: every later move after each of them.

        A plan chosen over filled-in chances sits where they are too high, so it is asked about until it stands.
        """
        if self.exact or not self.first:
            return ()
        known = {
            question.declined for question, _ in answered if question.next_.size == self._later(question.declined[0])
        }
        moves = [move for move in path[: self._most - 1] if (move,) not in known and self._later(move)]
        return tuple(Question((move,), np.arange(move + 1, len(self._moves))) for move in dict.fromkeys(moves))

    def beliefs(self, logit: Floats, answered: Sequence[Answered], more: Sequence[Floats]) -> Exact | Interpolated:
        """The beliefs, given the moves' log-odds now, shape (n,), and those of the questions.

        Args:
            answered: The first questions, and any closer ones after them.
            more: Answers to `self.more`.
        """
        if self.exact or not self.first:
            return Exact(logit, self._tables(logit, answered))
        if self._stepped is None or self._stepped[0] is not more:
            self._stepped = more, steps(self._series, more, self._methods)
        return Interpolated(logit, self._moves.method, self._filled_in(logit, answered), self._stepped[1])

    def _later(self, move: int) -> int:
        return len(self._moves) - 1 - move

    # --- exact --------------------------------------------------------------------------------------------------------

    def _every_state(self, declines: int) -> list[Question]:
        size = len(self._moves)
        return [
            Question(_spread_before(range(last), last, declines), np.arange(last + 1, size))
            for last in range(declines - 1, size - 1)
        ]

    def _tables(self, logit: Floats, answered: Sequence[Answered]) -> tuple[Floats, ...]:
        size = len(self._moves)
        tables = [np.tile(logit, (size, 1)) for _ in range(max(self._most - 1, 1))]
        for question, answer in answered:
            tables[len(question.declined) - 1][question.declined[-1], question.next_] = answer
        return tuple(tables)

    # --- interpolated -------------------------------------------------------------------------------------------------

    def _points(self, rows: int) -> tuple[Question, ...]:
        lanes = self._lanes
        points = int(np.clip(np.sqrt(rows) / len(lanes), _FEWEST, _MOST))
        each = [lanes.of_route(r) for r in range(len(lanes))]
        lasts = np.concatenate([theirs[_spaced(theirs.size, points)] for theirs in each])
        asked = zip(lasts.tolist(), self._by_gap(lasts, points), strict=True)
        return tuple(Question((last,), next_) for last, next_ in asked if next_.size)

    def _further(self) -> list[Question]:
        """For two moves of each method: declined alone, after more declines of its own, and after one of another's."""
        mains = [self._main(m) for m in range(self._methods)]
        lasts = [(m, at) for m, own in enumerate(mains) for at in {own[len(own) // 3]: 0, own[len(own) * 2 // 3]: 0}]
        found: list[Question] = []
        asked = self._by_gap(np.array([last for _, last in lasts], dtype=np.int64), _FURTHER)
        for (m, last), next_ in zip(lasts, asked, strict=True):
            if next_.size:
                questions, series = self._one_series(mains, m, last, next_)
                found += questions
                self._series.append(series)
        return found

    def _one_series(
        self, mains: Sequence[Sequence[int]], method: int, last: int, next_: Int64s
    ) -> tuple[list[Question], Series]:
        before = [own[: bisect_left(own, last)] for own in mains]
        declines = range(1, min(self._most - 1, MORE_DECLINES + 1, len(before[method]) + 1) + 1)
        declined = [_spread_before(before[method], last, k) for k in declines]
        told = [(method if len(path) > 1 else 0, len(path) - 1) for path in declined]
        for other, theirs in enumerate(before):
            if other != method and self._most > 2 and theirs:
                declined.append((theirs[len(theirs) // 2], last))
                told.append((other, 1))
        return [Question(path, next_) for path in declined], Series(method, tuple(told), self._moves.method[next_])

    def _main(self, method: int) -> list[int]:
        """The moves of the route that a method is listed with first."""
        first = int(np.argmax(self._moves.method == method))
        found: list[int] = self._lanes.of_route(int(self._moves.route[first])).tolist()
        return found

    def _by_gap(self, lasts: Int64s, points: int) -> list[Int64s]:
        """After each of some moves, so many later ones of every route, evenly spaced in the logarithm of their gap."""
        from model.planning.probing import by_gap  # loads the compiler, which whoever starts workers does without

        lanes = self._lanes
        ends, found = by_gap(lasts, points, lanes.gap, lanes.instant, lanes.places, lanes.begins)
        return [found[begin:end] for begin, end in pairwise(ends.tolist())]

    def _filled_in(self, logit: Floats, answered: Sequence[Answered]) -> Floats:
        """The odds after a decline of each move for each later one; anew only where more is known around the move."""
        from model.planning.probing import between, fill_in

        lanes, route = self._lanes, self._moves.route
        latest = {pair[0].declined[0]: pair for pair in answered}
        lasts = np.array(sorted(latest), dtype=np.int64)
        told = [latest[last] for last in lasts.tolist()]
        fresh = np.array([self._told.get(pair[0].declined[0]) is not pair for pair in told], dtype=np.bool_)
        lower, upper, weight = between(lasts, self._moves.start, lanes.places, lanes.begins, route)
        rows = np.flatnonzero((lower >= 0) & (fresh[lower] | fresh[upper]))
        next_ = np.concatenate([question.next_ for question, _ in told])
        ends = np.cumsum([0, *(question.next_.size for question, _ in told)], dtype=np.int64)
        answer = np.concatenate([answer for _, answer in told]) - logit[next_]
        change = fill_in(
            rows, lower, upper, weight, lasts, ends, next_, answer,
            lanes.gap, lanes.instant, lanes.places, lanes.begins, route,
        )  # fmt: skip
        odds = self._odds.copy() if self._told else np.tile(np.exp(logit), (len(self._moves), 1))
        change += logit
        odds[rows] = np.exp(change, out=change)
        self._told, self._odds = latest, odds
        return odds


@lru_cache(maxsize=4_096)
def _spaced(size: int, points: int) -> Int64s:
    """So many of `size` places, closer together at the beginning."""
    share = np.linspace(0.0, 1.0, points) ** 1.5
    return np.unique(np.round(share * (size - 1)).astype(np.int64))


def _spread_before(before: Sequence[int], last: int, declines: int) -> tuple[int, ...]:
    """So many moves up to `last`, evenly spread over those before it."""
    chosen = [before[len(before) * k // (declines - 1)] for k in range(declines - 1)] if declines > 1 else []
    return (*dict.fromkeys(chosen), last)

"""Asks the scorer about declines that have not happened, in few batches, and fills in between the answers.

The belief after a decline is the scorer's own answer in an imagined context (`imagined.py`). How the log-odds of every
move change by a decline of every other is asked for:

- one method and few moves: every pair of (declined last, next), for every number of declines. Nothing is filled in.
- else: at some moves declined last and some moves next, for every pair of routes. In between the change is
  interpolated linearly in the time of the decline and in the logarithm of the gap. What more declines, of the same
  method and of others, change is asked at two points for every pair of methods, and added. After the moves of the plan
  that comes of it every move is then asked about, and again after those of the next plan, until it stands or thrice.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from operator import is_not

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import MICROS_PER_HOUR
from features.table import Asked
from model.planning.beliefs import MORE_DECLINES, Exact, Interpolated
from model.planning.imagined import Imagining
from model.planning.shortlist import Shortlist

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]

EXACT_ROWS = 2_600
"""Up to so many imagined retries of one method nothing is interpolated."""
FEWEST_ROWS = 300
"""Interpolation begins with at least so many, and with half as many as were proposed."""

_FEWEST, _MOST = 3, 12  # points a route, in either direction


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
        retries: The moves.
        moves: The same as numbers.
        proposed: How many retries were scored before; bounds what is asked.
        most: Most attempts of the plan.
    """

    def __init__(
        self, context: Context, retries: Sequence[Retry], moves: Shortlist, *, proposed: int, most: int
    ) -> None:
        self._retries, self._moves, self._most = retries, moves, most
        pairs = len(moves) * (len(moves) - 1) // 2
        one = len(np.unique(moves.method)) == 1
        self.exact = one and pairs * (most - 1) <= EXACT_ROWS
        self._routes = [np.flatnonzero(moves.route == r) for r in np.unique(moves.route)]
        self._imagining = Imagining(context)
        self._filled: dict[int, tuple[list[Answered], Floats]] = {}
        self._stepped: tuple[Sequence[Floats], Floats] | None = None
        self._gap = np.log1p(np.maximum(moves.start[None, :] - moves.start[:, None], 0) / MICROS_PER_HOUR)
        self.first: tuple[Question, ...] = ()
        self.more: tuple[Question, ...] = ()
        if most >= 2 and len(moves) >= 2:
            if self.exact:
                self.first = tuple(q for k in range(1, most) for q in self._every_state(k))
            else:
                self.first = tuple(self._points(max(proposed // 2, FEWEST_ROWS)))
                self.more = tuple(self._further())

    def asked(self, questions: Sequence[Question]) -> list[Asked]:
        """The contexts and retries to score for some questions."""
        found: list[Asked] = []
        for question in questions:
            imagined = self._imagining.after([self._retries[i] for i in question.declined])
            found.append((imagined, [self._retries[j] for j in question.next_.tolist()]))
        return found

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
            self._stepped = more, self._steps(more)
        return Interpolated(logit, self._moves.method, self._change(logit, answered), self._stepped[1])

    def _later(self, move: int) -> int:
        return len(self._moves) - 1 - move

    # --- exact --------------------------------------------------------------------------------------------------------

    def _every_state(self, declines: int) -> list[Question]:
        size = len(self._moves)
        return [
            Question(self._spread_before(last, declines), np.arange(last + 1, size))
            for last in range(declines - 1, size - 1)
        ]

    def _spread_before(self, last: int, declines: int, among: Int64s | None = None) -> tuple[int, ...]:
        """So many moves up to `last`, evenly spread over those before it."""
        before = np.arange(last) if among is None else among[among < last]
        chosen = [int(before[before.size * k // (declines - 1)]) for k in range(declines - 1)] if declines > 1 else []
        return (*dict.fromkeys(chosen), last)

    def _tables(self, logit: Floats, answered: Sequence[Answered]) -> tuple[Floats, ...]:
        size = len(self._moves)
        tables = [np.tile(logit, (size, 1)) for _ in range(max(self._most - 1, 1))]
        for question, answer in answered:
            tables[len(question.declined) - 1][question.declined[-1], question.next_] = answer
        return tuple(tables)

    # --- interpolated -------------------------------------------------------------------------------------------------

    def _points(self, rows: int) -> list[Question]:
        routes = self._routes
        points = int(np.clip(np.sqrt(rows) / len(routes), _FEWEST, _MOST))
        found = []
        for theirs in routes:
            for last in _spaced(theirs, points):
                after = [_by_gap(then[then > last], self._gap[last], points) for then in routes]
                next_ = np.sort(np.concatenate(after))
                if next_.size:
                    found.append(Question((last,), next_))
        return found

    def _further(self) -> list[Question]:
        """For two moves of each method: declined alone, after more declines of its own, and after one of another's."""
        method, routes = self._moves.method, self._routes
        mains = [self._main(m) for m in range(int(method.max()) + 1)]
        found = []
        for m, theirs in enumerate(mains):
            for last in dict.fromkeys((int(theirs[theirs.size // 3]), int(theirs[theirs.size * 2 // 3]))):
                next_ = np.sort(np.concatenate([_by_gap(r[r > last], self._gap[last], 4) for r in routes]))
                if next_.size:
                    declines = range(1, min(self._most - 1, MORE_DECLINES + 1, int((theirs < last).sum()) + 1) + 1)
                    found += [Question(self._spread_before(last, k, theirs), next_) for k in declines]
                    others = [other[other < last] for o, other in enumerate(mains) if o != m and self._most > 2]
                    found += [Question((int(o[o.size // 2]), last), next_) for o in others if o.size]
        return found

    def _main(self, method: int) -> Int64s:
        """The moves of the route that a method is listed with first."""
        theirs = np.flatnonzero(self._moves.method == method)
        main: Int64s = theirs[self._moves.route[theirs] == self._moves.route[theirs[0]]]
        return main

    def _change(self, logit: Floats, answered: Sequence[Answered]) -> Floats:
        size = len(self._moves)
        latest = {pair[0].declined: pair for pair in answered}
        of_route: list[list[Answered]] = [[] for _ in self._routes]
        for key in sorted(latest):
            of_route[self._moves.route[key[-1]]].append(latest[key])
        change = np.zeros((size, size))
        for r, points in enumerate(of_route):
            if points:
                change[self._routes[r]] = self._of_route(logit, r, points)
        return change

    def _of_route(self, logit: Floats, r: int, points: list[Answered]) -> Floats:
        """The changes by declines of one route, shape (moves of the route, n); anew only where more is known of it."""
        before = self._filled.get(r)
        if before is None or len(before[0]) != len(points) or any(map(is_not, before[0], points)):
            told = [(question, answer - logit[question.next_]) for question, answer in points]
            before = self._filled[r] = points, self._fill(self._routes[r], told)
        return before[1]

    def _fill(self, theirs: Int64s, points: Sequence[Answered]) -> Floats:
        """The changes by declines of some moves, between the points at which they were asked."""
        from model.planning.kernels import fill_in  # loads the compiler, which whoever starts workers does without

        start, change = self._moves.start, np.zeros((theirs.size, len(self._moves)))
        at = np.array([question.declined[-1] for question, _ in points])
        upper = np.clip(np.searchsorted(start[at], start[theirs], side="left"), 0, len(at) - 1)
        lower = np.maximum(upper - (start[at][upper] > start[theirs]), 0)
        width = np.maximum(start[at][upper] - start[at][lower], 1)
        weight = np.clip((start[theirs] - start[at][lower]) / width, 0.0, 1.0)
        point = np.arange(len(at))[:, None]
        share = np.where(lower == point, 1.0 - weight, 0.0) + np.where(upper == point, weight, 0.0)
        share = np.where((lower == point) & (upper == point), 1.0, share)
        next_ = np.concatenate([question.next_ for question, _ in points])
        sizes = [question.next_.size for question, _ in points]
        fill_in(
            change,
            share,
            self._gap[theirs],
            self._gap[np.repeat(at, sizes), next_],
            np.cumsum([0, *sizes], dtype=np.int64),
            next_,
            np.concatenate([answer for _, answer in points]),
            self._moves.route,
            len(self._routes),
        )
        return change

    def _steps(self, answers: Sequence[Floats]) -> Floats:
        """Mean change by more declines of each method, before the last decline of each, for each."""
        method = self._moves.method
        count = int(method.max()) + 1
        total = np.zeros((count, count, count, MORE_DECLINES + 1))
        seen = np.zeros_like(total)
        alone: dict[int, Floats] = {}
        for question, answer in zip(self.more, answers, strict=True):
            *before, last = question.declined
            if not before:
                alone[last] = answer
                continue
            for t in np.unique(method[question.next_]):
                theirs = method[question.next_] == t
                place = (method[last], method[before[0]], t, len(before))
                total[place] += (answer - alone[last])[theirs].sum()
                seen[place] += theirs.sum()
        steps = np.divide(total, seen, out=np.zeros_like(total), where=seen > 0)
        for k in range(1, MORE_DECLINES + 1):
            # What was not asked changes as it does where the method was declined last too.
            own = np.einsum("mmtk->mtk", steps)
            onward = own[..., max(k - 1, 1)] - own[..., max(k - 2, 0)] if k > 1 else np.zeros((count, count))
            steps[..., k] = np.where(seen[..., k] > 0, steps[..., k], steps[..., k - 1] + onward)
        return steps


def _spaced(places: Int64s, points: int) -> list[int]:
    """So many of the places, closer together at the beginning."""
    share = np.linspace(0.0, 1.0, points) ** 1.5
    return [int(place) for place in places[np.unique(np.round(share * (places.size - 1)).astype(np.int64))]]


def _by_gap(places: Int64s, gap: Floats, points: int) -> Int64s:
    """So many of the places, evenly spaced in the logarithm of their gap."""
    if places.size <= points:
        return places
    gaps = gap[places]
    wanted = np.linspace(gaps[0], gaps[-1], points)
    found = np.minimum(gaps.searchsorted(wanted), places.size - 1)  # rising, as what is wanted
    chosen: Int64s = places[found[np.append(True, found[1:] != found[:-1])]]
    return chosen

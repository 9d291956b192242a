"""What the scorer believes after declines that have not happened, asked in one batch and filled in between.

The belief after a decline is the scorer's own answer in an imagined context (`imagined.py`). How the log-odds of every
move change by a decline of every other is asked for:

- one method and few moves: every pair of (declined last, next), for every number of declines. Nothing is filled in.
- else: at some moves declined last and some moves next, for every pair of routes. In between the change is
  interpolated linearly in the time of the decline and in the logarithm of the gap. What more declines, of the same
  method and of others, change is asked at two points for every pair of methods, and added. After the moves of the plan
  that comes of it every move is then asked about, and again after those of the next plan, until it stands or thrice.

All log-odds are lowered by `caution` standard errors, which are read off the 90 % interval: the best of many uncertain
values disappoints (Smith & Winkler 2006), and so the more uncertain one has to promise more.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.instants import MICROS_PER_HOUR
from features.table import Asked
from model.planning.imagined import after_declines
from model.planning.recursion import Counts
from model.planning.shortlist import Shortlist
from model.scorer import Scores

Floats = NDArray[np.float64]
Int64s = NDArray[np.int64]
Flags = NDArray[np.bool_]

EXACT_ROWS = 2_600
"""Up to so many imagined retries of one method nothing is interpolated."""
FEWEST_ROWS = 300
"""Interpolation begins with at least so many, and with half as many as were proposed."""
MORE_DECLINES = 3
"""Beyond so many more declines of a method another one changes nothing further."""

_FEWEST, _MOST = 3, 12  # points a route, in either direction
_Z90 = 1.6448536269514722


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


@dataclass(frozen=True)
class Exact:
    """Every state was asked for: one method, the log-odds by number of declines.

    Args:
        logit: Before any decline, shape (n,).
        tables: `tables[k - 1][i, j]` after k declines, the last of them i; each of shape (n, n).
    """

    logit: Floats
    tables: tuple[Floats, ...]

    @property
    def now(self) -> Floats:
        """Before anything of the plan was attempted, shape (n,)."""
        return probability(self.logit)

    def after(self, counts: Counts, last: Int64s) -> Floats:
        """Once so many were declined, shape (len(last), n)."""
        return probability(self.tables[min(sum(counts), len(self.tables)) - 1][last])


@dataclass(frozen=True)
class Interpolated:
    """Changes of the log-odds, filled in between what was asked.

    Args:
        logit: Before any decline, shape (n,).
        method: Of each move, shape (n,).
        change: What a decline of i changes for j, shape (n, n).
        more: `more[l, m, t, k]`: if a decline of method l is the last, what k more declines of method m before it
            change for method t, shape (methods, methods, methods, MORE_DECLINES + 1).
    """

    logit: Floats
    method: Int64s
    change: Floats
    more: Floats
    _odds: Floats = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Kept as odds, which more declines multiply, so that no state needs an exponential a pair of moves.
        object.__setattr__(self, "_odds", np.exp(self.logit + self.change))

    @property
    def now(self) -> Floats:
        """Before anything of the plan was attempted, shape (n,)."""
        return probability(self.logit)

    def after(self, counts: Counts, last: Int64s) -> Floats:
        """Once so many were declined, shape (len(last), n)."""
        further = np.zeros((len(counts), len(counts)))
        for theirs in range(len(counts)):
            for other, count in enumerate(counts):
                extra = max(count - (other == theirs), 0)
                further[theirs] += self.more[theirs, other, :, min(extra, MORE_DECLINES)]
        odds: Floats = self._odds[last] * np.exp(further)[self.method[last]][:, self.method]
        odds /= 1.0 + odds
        return odds


def cautious(scores: Scores, caution: float) -> Floats:
    """Log-odds lowered by so many standard errors, shape (n,)."""
    error = (_logit(scores.high) - _logit(scores.low)) / (2.0 * _Z90)
    lowered: Floats = _logit(scores.probability) - caution * error
    return lowered


def probability(logit: Floats) -> Floats:
    """The chance that goes with log-odds, same shape."""
    p: Floats = 1.0 / (1.0 + np.exp(-logit))
    return p


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
        self._context, self._retries, self._moves, self._most = context, retries, moves, most
        pairs = len(moves) * (len(moves) - 1) // 2
        one = len(np.unique(moves.method)) == 1
        self.exact = one and pairs * (most - 1) <= EXACT_ROWS
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
            imagined = after_declines(self._context, [self._retries[i] for i in question.declined])
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
        return Interpolated(logit, self._moves.method, self._change(logit, answered), self._steps(more))

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
        route = self._moves.route
        routes = [np.flatnonzero(route == r) for r in np.unique(route)]
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
        route, method = self._moves.route, self._moves.method
        routes = [np.flatnonzero(route == r) for r in np.unique(route)]
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
        route, size = self._moves.route, len(self._moves)
        latest = {question.declined: (question, answer) for question, answer in answered}
        answered = [latest[key] for key in sorted(latest)]
        change = np.zeros((size, size))
        for r in np.unique(route):
            theirs = np.flatnonzero(route == r)
            points = [(q, answer - logit[q.next_]) for q, answer in answered if route[q.declined[-1]] == r]
            if points:
                self._fill(change, theirs, points)
        return change

    def _fill(self, change: Floats, theirs: Int64s, points: Sequence[Answered]) -> None:
        """The changes by declines of one route, between the points at which they were asked."""
        start = self._moves.start
        at = np.array([question.declined[-1] for question, _ in points])
        upper = np.clip(np.searchsorted(start[at], start[theirs], side="left"), 0, len(at) - 1)
        lower = np.maximum(upper - (start[at][upper] > start[theirs]), 0)
        width = np.maximum(start[at][upper] - start[at][lower], 1)
        weight = np.clip((start[theirs] - start[at][lower]) / width, 0.0, 1.0)
        for r in np.unique(self._moves.route):
            then = np.flatnonzero(self._moves.route == r)
            for k in range(len(at)):
                share = np.where(lower == k, 1.0 - weight, 0.0) + np.where(upper == k, weight, 0.0)
                share = np.where((lower == k) & (upper == k), 1.0, share)
                near = np.flatnonzero(share > 0.0)
                asked = self._moves.route[points[k][0].next_] == r
                if near.size and asked.any():
                    known = points[k][0].next_[asked]
                    gaps = self._gap[at[k], known]
                    rows = theirs[near]
                    filled = np.interp(self._gap[np.ix_(rows, then)], gaps, points[k][1][asked])
                    change[np.ix_(rows, then)] += share[near][:, None] * filled

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
    wanted = np.linspace(gap[places[0]], gap[places[-1]], points)
    found = np.clip(np.searchsorted(gap[places], wanted), 0, places.size - 1)
    chosen: Int64s = places[np.unique(found)]
    return chosen


def _logit(p: Floats) -> Floats:
    logit: Floats = np.log(p) - np.log1p(-p)
    return logit

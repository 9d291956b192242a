"""The best contingent plan: which retry now, and which after every further decline, to the horizon.

    V(x) = max(0 [stop], max over retries a of  p(a | x) · gain(a) + (1 − p(a | x)) · V(x + decline of a) − cost(a))

Stopping, waiting, another method and another processor are all moves. `planning/recursion.py` solves it, over the moves
of `planning/shortlist.py`, with the scorer's beliefs after imagined declines (`planning/sounding.py`) and what the
limits leave (`planning/room.py`). A greedy choice with the same scorer is worse than a fixed schedule from three
retries on, because it spends the first attempt on the latest good day; the plan keeps attempts for it. The plan is made
anew at every event, so that nothing of it needs to be stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.action import Retry
from features.context import Context
from features.money import Money
from features.proposed import Proposed
from model.caps.rulebook import Rulebook
from model.caps.verdict import Verdict
from model.economics import Economics
from model.limits import Limits
from model.planning.beliefs import cautious, probability
from model.planning.recursion import Beliefs, Moves, Room, Solution, path_from, solve, worth_of
from model.planning.referee import Referee
from model.planning.room import room
from model.planning.shortlist import Shortlist, shortlist
from model.planning.sounding import Answered, Question, Sounding
from model.record import NOTHING, Record
from model.scorer import Scorer, Scores, score_supposed
from model.valuation import Values, values

Floats = NDArray[np.float64]

POLICY = "plan"

ATTEMPTS_BY_METHODS = {1: 12, 2: 8, 3: 5}
"""How many attempts a plan looks ahead; so many keep the states few. It is made anew after each."""
CLOSER_LOOKS = 3
"""How often a plan that rests on interpolated chances is asked about before it is taken."""
HARDLY_MORE = 3e-4
"""A plan stands that promises at most this share more than the one before it does, all of whose chances are answers."""
_TRIES = 5  # plans made until one breaks no limit; then the plan ends before its first breach


@dataclass(frozen=True, slots=True)
class Options:
    """What may be done: the retries every rule allows, each with its chance and what its rules leave.

    Args:
        retries: In order of time.
        scores: P(approved) of each.
        verdicts: Of each, every rule that applies, with used and limit.
    """

    retries: Sequence[Retry]
    scores: Scores
    verdicts: Sequence[tuple[Verdict, ...]]


@dataclass(frozen=True, slots=True)
class Case:
    """One payment to plan for.

    Args:
        most: Most attempts the plan may hold.
        record: What is on record beyond the context.
        limits: What is known already of the rules about it.
    """

    context: Context
    options: Options
    most: int
    record: Record = NOTHING
    limits: Limits | None = None

    def limits_by(self, rulebook: Rulebook) -> Limits:
        """What some rules say about it; what is known already where they are the same."""
        if self.limits is not None and self.limits.rulebook is rulebook:
            return self.limits
        return Limits(self.context, rulebook, self.record)


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan and what it was chosen from.

    Args:
        path: Positions of the options planned, in order; empty when no option pays.
        values: What each option is worth by itself, with the chance as reported.
        worth: What starting with each option and going on as best is worth, cautiously, minor units, shape (n,).
        then: What is left for later after a decline of each, in the same terms, shape (n,).
    """

    path: tuple[int, ...]
    values: Values
    worth: Floats
    then: Floats

    @property
    def first(self) -> int | None:
        """Position of the option the plan starts with, or None when no option pays."""
        return self.path[0] if self.path else None

    @property
    def value(self) -> Money:
        """What the plan is worth, cautiously; nothing when no option pays."""
        return Money(0 if self.first is None else round(float(self.worth[self.first])), self.values.currency)


def plan(case: Case, scorer: Scorer, rulebook: Rulebook, economics: Economics) -> Planned:
    """The best plan for one payment; ties go to the earlier slot, then to the method listed first."""
    return plan_many([case], scorer, rulebook, economics)[0]


def plan_many(cases: Sequence[Case], scorer: Scorer, rulebook: Rulebook, economics: Economics) -> tuple[Planned, ...]:
    """The same for many payments, with one call of the scorer for all that has to be imagined.

    Raises:
        InvalidValueError: A fee is in a currency without a rate to a payment's.
    """
    begun = [_Begun.of(case, rulebook, economics) for case in cases]
    firsts = _answers(scorer, economics, [(one.sounding, (*one.sounding.first, *one.sounding.more)) for one in begun])
    drafts = [one.draft(answers) for one, answers in zip(begun, firsts, strict=True)]
    for _ in range(CLOSER_LOOKS):
        questions = [draft.closer() for draft in drafts]
        if not any(questions):
            break
        asked = [(draft.sounding, closer) for draft, closer in zip(drafts, questions, strict=True)]
        answers = _answers(scorer, economics, asked)
        drafts = [draft.sharper(found) for draft, found in zip(drafts, answers, strict=True)]
    return tuple(draft.planned() for draft in drafts)


def _answers(
    scorer: Scorer, economics: Economics, asked: Sequence[tuple[Sounding, Sequence[Question]]]
) -> list[list[Answered]]:
    """Every question with its answer, for each sounding; one call of the scorer for all."""
    scores = score_supposed(scorer, [sounding.supposed(questions) for sounding, questions in asked])
    lowered, found, end = cautious(scores, economics.caution), [], 0
    for _, questions in asked:
        answered: list[Answered] = []
        for question in questions:
            begin, end = end, end + question.next_.size
            answered.append((question, lowered[begin:end]))
        found.append(answered)
    return found


@dataclass(frozen=True)
class _Begun:
    """A case with its moves, before what has to be imagined is scored."""

    case: Case
    values: Values
    logit: Floats
    listed: Shortlist
    sounding: Sounding
    room: Room
    referee: Referee

    @classmethod
    def of(cls, case: Case, rulebook: Rulebook, economics: Economics) -> "_Begun":
        context, options = case.context, case.options
        value = values(context, options.retries, options.scores.probability, economics)
        logit = cautious(options.scores, economics.caution)
        listed = shortlist(context, options.retries, probability(logit), _net(value, probability(logit)))
        kept = Proposed.of(options.retries).take(listed.kept)
        most = min(case.most, _lookahead(listed))
        referee = Referee(case.limits_by(rulebook))
        sounding = Sounding(referee.imagining, kept, listed, proposed=len(options.retries), most=most)
        case = replace(case, most=most)
        return cls(case, value, logit, listed, sounding, room(referee, kept, listed, most), referee)

    def draft(self, answers: Sequence[Answered]) -> "Draft":
        """The draft, given the answers to everything asked at first."""
        value, kept = self.values, self.listed.kept
        moves = Moves(self.listed.method, value.gain[kept], value.approved_cost[kept], value.declined_cost[kept])
        first = len(self.sounding.first)
        more = tuple(answer for _, answer in answers[first:])
        return Draft(
            self.case, value, self.logit, self.listed, self.room, self.referee, moves, self.sounding,
            tuple(answers[:first]), more,
        )  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """Everything a plan of one payment is made of.

    Args:
        logit: Cautious log-odds of every option now, shape (n,).
        listed: Which options are planned with.
        room: What the limits leave.
        referee: The rules, to hold a finished path against.
        answered, more: What the scorer said of declines that have not happened.
        like: What was best when less of that was known.
    """

    case: Case
    values: Values
    logit: Floats
    listed: Shortlist
    room: Room
    referee: Referee
    moves: Moves
    sounding: Sounding
    answered: tuple[Answered, ...]
    more: tuple[Floats, ...]
    like: Solution | None = None
    beliefs: Beliefs = field(init=False)

    def __post_init__(self) -> None:
        beliefs = self.sounding.beliefs(self.logit[self.listed.kept], self.answered, self.more)
        object.__setattr__(self, "beliefs", beliefs)

    def closer(self) -> tuple[Question, ...]:
        """What to ask about the plan; nothing once it rests on answers, or promises hardly more than one that does."""
        if self.sounding.exact or not self.sounding.first:
            return ()
        questions = self.sounding.closer(self._solution.path, self.answered)
        return () if questions and self._stands() else questions

    def _stands(self) -> bool:
        if self.like is None:
            return False
        promised = self._solution.value
        return promised - worth_of(self.like.path, self.moves, self.beliefs) <= HARDLY_MORE * promised

    @cached_property
    def _solution(self) -> Solution:
        return solve(self.moves, self.beliefs, self.room, self.case.most, self.like)

    def sharper(self, answers: Sequence[Answered]) -> "Draft":
        """The same draft knowing more."""
        return replace(self, answered=(*self.answered, *answers), like=self._solution) if answers else self

    def planned(self) -> Planned:
        """The best plan."""
        return self._unbroken(self.room, _TRIES)

    def _unbroken(self, room: Room, tries: int) -> Planned:
        """The best plan that breaks no limit at any step."""
        solution = self._solution
        if room is not self.room:
            solution = solve(self.moves, self.beliefs, room, self.case.most, solution)
        then, worth = self._valued(solution)
        path = self._path(solution, worth)
        breach = self.referee.first_breach([self.case.options.retries[i] for i in path])
        if breach is None or tries == 1:
            return Planned(path[:breach], self.values, worth, then)
        last, next_ = (int(self.listed.stand_in[i]) for i in path[breach - 1 : breach + 1])
        follows = room.follows.copy()
        follows[last, next_] = False
        return self._unbroken(replace(room, follows=follows), tries - 1)

    def _valued(self, solution: Solution) -> tuple[Floats, Floats]:
        """(what a decline leaves, plan value) of every option, also of those that a stand-in was planned for."""
        if self.case.most < 1 or not len(self.logit):
            return np.zeros(self.logit.shape), np.full(self.logit.shape, -np.inf)
        place, p, value = self.listed.stand_in, probability(self.logit), self.values
        then = np.where(place >= 0, solution.then[place], 0.0)
        return then, p * (value.gain - value.approved_cost) + (1.0 - p) * (then - value.declined_cost)

    def _path(self, solution: Solution, worth: Floats) -> tuple[int, ...]:
        first = int(np.argmax(worth)) if worth.size else -1
        if first < 0 or not worth[first] > 0.0:
            return ()
        place = int(self.listed.stand_in[first])
        if place < 0:
            return (first,)
        later = path_from(self.moves, place, solution.following)[1:]
        return (first, *(int(self.listed.kept[move]) for move in later))


def _net(value: Values, p: Floats) -> Floats:
    net: Floats = p * (value.gain - value.approved_cost) - (1.0 - p) * value.declined_cost
    return net


def _lookahead(listed: Shortlist) -> int:
    methods = len(np.unique(listed.method))
    return ATTEMPTS_BY_METHODS.get(methods, min(ATTEMPTS_BY_METHODS.values()))

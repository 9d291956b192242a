"""Beliefs after imagined declines: the scorer's own where every state is asked, and close to them where not."""

import numpy as np

from context_builders import card, context, failed
from features.proposed import Proposed
from model.economics import Economics
from model.planner import Case
from model.planning.beliefs import Exact, Interpolated, cautious, probability
from model.planning.imagined import Imagining
from model.planning.recursion import Floats, Int64s
from model.planning.shortlist import Shortlist, shortlist
from model.planning.sounding import Question, Sounding
from model.prior import PriorScorer
from model.scorer import Scores, score_supposed
from model.valuation import values
from planning_builders import case_of, daily

ECONOMICS = Economics.default()


def listed_of(case: Case) -> Shortlist:
    chance = probability(cautious(case.options.scores, 0.0))
    net = values(case.context, case.options.retries, chance, ECONOMICS).net
    return shortlist(case.context, case.options.retries, chance, net)


def asking(case: Case) -> Sounding:
    listed, retries = listed_of(case), case.options.retries
    kept = Proposed.of(retries[i] for i in listed.kept.tolist())
    return Sounding(Imagining(case.context), kept, listed, proposed=len(retries), most=case.most)


def sounded(case: Case) -> tuple[Sounding, Exact | Interpolated, list[int]]:
    scorer, sounding = PriorScorer(), asking(case)
    logit, kept = cautious(case.options.scores, 0.0), listed_of(case).kept.tolist()
    first, more = (
        np.split(
            cautious(score_supposed(scorer, [sounding.supposed(questions)]), 0.0),
            np.cumsum([question.next_.size for question in questions])[:-1],
        )
        for questions in (sounding.first, sounding.more)
    )
    answered = list(zip(sounding.first, first, strict=True))
    return sounding, sounding.beliefs(logit[kept], answered, more), kept


def _after(beliefs: Exact | Interpolated, counts: tuple[int, ...], last: int, method: Int64s) -> Floats:
    return beliefs.over(np.array([counts])).after(0, last, method)


def test_of_one_method_and_few_moves_every_state_is_the_scorer_s_own() -> None:
    case = case_of(daily(12, 1), PriorScorer(), 4)
    sounding, beliefs, kept = sounded(case)
    assert sounding.exact
    retries = [case.options.retries[i] for i in kept]
    np.testing.assert_allclose(beliefs.now, case.options.scores.probability[kept])
    for path in ((0,), (4,), (0, 5), (1, 2, 6)):
        imagined = Imagining(case.context).after([retries[i] for i in path])
        asked = PriorScorer().score(imagined, retries[path[-1] + 1 :]).probability
        believed = _after(beliefs, (len(path),), path[-1], np.zeros(len(kept), dtype=np.int64))[path[-1] + 1 :]
        np.testing.assert_allclose(believed, asked, rtol=1e-12)


def test_between_points_the_belief_is_close_to_the_scorer_s() -> None:
    case = case_of(daily(40, 2, ("north", "south")), PriorScorer(), 4)
    sounding, beliefs, kept = sounded(case)
    assert not sounding.exact
    retries = [case.options.retries[i] for i in kept]
    errors = []
    for path in ((0,), (9,), (22,), (47,), (2, 31), (5, 6)):
        imagined = Imagining(case.context).after([retries[i] for i in path])
        later = [j for j in range(path[-1] + 1, len(kept)) if retries[j].slot.start > retries[path[-1]].slot.start]
        asked = PriorScorer().score(imagined, [retries[j] for j in later]).probability
        moves = [retry.method_id for retry in retries]
        order = list(dict.fromkeys(moves))
        method = np.array([order.index(name) for name in moves])
        counts = tuple(sum(moves[i] == name for i in path) for name in order)
        errors.append(np.abs(_after(beliefs, counts, path[-1], method)[later] - asked))
    assert np.mean(np.concatenate(errors)) < 0.02


def test_what_is_told_later_gives_the_beliefs_that_telling_all_at_once_gives() -> None:
    case = case_of(daily(40, 2, ("north", "south")), PriorScorer(), 4)
    random = np.random.default_rng(3)
    sounding, told_at_once = asking(case), asking(case)
    logit = random.normal(-1.0, 0.5, sounding.supposed(()).by.moves.start.size)

    def told(questions: tuple[Question, ...]) -> list[tuple[Question, Floats]]:
        return [(question, random.normal(-1.0, 0.5, question.next_.size)) for question in questions]

    answered, more = told(sounding.first), [answer for _, answer in told(sounding.more)]
    sounding.beliefs(logit, answered, more)
    for path in ((2, 31, 50), (31, 33), (7, 8, 70)):
        answered = [*answered, *told(sounding.closer(path, answered))]
        ours, theirs = (one.beliefs(logit, answered, more) for one in (sounding, told_at_once))
        assert isinstance(ours, Interpolated)
        assert isinstance(theirs, Interpolated)
        np.testing.assert_array_equal(ours.odds, theirs.odds)
        told_at_once = asking(case)


def test_what_is_asked_is_bounded_by_what_was_proposed() -> None:
    failure = context([card(f"card_{i}", processors=("a", "b")) for i in range(3)], [failed(card("card_0"))], days=60)
    case = case_of(failure, PriorScorer(), 5)
    sounding, _, _ = sounded(case)
    asked = sounding.supposed((*sounding.first, *sounding.more)).asked.size
    assert len(case.options.retries) > 1_600
    assert asked < 1.5 * len(case.options.retries)


def test_caution_lowers_the_log_odds_by_standard_errors() -> None:
    p, low, high = np.array([0.5]), np.array([0.25]), np.array([0.75])
    scores = Scores(p, low, high, "test", "model")
    error = 2 * np.log(3.0) / (2 * 1.6448536269514722)
    np.testing.assert_allclose(cautious(scores, 0.5), -0.5 * error)
    np.testing.assert_allclose(cautious(scores, 0.0), 0.0)

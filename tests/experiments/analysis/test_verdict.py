"""The verdict on every combination of evidence is the first line of the list that applies."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from experiments.analysis.effect import Effect, Interval, effect
from experiments.analysis.guard_rails import Guarded, GuardRail, State
from experiments.analysis.intervals import Tuning
from experiments.analysis.split import Phase, SplitCheck, check_split
from experiments.analysis.verdict import Evidence, Word, verdict
from experiments.definition import Method
from experiments.metrics.spec import Direction
from row_builders import means, rows

HALVES = {"control": 0.5, "treatment": 0.5}
SOUND = check_split([Phase(HALVES, {"control": 500, "treatment": 500})])
BROKEN = check_split([Phase(HALVES, {"control": 500, "treatment": 900})])


def _effect() -> Effect:
    rng = np.random.default_rng(1)
    found = effect(rows([means(rng.normal(size=500))] * 2), "treatment", "control", Tuning(1_000), 0.05)
    assert found is not None
    return found


STRADDLES = _effect()
SIDES = {
    "none": None,
    "above": replace(STRADDLES, fixed=Interval(0.1, 0.3), always=Interval(0.05, 0.4)),
    "below": replace(STRADDLES, fixed=Interval(-0.3, -0.1), always=Interval(-0.4, -0.05)),
    "both": replace(STRADDLES, fixed=Interval(-0.1, 0.3), always=Interval(-0.2, 0.4)),
    # Only the fixed interval excludes zero: the sequential verdict must not hear of it.
    "fixed only": replace(STRADDLES, fixed=Interval(0.01, 0.3), always=Interval(-0.05, 0.4)),
}


def _guarded(state: State) -> Guarded:
    return Guarded(GuardRail("complaints", 0.1), Direction.LOWER, STRADDLES, state)


def _expected(  # the list of the module's docstring, read line by line
    split: SplitCheck,
    side: str,
    direction: Direction,
    states: tuple[State, ...],
    early: bool,
    full: bool,
    one: Evidence,
) -> Word:
    better = "above" if direction is Direction.HIGHER else "below"
    worse = "below" if direction is Direction.HIGHER else "above"
    fixed = one.method is Method.FIXED
    if side == "fixed only":
        side = "above" if fixed else "both"
    if fixed and not full and side != "none":
        side = "both"
    lines = [
        (split is BROKEN, Word.UNHEALTHY),
        (State.BREACHED in states and one.same_policy, Word.UNHEALTHY),
        (State.BREACHED in states, Word.BREACHED),
        (side == "none" or early, Word.COLLECTING),
        (side != "both" and one.same_policy, Word.UNHEALTHY),
        (side == worse, Word.LOSES),
        (side == better and State.OPEN in states, Word.WINS),
        (side == better, Word.READY),
        (not full, Word.COLLECTING),
        (True, Word.NO_DIFFERENCE),
    ]
    return next(word for applies, word in lines if applies)


STATES = [(), *((one,) for one in State), (State.HELD, State.OPEN), (State.OPEN, State.BREACHED), (State.HELD,) * 2]
CASES = list(
    product((SOUND, BROKEN), SIDES, Direction, STATES, (False, True), (False, True), list(Method), (False, True))
)


def test_every_combination_gets_the_first_word_that_applies() -> None:
    seen = set()
    for split, side, direction, states, early, full, method, same_policy in CASES:
        evidence = Evidence(
            split=split,
            effect=SIDES[side],
            direction=direction,
            guarded=[_guarded(state) for state in states],
            days_run=5 if early else 20,
            minimum_days=14,
            planned_units=1_000 if full else 1_001,
            method=method,
            same_policy=same_policy,
        )
        found = verdict(evidence)
        assert found.word is _expected(split, side, direction, states, early, full, evidence), evidence
        assert found.sentence.endswith(".")
        seen.add(found.word)
    assert seen == set(Word)
    assert len(CASES) > 2_000


@pytest.mark.parametrize(
    ("side", "states", "word", "said"),
    [
        ("above", (State.HELD,), Word.READY, "within the margin: complaints"),
        ("above", (), Word.READY, "no guard-rail is defined"),
        ("above", (State.OPEN,), Word.WINS, "not yet shown to be within the margin: complaints"),
        ("below", (), Word.LOSES, "-0.4 to -0.05, 1,000 mature units"),
        ("both", (), Word.NO_DIFFERENCE, "At 1,000 mature units, 1,000 planned, the interval holds zero"),
        ("none", (), Word.COLLECTING, "Too few units are mature"),
        ("above", (State.BREACHED,), Word.BREACHED, "complaints is worse by more than its margin of 0.1:"),
    ],
)
def test_the_sentence_gives_the_reason(side: str, states: tuple[State, ...], word: Word, said: str) -> None:
    evidence = Evidence(
        SOUND, SIDES[side], Direction.HIGHER, [_guarded(s) for s in states], 20, 14, 1_000, Method.SEQUENTIAL
    )
    found = verdict(evidence)
    assert found.word is word
    assert said in found.sentence


def test_a_broken_split_is_explained_with_its_counts() -> None:
    evidence = Evidence(BROKEN, STRADDLES, Direction.HIGHER, [], 20, 14, 1_000, Method.FIXED)
    assert "treatment 900 where 700 were expected" in verdict(evidence).sentence

"""Weights follow the history of a bandit, and what a history may not say is named."""

from dataclasses import replace
from datetime import timedelta

import pytest

from experiment_builders import START, TEXT, a_definition, running, sentences, text_with
from experiments.changes import breaking
from experiments.definition import Bandit, Change, Definition, Entry
from experiments.lifecycle import changed
from experiments.weights import current_weights, divided_since, weighted_since, weights_at
from features.errors import InvalidValueError

WEEK = timedelta(days=7)
BANDIT = ("coverage = 1.0\n", "coverage = 1.0\nbandit = { floor = 0.1, every_days = 7 }\n")
SOUND = text_with(BANDIT)
STARTED = Entry(START, Change.STARTED, "Ann", 1.0)
TOWARDS = {"fixed": 0.3021, "plan": 0.6979}


def reweighted(weeks: int, weights: dict[str, float]) -> Entry:
    return Entry(START + weeks * WEEK, Change.REWEIGHTED, "Ann", weights=weights)


def a_bandit(*entries: Entry) -> Definition:
    definition = running(a_definition(BANDIT))
    return replace(definition, history=(*definition.history, *entries))


def test_every_instant_has_the_weights_that_were_written_last() -> None:
    definition = a_bandit(reweighted(1, TOWARDS), reweighted(3, {"fixed": 0.1, "plan": 0.9}))
    second = timedelta(seconds=1)
    at = [START, START + WEEK - second, START + WEEK, START + 3 * WEEK - second, START + 3 * WEEK]
    assert [weights_at(definition, one)["plan"] for one in at] == [0.5, 0.5, 0.6979, 0.6979, 0.9]
    assert [divided_since(definition, one) for one in at] == [START, START, at[2], at[2], at[4]]
    assert divided_since(definition, START - second) is None
    assert current_weights(definition) == {"fixed": 0.1, "plan": 0.9}
    assert weighted_since(definition) == at[4]


def test_new_weights_are_written_to_the_history_and_the_file_stays_sound() -> None:
    text = changed(changed(SOUND, "first.toml", STARTED), "first.toml", reweighted(1, TOWARDS))
    assert text.endswith('what = "reweighted"\nby = "Ann"\nweights = { fixed = 0.3021, plan = 0.6979 }\n')
    assert text.count("weight = 0.5") == 2
    assert sentences(text) == []


def test_a_draft_has_no_new_weights() -> None:
    with pytest.raises(InvalidValueError, match=r"^status: 'draft'"):
        changed(SOUND, "first.toml", reweighted(1, TOWARDS))


@pytest.mark.parametrize(
    ("text", "entry", "sentence"),
    [
        (TEXT, reweighted(1, TOWARDS), "bandit: is missing; expected a table such as"),
        (SOUND, reweighted(1, {"plan": 1.0}), "weights: 'plan' is not accepted; expected all variants: fixed, plan"),
        (SOUND, reweighted(1, {"fixed": 0.2, "plan": 0.7}), "expected weights that add up to 1"),
        (SOUND, reweighted(1, {"fixed": 0.05, "plan": 0.95}), "fixed: 0.05 is not accepted; expected at least"),
        (SOUND, reweighted(1, {"fixed": 0.33333, "plan": 0.66667}), "fixed: 0.33333 is not accepted; expected whole"),
        (SOUND, reweighted(0, TOWARDS), "at: '2026-11-01T00:00:00+00:00' is not accepted; expected at least 7 days"),
        (SOUND, Entry(START + WEEK, Change.REWEIGHTED, "Ann"), "weights: is missing; expected the weights of all"),
        (SOUND, Entry(START + WEEK, Change.RAMPED, "Ann", 1.0, weights=TOWARDS), "where it was reweighted only"),
    ],
)
def test_weights_that_cannot_be_are_named(text: str, entry: Entry, sentence: str) -> None:
    faults = sentences(changed(changed(text, "first.toml", STARTED), "first.toml", entry))
    assert any(sentence in fault for fault in faults), faults


def test_a_floor_of_more_digits_than_there_are_buckets_is_refused() -> None:
    text = text_with((BANDIT[0], BANDIT[1].replace("0.1", "0.12345")))
    assert any("bandit.floor: 0.12345" in fault for fault in sentences(text))


def test_a_new_entry_breaks_nothing_and_another_weight_of_the_start_does() -> None:
    before = a_bandit()
    after = a_bandit(reweighted(1, TOWARDS))
    assert breaking(before, after, "first.toml") == ()
    moved = {name: replace(one, weight=TOWARDS[name]) for name, one in after.variants.items()}
    (fault,) = breaking(before, replace(after, variants=moved), "first.toml")
    assert fault.key == "variants.fixed.weight"
    (fault,) = breaking(after, a_bandit(reweighted(1, {"fixed": 0.1, "plan": 0.9})), "first.toml")
    assert fault.key == "history"


def test_a_bandits_floor_and_pace_are_planned_before_the_start() -> None:
    (fault,) = breaking(a_bandit(), replace(a_bandit(), bandit=Bandit(0.2, 7)), "first.toml")
    assert fault.sentence.startswith("first.toml, bandit: 'floor 0.2 every 7 days' is not accepted; expected floor 0.1")

"""What is done to an experiment is written into its file, and nothing else in it changes."""

from datetime import timedelta

import pytest

from experiment_builders import START, TEXT, sentences, text_with
from experiments.definition import Change, Decided, Entry
from experiments.lifecycle import changed
from features.errors import InputError, InvalidValueError

STARTED = Entry(START, Change.STARTED, 'Ann "the owner"', 0.1)
RAMPED = Entry(START + timedelta(days=3), Change.RAMPED, "Ann", 0.5, note="Nothing\tbroke \\o/.")
STOPPED = Entry(START + timedelta(days=60), Change.STOPPED, "Ben")
CONCLUDED = Entry(START + timedelta(days=95), Change.CONCLUDED, "Ben", decision=Decided.SHIP, variant="plan")


def after(text: str, *entries: Entry) -> str:
    for entry in entries:
        text = changed(text, "first.toml", entry)
    return text


def test_a_whole_life_is_written_and_leaves_the_file_sound_at_every_step() -> None:
    text = text_with(('status = "draft"', 'status = "draft"  # not yet'))
    for entry in (STARTED, RAMPED, STOPPED, CONCLUDED):
        text = after(text, entry)
        assert sentences(text) == []
    assert 'status = "concluded"  # not yet' in text
    assert "coverage = 0.5\n" in text
    assert text.count("[[history]]") == 4


def test_all_other_lines_stay_as_they_are() -> None:
    written = after(TEXT, STARTED).splitlines()
    assert [line for line in TEXT.splitlines() if line not in written] == ['status = "draft"', "coverage = 1.0"]


def test_a_coverage_that_was_not_stated_is_added() -> None:
    assert "coverage = 0.1" in after(text_with(("coverage = 1.0\n", "")), STARTED)


@pytest.mark.parametrize(
    "entries", [(RAMPED,), (STOPPED,), (CONCLUDED,), (STARTED, STARTED), (STARTED, STOPPED, RAMPED)]
)
def test_steps_out_of_order_are_refused(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(InvalidValueError, match=r"^status: "):
        after(TEXT, *entries)


def test_a_lower_coverage_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="stays in"):
        after(TEXT, STARTED, Entry(RAMPED.at, Change.RAMPED, "Ann", 0.05))


def test_a_file_that_cannot_be_changed_line_by_line_is_left_alone() -> None:
    with pytest.raises(InputError, match="by hand"):
        after(text_with(('status = "draft"', '"status" = "draft"')), STARTED)

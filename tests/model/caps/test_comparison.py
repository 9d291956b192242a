"""What differs between two days is what a person would have to know, and nothing else."""

from datetime import date, timedelta

import pytest

from model.caps.comparison import Change, differences
from model.caps.rulebook import Rulebook

BOOK = Rulebook.load()


def changed(before: str, after: str) -> dict[str, tuple[Change, tuple[str, ...]]]:
    found = differences(BOOK, date.fromisoformat(before), date.fromisoformat(after))
    return {each.rule_id: (each.change, each.what) for each in found}


def test_visa_counts_initiators_apart_from_25_may_2025() -> None:
    found = changed("2025-05-24", "2025-05-25")
    assert set(found) == {f"visa-cat{n}-reattempt-cap" for n in (2, 3, 4)}
    change, what = found["visa-cat2-reattempt-cap"]
    assert change is Change.CHANGES
    assert what[0] == "key: method, merchant, amount becomes method, merchant, amount, initiator"


def test_mastercards_daily_figure_falls() -> None:
    _, what = changed("2022-09-30", "2022-10-01")["mastercard-tpe-24h-excessive-attempts"]
    assert "limit: 20 becomes 7" in what


def test_rules_that_begin_and_end_are_told() -> None:
    assert changed("2025-07-31", "2025-08-01")["india-upi-autopay-windows"] == (Change.BEGINS, ())
    found = changed("2021-10-31", "2021-11-01")
    assert found["mastercard-us-2014-hard-decline-rule"] == (Change.ENDS, ())
    assert found["mastercard-mac-03-21-no-retry"] == (Change.BEGINS, ())


def test_a_price_that_changes_is_told_by_its_schedule() -> None:
    change, what = changed("2026-04-24", "2026-04-25")["visa-fee-schedule"]
    assert change is Change.CHANGES
    assert [line.split(" USD")[0] for line in what] == ["no longer amount 0.15", "now amount 0.25"]


@pytest.mark.parametrize("day", ["2026-11-23", "2030-01-01"])
def test_a_day_does_not_differ_from_itself_nor_far_from_any_change_from_the_next(day: str) -> None:
    assert changed(day, day) == {}
    assert differences(BOOK, date.fromisoformat(day), date.fromisoformat(day) + timedelta(days=1)) == ()


def test_backwards_begins_are_ends() -> None:
    forward, back = changed("2020-01-01", "2026-11-23"), changed("2026-11-23", "2020-01-01")
    assert forward.keys() == back.keys()
    swapped = {Change.BEGINS: Change.ENDS, Change.ENDS: Change.BEGINS, Change.CHANGES: Change.CHANGES}
    assert {name: swapped[change] for name, (change, _) in forward.items()} == {n: c for n, (c, _) in back.items()}

"""Twenty thousand random histories: nothing over a cap, nothing refused without need, every answer the same."""

from datetime import UTC, date, datetime, timedelta

import pytest

from fuzz.brute import banks_work, midnight
from fuzz.histories import change_days
from fuzz.judging import Score, judge
from fuzz.run import scores
from model.caps.rule import CapRule

HISTORIES, SEED = 20_000, 20_261_123


def test_no_history_of_twenty_thousand_shows_the_engine_and_the_definitions_apart() -> None:
    score = Score()
    for each in scores(SEED, HISTORIES):
        score += each
    assert score.histories == HISTORIES
    assert (score.over_cap, score.needless, score.unlike) == (0, 0, 0), score.examples
    assert score.made > HISTORIES / 5, "too few attempts were allowed for the run to prove anything"


def test_the_run_would_notice_a_cap_that_is_one_too_high(monkeypatch: pytest.MonkeyPatch) -> None:
    from fuzz import brute

    def one_less(rule: CapRule, kept: list[brute.Known], at: datetime) -> brute.Told | None:
        right = honest(rule, kept, at)
        tight = right is not None and right.used is not None and right.used >= (rule.limit or 0) - 1
        return brute.Told(False, right.used) if tight and right else right

    honest = brute._cap
    monkeypatch.setattr(brute, "_cap", one_less)
    assert judge(SEED, 300).over_cap > 0


def test_the_run_would_notice_a_fix_that_lifts_nothing_and_a_wait_that_begins_too_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from fuzz import brute

    monkeypatch.setattr(brute, "_lifted", lambda *_: False)
    assert judge(SEED, 500).unlike > 0
    monkeypatch.undo()
    monkeypatch.setattr(brute.Known, "answered", brute.Known.latest)
    assert judge(SEED, 1_500).unlike > 0


def test_the_same_seed_gives_the_same_histories() -> None:
    first, second, other = judge(7, 50), judge(7, 50), judge(8, 50)
    assert first == second
    assert first != other
    total = Score()
    total += first
    total += other
    assert total.judged == first.judged + other.judged


def test_histories_stand_around_every_dated_change() -> None:
    assert {date(2025, 5, 24), date(2025, 5, 25), date(2026, 10, 25), date(2024, 2, 29)} <= set(change_days())


def test_the_definitions_know_the_calendar() -> None:
    assert midnight(date(2026, 3, 29), "Europe/Berlin") == datetime(2026, 3, 28, 23, tzinfo=UTC)
    assert midnight(date(2026, 3, 30), "Europe/Berlin") - midnight(date(2026, 3, 29), "Europe/Berlin") == timedelta(
        hours=23
    )
    assert not banks_work("XECB", date(2026, 12, 25))
    assert banks_work("XECB", date(2026, 12, 28))
    assert not banks_work("GB", date(2026, 12, 28))

"""Timetables name the days they promise, and a schedule keeps to them within the limits."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_builders import NOW, card, context, debit, failed
from features.action import Retry, Stop
from features.errors import InvalidValueError
from features.vocabulary import Network
from model.caps.rulebook import Rulebook
from model.decision import StopReason
from model.policies import SCHEDULE_OVER
from model.schedules import ByDueDay, FixedDays, MonthDays, Schedule, known_timetables

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))
RULES = Rulebook.load()


@given(DAYS, st.sets(st.integers(1, 31), min_size=1, max_size=4))
def test_month_days_are_those_days_or_the_last_of_a_shorter_month(failed_on: date, wanted: set[int]) -> None:
    for after in MonthDays(tuple(wanted), 31).days(failed_on):
        day = failed_on + timedelta(days=after)
        last = (day + timedelta(days=1)).month != day.month
        assert day.day in wanted or (last and max(wanted) > day.day)
    assert MonthDays(tuple(wanted), 62).days(failed_on)


def test_the_part_of_the_month_decides() -> None:
    table = ByDueDay((10, 20), ((1,), (2,), (3,)))
    found = [table.days(date(2026, 3, day)) for day in (1, 10, 11, 20, 21, 31)]
    assert found == [(1,), (1,), (2,), (2,), (3,), (3,)]
    with pytest.raises(InvalidValueError, match="3 parts of the month"):
        ByDueDay((10, 20), ((1,), (2,)))


def test_a_schedule_goes_on_with_its_next_day_whatever_it_missed() -> None:
    method, first = card(), timedelta(days=6)
    policy = Schedule("days", FixedDays((2, 4, 9)), RULES)
    retry = policy.next_action(context([method], [failed(method, ago=first), failed(method, ago=timedelta(days=4))]))
    assert isinstance(retry, Retry)
    assert retry.slot.start == NOW  # day 4 is over: made now
    attempts = [failed(method, ago=first), failed(method, ago=timedelta(hours=1))]
    assert policy.next_action(context([method], attempts)) != policy.next_action(context([method], attempts[:1]))
    over = [failed(method, ago=timedelta(days=10)), failed(method, ago=timedelta(hours=1))]
    assert policy.next_action(context([method], over)) == Stop(SCHEDULE_OVER)


def test_days_that_a_rule_forbids_are_passed_over() -> None:
    method = card(network=Network.MASTERCARD)
    asked = failed(method, "51", advice_code="27", ago=timedelta(minutes=5))  # try again in four days
    retry = Schedule("days", FixedDays((1, 3, 5, 7)), RULES).next_action(context([method], [asked]))
    assert isinstance(retry, Retry)
    assert retry.slot.start == asked.at + timedelta(days=5)


def test_where_nothing_is_allowed_it_stops_and_says_so() -> None:
    stolen = failed(card(), "43")
    assert Schedule("days", FixedDays((1, 3)), RULES).next_action(context([card()], [stolen])) == Stop(
        StopReason.NO_ALLOWED_ACTION
    )
    with pytest.raises(InvalidValueError, match="at least one failed attempt"):
        Schedule("days", FixedDays((1,)), RULES).next_action(context([debit()], []))


def test_what_billing_systems_ship_has_names_of_its_own() -> None:
    names = [named.name for named in known_timetables(30)]
    assert len(set(names)) == len(names)
    assert all(max(named.timetable.days(date(2026, 2, 3))) <= 30 for named in known_timetables(30))

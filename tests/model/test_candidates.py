"""What could be tried: only methods that can be charged, every processor, a stated order, inside the horizon."""

from datetime import date, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings

from context_builders import NOW, card, context, contexts, debit, failed
from features.action import Retry
from features.calendars import is_banking_day, to_day
from features.context import Context
from features.vocabulary import Network, Outcome, Precision, Rail
from model.candidates import candidates, horizon_of
from model.issuer_clock import issuer_clock


@given(contexts())
@settings(max_examples=150, deadline=None)
def test_every_candidate_can_be_made(failure: Context) -> None:
    horizon = horizon_of(failure)
    found = candidates(failure, horizon)
    assert len(set(found)) == len(found)
    for retry in found:
        method = failure.method(retry.method_id)
        clock = issuer_clock(failure, method)
        local = retry.slot.start.astimezone(ZoneInfo(clock.zone))
        assert method.consented
        assert failure.as_of <= retry.slot.start < retry.slot.end <= horizon
        assert method.expires_on is None or local.date() <= method.expires_on
        if method.rail is Rail.BANK_DEBIT:
            assert is_banking_day(clock.calendar, np.array([to_day(local.date())]))[0]
        elif local.minute:
            last = failure.own_attempts[-1]
            pause = 15 if (last.method_id, last.processor) == (retry.method_id, retry.processor) else 0
            assert retry.slot.start >= failure.as_of + timedelta(minutes=pause)
            assert retry.slot.end.astimezone(ZoneInfo(clock.zone)).minute == 0


@given(contexts())
@settings(max_examples=80, deadline=None)
def test_slots_of_one_route_never_overlap_and_come_in_order(failure: Context) -> None:
    found = candidates(failure, horizon_of(failure))
    assert [r.slot.start for r in found] == sorted(r.slot.start for r in found)
    routes: dict[tuple[str, str], list[Retry]] = {}
    for retry in found:
        routes.setdefault((retry.method_id, retry.processor), []).append(retry)
    for retries in routes.values():
        assert all(a.slot.end <= b.slot.start for a, b in pairwise(retries))


def test_every_processor_of_a_method_is_proposed_in_its_order() -> None:
    method = card(processors=("south", "north"))
    found = candidates(context([method], [failed(method)]), NOW + timedelta(hours=2))
    assert [r.processor for r in found if r.slot.start > NOW] == ["south", "north"]


def test_another_route_than_the_one_that_failed_can_be_tried_at_once() -> None:
    one, two = card(processors=("south", "north")), card("card_2", Network.MASTERCARD)
    found = candidates(context([one, two], [failed(one)]), NOW + timedelta(hours=2))
    at_once = [(r.method_id, r.processor) for r in found if r.slot.start == NOW]
    assert at_once == [("card_1", "north"), ("card_2", "north")]
    assert {r.slot.length for r in found if r.slot.start == NOW} == {timedelta(minutes=45)}


def test_without_listed_processors_those_that_tried_are_proposed() -> None:
    method = card(processors=())
    attempts = [failed(method, ago=timedelta(days=2), processor="north"), failed(method, processor="south")]
    found = candidates(context([method], attempts), NOW + timedelta(hours=2))
    assert [r.processor for r in found if r.slot.start > NOW] == ["south", "north"]


@pytest.mark.parametrize(
    "method",
    [card(consented=False), card(expires_on=date(2026, 11, 23)), card(processors=())],
    ids=["no consent", "expired", "no processor"],
)
def test_a_method_that_cannot_be_charged_is_not_proposed(method: object) -> None:
    other = card("card_2", Network.MASTERCARD)
    assert isinstance(method, type(other))
    failure = context([method, other], [failed(other)])
    assert {r.method_id for r in candidates(failure, horizon_of(failure))} == {"card_2"}


def test_a_method_is_proposed_until_the_end_of_its_last_valid_day() -> None:
    method = card(expires_on=date(2026, 11, 30))
    failure = context([method], [failed(method)])
    last = candidates(failure, horizon_of(failure))[-1]
    assert last.slot.start.astimezone(ZoneInfo("Europe/Berlin")).date() == date(2026, 11, 30)


@pytest.mark.parametrize(("code", "minutes"), [("91", 30), ("51", 60)])
def test_an_outage_can_be_retried_after_a_quarter_of_an_hour(code: str, minutes: int) -> None:
    method = card()
    now = NOW.replace(minute=15)
    first = candidates(context([method], [failed(method, code, now=now)], now=now), now + timedelta(days=2))[0]
    assert first.slot.start == now.replace(minute=0) + timedelta(minutes=minutes)


def test_an_attempt_that_never_reached_the_issuer_counts_as_technical() -> None:
    method = card()
    failure = context([method], [failed(method, None, outcome=Outcome.ERROR)])
    assert candidates(failure, horizon_of(failure))[0].slot.start == NOW + timedelta(minutes=15)


def test_a_history_of_days_is_decided_by_the_day() -> None:
    method = card()
    noon = timedelta(hours=NOW.hour - 11, minutes=NOW.minute)  # 11:00 UTC is noon in Berlin
    failure = context([method], [failed(method, ago=timedelta(days=1) + noon, precision=Precision.DAY)], days=5)
    days = [r.slot.start.astimezone(ZoneInfo("Europe/Berlin")) for r in candidates(failure, horizon_of(failure))]
    assert [at.day for at in days] == [24, 25, 26, 27, 28]
    assert {at.hour for at in days} == {12}


def test_the_horizon_is_sixty_days_or_the_end_of_recovery() -> None:
    method = debit()
    assert horizon_of(context([method], [failed(method, "AM04")], days=90)) == NOW + timedelta(days=60)
    assert horizon_of(context([method], [failed(method, "AM04")], days=9)) == NOW + timedelta(days=9)

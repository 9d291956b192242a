"""Fixed schedules do what their days say, whatever is wrong with it; the outlook says what that is."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings

from context_builders import NOW, card, context, contexts, debit, failed
from features.action import Retry, Stop
from features.context import Context
from features.errors import InvalidValueError
from features.vocabulary import Network
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.outlook import Outlook, outlook
from model.policies import FIXED_1_3_5_7, FIXED_SCHEDULES, FixedSchedule
from model.prior import PriorScorer
from model.screening import verdicts_on

RULEBOOK = Rulebook.load()


def seen(failure: Context, policy: FixedSchedule = FIXED_1_3_5_7) -> Outlook:
    return outlook(policy, failure, PriorScorer(), RULEBOOK, Economics.default())


def test_the_schedule_counts_from_the_first_failure_and_goes_on_where_it_is() -> None:
    method = card(processors=("north", "south"))
    first = timedelta(days=4)
    attempts = [failed(method, ago=first)]
    for made, day in enumerate((1, 3)):
        retry = FIXED_1_3_5_7.next_action(context([method], attempts))
        assert isinstance(retry, Retry)
        assert retry.slot.start == max(NOW - first + timedelta(days=day), NOW)
        attempts.append(failed(method, ago=first - timedelta(days=day), processor="south"))
        assert len(attempts) == made + 2
    retry = FIXED_1_3_5_7.next_action(context([method], attempts))
    assert isinstance(retry, Retry)
    assert (retry.slot.start, retry.processor) == (NOW - first + timedelta(days=5), "south")


@pytest.mark.parametrize("policy", FIXED_SCHEDULES, ids=lambda policy: policy.name)
def test_a_schedule_ends(policy: FixedSchedule) -> None:
    attempts = [failed(card(), ago=timedelta(hours=k + 1)) for k in range(len(policy.days) + 1)]
    assert policy.next_action(context([card()], attempts)) == Stop("schedule_over")
    assert isinstance(policy.next_action(context([card()], attempts[1:])), Retry)
    assert seen(context([card()], attempts), policy) == Outlook(policy.name, Stop("schedule_over"))


def test_a_schedule_needs_a_failure() -> None:
    with pytest.raises(InvalidValueError, match="at least one failed attempt"):
        FIXED_1_3_5_7.next_action(context([card()], []))


def test_the_outlook_tells_that_a_dead_card_may_not_be_tried() -> None:
    second = card("card_2", Network.MASTERCARD)
    found = seen(context([card(), second], [failed(card(), "43")]))
    assert isinstance(found.action, Retry)
    assert found.action.method_id == "card_1"
    assert found.broken
    assert not any(verdict.allowed for verdict in found.broken)
    assert found.broken[0].sentence in found.remarks


def test_the_outlook_tells_holidays_paydays_and_expiry() -> None:
    method = card(expires_on=date(2026, 11, 30))
    friday = NOW + timedelta(days=3)
    found = seen(context([method], [failed(method, "51", ago=timedelta(0), now=friday)], now=friday))
    assert "Sat 28 Nov 2026 is no banking day in Germany; the next is Mon 30 Nov 2026." in found.remarks
    assert any("Mon 30 Nov 2026, 3 days away; this slot is 2 days before it" in remark for remark in found.remarks)
    late = seen(context([method], [failed(method, "51", ago=timedelta(0))]), FixedSchedule("late", (10,)))
    assert any("no longer valid by then: its last day is Mon 30 Nov 2026" in remark for remark in late.remarks)


def test_the_outlook_tells_consent_and_the_end_of_recovery() -> None:
    method = card(consented=False)
    found = seen(context([method], [failed(method, "05")], days=0.5))
    assert any("has not agreed" in remark for remark in found.remarks)
    assert any("Retries of this payment end on" in remark for remark in found.remarks)


@given(contexts())
@settings(max_examples=60, deadline=None)
def test_the_outlook_finds_every_broken_limit(failure: Context) -> None:
    found = seen(failure)
    if isinstance(found.action, Retry):
        judged = verdicts_on(failure, found.action, RULEBOOK)
        assert set(found.broken) == {verdict for verdict in judged if not verdict.allowed}
        assert found.score is not None
        assert found.value is not None
        assert found.value.net.amount_minor <= max(found.value.break_even_cost.amount_minor, 0)


def test_a_good_schedule_has_nothing_against_it() -> None:
    method = debit()
    found = seen(context([method], [failed(method, "AM04", ago=timedelta(0))]), FixedSchedule("after notice", (15,)))
    assert found.broken == ()
    assert found.value is not None
    assert found.value.net.amount_minor > 0

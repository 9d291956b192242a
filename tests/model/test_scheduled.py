"""A fixed schedule as the last resort: its days, its route, and nothing that a rule or a person forbids."""

from datetime import timedelta

import pytest
from hypothesis import given, settings

from context_builders import NOW, card, context, contexts, debit, failed
from decisions_read import decision_in
from features.context import Context
from features.errors import InvalidValueError
from features.vocabulary import Network
from model.caps.rulebook import Rulebook
from model.decision import StopReason, decision_to_json
from model.economics import Economics
from model.record import Halt, Record
from model.scheduled import SCHEDULE, decide_by_schedule
from model.screening import verdicts_on

RULES, MONEY = Rulebook.load(), Economics.default()


def tried(*days_ago: float) -> Context:
    return context((card(),), [failed(card(), "51", ago=timedelta(days=ago)) for ago in days_ago])


@pytest.mark.parametrize(
    ("days_ago", "after_days"), [((0.5,), 1), ((1.5, 0.4), 3), ((4.5, 3.4, 1.4), 5), ((6.5, 5.5, 3.5, 1.4), 7)]
)
def test_it_retries_on_the_next_of_its_days_at_the_hour_of_the_first_failure(
    days_ago: tuple[float, ...], after_days: int
) -> None:
    asked = tried(*days_ago)
    decision = decide_by_schedule(asked, RULES, MONEY)
    due = asked.own_attempts[0].at + timedelta(days=after_days)
    assert decision.retry is not None
    assert decision.retry.slot.start <= due < decision.retry.slot.end
    assert (decision.policy, decision.policy_source, decision.versions.model) == (
        SCHEDULE.name,
        "schedule",
        SCHEDULE.name,
    )
    assert (decision.score, decision.value, decision.plan.attempts) == (None, None, ())


def test_what_is_overdue_is_made_at_once_and_after_the_last_day_it_stops() -> None:
    late = decide_by_schedule(tried(2.5), RULES, MONEY)
    assert late.retry is not None
    assert late.retry.slot.start - NOW <= timedelta(hours=1)
    over = decide_by_schedule(tried(9, 8, 6, 4, 1.5), RULES, MONEY)
    assert over.stop is not None
    assert over.stop.reason == StopReason.RETRIES_USED_UP


def test_a_method_that_may_never_be_tried_again_gives_way_to_another() -> None:
    lost, other = card("lost"), card("other", Network.MASTERCARD)
    decision = decide_by_schedule(context((lost, other), (failed(lost, "43"),)), RULES, MONEY)
    assert decision.retry is not None
    assert decision.retry.method_id == "other"
    alone = decide_by_schedule(context((lost,), (failed(lost, "43"),)), Rulebook(()), MONEY)
    assert alone.stop is not None
    assert alone.stop.reason == StopReason.NO_USABLE_METHOD


def test_a_halt_on_record_and_a_payment_without_attempts_are_obeyed() -> None:
    halted = decide_by_schedule(tried(1), RULES, MONEY, record=Record(halt=Halt(StopReason.ON_HOLD, ("Stopped.",))))
    assert halted.stop is not None
    assert halted.stop.reason == StopReason.ON_HOLD
    with pytest.raises(InvalidValueError, match="attempts"):
        decide_by_schedule(context((debit(),), ()), RULES, MONEY)


@settings(max_examples=25, deadline=None)
@given(contexts())
def test_no_retry_breaks_a_rule_and_the_same_context_gives_the_same_bytes(any_context: Context) -> None:
    decision = decide_by_schedule(any_context, RULES, MONEY)
    assert decision_to_json(decision) == decision_to_json(decide_by_schedule(any_context, RULES, MONEY))
    assert decision_in(decision_to_json(decision)) == decision
    assert decision.reasons
    if decision.retry is not None:
        assert all(verdict.allowed for verdict in verdicts_on(any_context, decision.retry, RULES))
        assert decision.retry.slot.end > any_context.as_of
        assert any_context.method(decision.retry.method_id).consented

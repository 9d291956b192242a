"""Fixed schedules do what their days say, whatever is wrong with it."""

from datetime import timedelta

import pytest

from context_builders import NOW, card, context, failed
from features.action import Retry, Stop
from features.errors import InvalidValueError
from model.policies import FIXED_1_3_5_7, FixedSchedule


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


@pytest.mark.parametrize("policy", [FIXED_1_3_5_7, FixedSchedule("weekly", (7, 14))], ids=lambda policy: policy.name)
def test_a_schedule_ends(policy: FixedSchedule) -> None:
    attempts = [failed(card(), ago=timedelta(hours=k + 1)) for k in range(len(policy.days) + 1)]
    assert policy.next_action(context([card()], attempts)) == Stop("schedule_over")
    assert isinstance(policy.next_action(context([card()], attempts[1:])), Retry)


def test_a_schedule_needs_a_failure() -> None:
    with pytest.raises(InvalidValueError, match="at least one failed attempt"):
        FIXED_1_3_5_7.next_action(context([card()], []))

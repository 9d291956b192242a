"""Where only days have propensities, only the day is the policy's: the rest of the retry stays as the log had it."""

from datetime import UTC, datetime, timedelta

import pytest

from context_builders import card, context, failed
from experiments.history_contexts import LoggedRetry
from features.action import Retry, Slot
from features.vocabulary import Outcome
from training.trial.matching import ByCell, ByDay, as_retry

FAILED_AT = datetime(2026, 3, 26, 20, 30, tzinfo=UTC)  # 21:30 in Berlin, whose clocks change on the 29th
ONE, OTHER = card("one"), card("other")


def logged(at: datetime) -> LoggedRetry:
    known = context([ONE, OTHER], [failed(ONE, now=FAILED_AT, ago=timedelta(0))], now=FAILED_AT)
    return LoggedRetry(known, failed(ONE, now=at, ago=timedelta(0), outcome=Outcome.APPROVED), None, None)


def would(at: datetime) -> Retry:
    return Retry(Slot(at, at + timedelta(hours=1)), "other", "south")


def test_by_day_a_retry_is_the_same_on_the_same_local_day_with_any_method_processor_and_hour() -> None:
    one = logged(datetime(2026, 3, 28, 9, tzinfo=UTC))
    day = ByDay().cell(one.context, as_retry(one))
    assert day == 2
    assert ByDay().cell(one.context, would(datetime(2026, 3, 28, 22, 30, tzinfo=UTC))) == day
    assert ByDay().cell(one.context, would(datetime(2026, 3, 28, 23, 30, tzinfo=UTC))) == day + 1
    assert ByCell(3).cell(one.context, would(datetime(2026, 3, 28, 9, tzinfo=UTC))) != ByCell(3).cell(
        one.context, as_retry(one)
    )


@pytest.mark.parametrize(
    ("wanted", "starts"),
    [
        (datetime(2026, 3, 28, 1, tzinfo=UTC), datetime(2026, 3, 28, 9, 15, tzinfo=UTC)),  # the log's own day
        (datetime(2026, 3, 27, 1, tzinfo=UTC), datetime(2026, 3, 27, 9, 15, tzinfo=UTC)),
        (datetime(2026, 3, 30, 1, tzinfo=UTC), datetime(2026, 3, 30, 8, 15, tzinfo=UTC)),  # 10:15 there, as before
        (datetime(2026, 3, 26, 22, tzinfo=UTC), FAILED_AT),  # 10:15 of that day was before the failure
    ],
)
def test_by_day_the_log_s_retry_is_valued_at_its_local_time_on_the_policy_s_day(
    wanted: datetime, starts: datetime
) -> None:
    one = logged(datetime(2026, 3, 28, 9, 15, tzinfo=UTC))
    valued = ByDay().judged(one, would(wanted))
    assert (valued.slot.start, valued.method_id, valued.processor) == (starts, "one", "north")
    assert ByCell(3).judged(one, would(wanted)) == would(wanted)

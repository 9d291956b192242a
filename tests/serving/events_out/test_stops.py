"""Which stops end a recovery, and which pass."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from features.action import Stop
from model.decision import Choice, Decision, Removed, StopReason
from serving.contexts import context_of
from serving.events_out.stops import stopped_by
from serving.examples import EXAMPLES
from serving.requests import parse_request
from serving.service import prior_service

NOW = datetime.fromisoformat("2026-11-23T10:15:00+00:00")
PASSING = {StopReason.ALREADY_PAID, StopReason.CANCELLED, StopReason.ON_HOLD, StopReason.ATTEMPT_PENDING}


@pytest.fixture(scope="module")
def decision() -> Decision:
    """A decision whose limits forbid some retries."""
    service = prior_service()
    found = [service.decide(context_of(parse_request(one.body), NOW)) for one in EXAMPLES]
    return next(one for one in found if one.removed and one.payer_could)


def stop(decision: Decision, reason: StopReason, *removed: Removed) -> Decision:
    return replace(decision, choice=Choice(Stop(reason), 1.0), removed=removed)


@pytest.mark.parametrize("reason", [one for one in StopReason if one is not StopReason.NO_ALLOWED_ACTION])
def test_every_reason_either_passes_and_tells_nothing_or_ends_the_recovery(
    decision: Decision, reason: StopReason
) -> None:
    told = stopped_by(stop(decision, reason, *decision.removed))
    assert told.for_good is (reason not in PASSING)
    assert bool(told.payer_could) is (told.for_good and reason is not StopReason.OPTED_OUT)
    assert told.limits == ()


def test_limits_end_it_only_where_every_method_meets_one_that_never_frees(decision: Decision) -> None:
    one = decision.removed[0]
    never = Removed("a", 5, 5, replace(one.verdict, frees_at=None))
    some = replace(never, removed=4)
    later = replace(never, verdict=replace(one.verdict, frees_at=NOW + timedelta(days=1)))
    other = replace(later, method_id="b")
    for removed, ends in (
        ((never,), True), ((never, later), True), ((some, later), False), ((later,), False), ((never, other), False),
    ):  # fmt: skip
        told = stopped_by(stop(decision, StopReason.NO_ALLOWED_ACTION, *removed))
        assert told.for_good is ends
        assert [limit.method_id for limit in told.limits] == [each.method_id for each in removed]
        assert told.payer_could == decision.payer_could


def test_who_was_overtaken_by_a_moment_is_told_nothing(decision: Decision) -> None:
    told = stopped_by(stop(decision, StopReason.NO_ALLOWED_ACTION))
    assert not told.for_good
    assert (told.limits, told.payer_could) == ((), ())

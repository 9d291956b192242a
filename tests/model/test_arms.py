"""An arm does for one payment, explained and on record, what the policy that it stands for does in a replay."""

from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from context_builders import card, context, contexts, failed
from decisions_read import decision_in
from features.action import Retry
from features.context import Context
from features.vocabulary import Outcome
from model.arms import DEFAULT, Arm, ExploringArm, GreedyArm, NoRetryArm, PlanArm, ScheduleArm
from model.caps.rulebook import Rulebook, Tightening
from model.decide import decide
from model.decision import Assignment, Decision, StopReason, Topic, decision_to_json
from model.economics import Economics
from model.exploring import ExploringPlan
from model.plan_policies import Greedy, PlanPolicy
from model.policies import NoRetry, Policy
from model.prior import PriorScorer
from model.schedules import FixedDays, MonthDays, Schedule

RULES = Rulebook.load()
ECONOMICS = Economics.default()
PRIOR = PriorScorer()
CARD = card()
ONE = context([CARD], [failed(CARD)])
WEEK = FixedDays((1, 3, 5, 7))
PLAN = PlanPolicy(PRIOR, RULES, ECONOMICS, 3, 20.0)
EXPLORING = ExploringPlan(PLAN, "some-salt", share=0.2, within=0.5)
TWINS: Mapping[str, tuple[Arm, Policy]] = {
    "plan": (PlanArm(3, 20.0), PLAN),
    "exploring": (ExploringArm(EXPLORING), EXPLORING),
    "greedy": (GreedyArm("net", 3, 20.0), Greedy(PRIOR, RULES, ECONOMICS, 3, 20.0)),
    "likeliest": (GreedyArm("probability"), Greedy(PRIOR, RULES, ECONOMICS, by="probability")),
    "days": (ScheduleArm("days", WEEK), Schedule("days", WEEK, RULES)),
    "month": (ScheduleArm("month", MonthDays((1, 15), 40)), Schedule("month", MonthDays((1, 15), 40), RULES)),
    "none": (NoRetryArm(), NoRetry()),
}


def days(count: int) -> timedelta:
    return timedelta(days=count)


def decided(found: Context, arm: Arm, rulebook: Rulebook = RULES) -> Decision:
    return decide(found, PRIOR, rulebook, ECONOMICS, arm=arm)


@pytest.mark.parametrize("name", TWINS)
@given(found=contexts())
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_an_arm_retries_when_its_policy_does_and_as_it_does(name: str, found: Context) -> None:
    arm, policy = TWINS[name]
    decision, (choice,) = decided(found, arm), policy.choices([found])
    if decision.retry is not None:
        assert decision.choice == choice
    elif isinstance(choice.action, Retry):
        # A schedule by itself does not ask whether its method may still be charged, nor for how long and how often.
        assert isinstance(arm, ScheduleArm)
        assert not _can_be_made(found, choice.action)


def _can_be_made(found: Context, retry: Retry) -> bool:
    plain = decided(found, GreedyArm("net"))
    routes = {(curve.method_id, curve.processor) for curve in plain.curves}
    halted = plain.stop is not None and plain.stop.reason != StopReason.NOT_WORTH_IT
    return not halted and (retry.method_id, retry.processor) in routes and retry.slot.start < found.payment.recover_by


def test_the_default_is_the_plan() -> None:
    assert decision_to_json(decide(ONE, PRIOR, RULES, ECONOMICS)) == decision_to_json(decided(ONE, DEFAULT))


def test_a_schedule_tells_all_its_days_and_that_it_is_the_schedule_that_sets_them() -> None:
    decision = decided(ONE, ScheduleArm("fixed-1-3-5-7", WEEK))
    first = ONE.own_attempts[0].at
    assert [(attempt.retry.slot.start - first).days for attempt in decision.plan.attempts] == [1, 3, 5, 7]
    assert (decision.policy, decision.alternatives) == ("fixed-1-3-5-7", ())
    said = [reason.sentence for reason in decision.reasons if reason.topic is Topic.PLAN]
    assert said == ["The schedule fixed-1-3-5-7 sets this retry, whatever it is worth."]


def test_a_schedule_that_is_over_says_so() -> None:
    decision = decided(context([CARD], [failed(CARD), failed(CARD, ago=days(9))]), ScheduleArm("once", FixedDays((1,))))
    assert decision.stop is not None
    assert decision.stop.reason == StopReason.SCHEDULE_OVER


def test_limits_hold_for_a_schedule_and_cut_what_it_tells() -> None:
    tight = RULES.tightened({"visa-cat2-reattempt-cap": Tightening(limit=2)})
    decision = decided(ONE, ScheduleArm("daily", FixedDays((1, 2, 3, 4, 5))), tight)
    assert len(decision.plan.attempts) == 2
    none = RULES.tightened({"visa-cat2-reattempt-cap": Tightening(limit=0)})
    stopped = decided(ONE, ScheduleArm("daily", FixedDays((1, 2, 3))), none)
    assert stopped.stop is not None
    assert stopped.stop.reason == StopReason.NO_ALLOWED_ACTION


def test_whoever_gets_no_retry_is_told_of_nothing_to_do_either() -> None:
    decision = decided(ONE, NoRetryArm())
    assert decision.stop is not None
    assert (decision.stop.reason, decision.payer_could, decision.curves) == (StopReason.NO_RETRY, (), ())


def test_a_paid_payment_is_paid_whatever_the_arm() -> None:
    paid = context([CARD], [failed(CARD, ago=days(2)), failed(CARD, outcome=Outcome.APPROVED)])
    for arm, _ in TWINS.values():
        stop = decided(paid, arm).stop
        assert stop is not None
        assert stop.reason == StopReason.ALREADY_PAID


def test_the_assignment_is_part_of_the_decision_and_of_its_id() -> None:
    assignment = Assignment("first", "plan", "cus_1", 0.5)
    plain = decided(ONE, DEFAULT)
    within = decide(ONE, PRIOR, RULES, ECONOMICS, assignment=assignment)
    assert within.decision_id != plain.decision_id
    assert decision_in(decision_to_json(within)).assignment == assignment

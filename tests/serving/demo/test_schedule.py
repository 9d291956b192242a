"""The demo's fixed schedule is laid out honestly: every step judged by the rules as they stand by then."""

from dataclasses import replace
from datetime import UTC, datetime

from features.context import Context
from model.caps.rulebook import Rulebook
from model.policies import FIXED_1_3_5_7, FixedSchedule
from serving.contexts import context_of
from serving.demo.schedule import Step, steps
from serving.examples import EXAMPLES
from serving.requests import parse_request
from serving.service import prior_service

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def context(name: str) -> Context:
    example = next(example for example in EXAMPLES if example.name == name)
    return context_of(parse_request(example.body), NOW)


def laid_out(name: str) -> list[Step]:
    return list(steps(FIXED_1_3_5_7, context(name), prior_service()))


def test_a_card_is_tried_one_three_five_and_seven_days_after_it_failed() -> None:
    failed_at = datetime(2026, 11, 25, 7, 30, tzinfo=UTC)
    plan = laid_out("insufficient-funds-before-payday")
    assert [(step.retry.slot.start - failed_at).days for step in plan] == [1, 3, 5, 7]
    assert all(step.score is not None and step.forbidden is None for step in plan)


def test_a_dead_card_is_forbidden_at_every_step_and_has_no_chance() -> None:
    plan = laid_out("stolen-card-second-on-file")
    assert len(plan) == 4
    assert all(step.forbidden is not None and step.score is None for step in plan)


def test_the_schedules_own_retries_count_against_the_limits() -> None:
    agreed = Rulebook.load().published(["sepa-core-prenotification", "sepa-core-submission"])
    weekly = FixedSchedule("weekly", (7, 14, 21, 28))
    plan = list(steps(weekly, context("sepa-debit-without-funds"), replace(prior_service(), rulebook=agreed)))
    assert [step.forbidden is not None for step in plan] == [False, False, True, True]


def test_a_schedule_that_leaves_no_time_for_the_notice_of_a_debit_is_forbidden_at_every_step() -> None:
    plan = laid_out("sepa-debit-without-funds")
    assert {step.forbidden.rule_id for step in plan if step.forbidden} == {"sepa-core-prenotification"}
    assert all(step.forbidden for step in plan)


def test_advice_to_wait_forbids_the_steps_that_come_too_early_only() -> None:
    plan = laid_out("mastercard-try-in-four-days")
    assert [step.forbidden is not None for step in plan] == [True, True, False, False]


def test_a_weekend_of_the_issuers_country_is_remarked() -> None:
    remarks = laid_out("issuer-outage-friday-night")[0].remarks
    assert any("Sat 21 Nov 2026 is no banking day in Saudi Arabia" in remark for remark in remarks)


def test_a_step_after_the_time_to_recover_has_no_chance() -> None:
    plan = laid_out("issuer-outage-friday-night")
    assert [step.score is None for step in plan] == [False, False, True, True]
    assert all("Too late" in step.remarks[0] for step in plan[2:])

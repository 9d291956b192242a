"""The sentences beside the run time: how long the test takes, and what the log says or cannot say meanwhile."""

import re

import numpy as np
import pytest

from experiment_builders import a_definition
from experiments.analysis.power import Baseline
from experiments.off_policy.support import Support, support_of
from experiments.resamples import Estimate
from serving.base_rates import BaseRate, run_time
from serving.cli.experiment_logs import log_sentences
from training.trial.logged_arms import LoggedArm, LoggedArms

SUPPORT = support_of(np.ones(1_900), np.arange(1_900))
DEFINITION = a_definition()


def arm(variant: str, change: Estimate | None = None, *, whole: bool = True, support: Support = SUPPORT) -> LoggedArm:
    refusal = support.refusal
    value = None if refusal else Estimate(0.31, 0.27, 0.35)
    return LoggedArm(variant, support, value, change, refusal, whole)


def told(*arms: LoggedArm, rate: BaseRate | None = None) -> list[str]:
    return list(log_sentences(DEFINITION, rate, LoggedArms(2_000, 1_900, 1_900, arms)))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Estimate(0.04, -0.02, 0.10), "+4.0% (-2.0% to +10.0%) against fixed: not shown to differ from it."),
        (Estimate(0.14, 0.02, 0.20), "+14.0% (+2.0% to +20.0%) against fixed: more than it."),
        (Estimate(-0.1, -0.2, -0.05), "-10.0% (-20.0% to -5.0%) against fixed: less than it."),
    ],
)
def test_a_variant_is_told_with_its_interval_its_sample_and_its_change(change: Estimate, says: str) -> None:
    fixed, plan = told(arm("fixed"), arm("plan", change))
    assert fixed == (
        "fixed: the log says its retries bring back 31.0% of the failed amount of payments that the log "
        "retried (27.0% to 35.0%; effective sample 1,900 of 1,900 usable payments)."
    )
    assert plan.endswith(says)


def test_what_has_too_little_support_is_refused_and_leaves_the_other_without_a_change() -> None:
    few = support_of(np.append(np.ones(41), np.zeros(1_859)), np.arange(1_900))
    fixed, plan = told(arm("fixed", support=few), arm("plan", whole=False))
    assert fixed.startswith(
        "fixed: the log can say nothing on 1,900 usable payments: the log holds an effective sample"
    )
    assert "its first retry alone, for whole recoveries have too little support, bring" in plan
    assert plan.endswith("fixed cannot be told, so that neither can the difference.")


def test_a_long_test_is_told_in_years_and_a_short_one_in_weeks() -> None:
    slow, quick = (BaseRate(900, pace, 0.5, Baseline(0.5, 0.36, 0.0, pace)) for pace in (12.0, 900.0))
    needed = run_time(DEFINITION, slow)
    assert needed is not None
    years = f"first: this test takes {needed.weeks / 52.18:.1f} years, in which 12.0 new customers a week take part."
    assert told(arm("fixed"), arm("plan"), rate=slow)[0] == years
    weeks = r"first: this test takes \d+ weeks, in which 900\.0 new customers a week take part\."
    assert re.fullmatch(weeks, told(arm("fixed"), arm("plan"), rate=quick)[0])


def test_a_log_of_no_use_says_which() -> None:
    nobody = list(log_sentences(DEFINITION, None, LoggedArms(0, 0, 0, ())))
    silent = list(log_sentences(DEFINITION, None, LoggedArms(9, 0, 0, ())))
    assert nobody == ["first: the log can say nothing of the variants, for no payment of the target was retried in it."]
    assert silent == ["first: the log can say nothing of the variants, for its retries state no propensities."]


def test_a_policy_of_replays_only_is_named() -> None:
    assert told(arm("fixed"))[-1] == "plan: the log can say nothing, for its policy is one of replays only."


def test_of_a_long_log_some_payments_are_drawn_and_that_is_said() -> None:
    (fixed, *_) = log_sentences(DEFINITION, None, LoggedArms(9_000, 8_000, 2_000, (arm("fixed"),)))
    assert "effective sample 1,900 of 2,000 usable payments drawn from 8,000" in fixed

"""Each way to evaluate goes from files to a report that says what happened, with figures that fit each other."""

from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from experiments.history_contexts import HistoryContexts
from experiments.recorded_world import Recorded
from features.errors import InputError
from features.instants import to_micros
from model.boosted import BoostedScorer
from model.caps.rulebook import Rulebook
from model.economics import Economics
from model.prior import PriorScorer
from replay_builders import FIRST, HORIZON, monthly_log
from training.pipeline import TrainingResult
from training.trial.document import Report, report_html
from training.trial.lineup import wanted_policies
from training.trial.log import read_log
from training.trial.runs import Terms, cross_fitted, logged, recorded_world, replayed
from training_histories import START

SOME = wanted_policies(["best-fixed", "due-day-schedule", "fixed-1-3-5-7", "no-retry"])
TERMS = Terms(Rulebook(()), Economics.default(), most=(1, 2), horizon_days=HORIZON, wanted=SOME, resamples=100)


def quiet(step: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


@pytest.fixture(scope="module")
def monthly(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Recorded]]:
    table, outcomes = monthly_log(350, seed=11)
    path = tmp_path_factory.mktemp("monthly") / "history.parquet"
    pq.write_table(table, path)
    return path, {payment: Recorded(clears) for payment, clears in outcomes.items()}


@pytest.fixture(scope="module")
def crossed(monthly: tuple[Path, dict[str, Recorded]]) -> Report:
    return cross_fitted(*monthly, 2, 0, TERMS, quiet)


def value(report: Report, name: str) -> float:
    return report.figures[name]


def test_cross_fitting_judges_every_payment_and_learns_when_money_comes(crossed: Report) -> None:
    assert crossed.data["payments"] == 350
    plan = value(crossed, "policy/plan/at_most_2/recovered")
    assert plan > value(crossed, "policy/fixed-1-3-5-7/at_most_2/recovered") + 0.1
    assert plan > value(crossed, "policy/plan/at_most_1/recovered")
    assert value(crossed, "policy/no-retry/at_most_2/recovered") == 0.0
    ahead = value(crossed, "ahead/best-fixed/at_most_2/recovered")
    assert ahead == pytest.approx(plan - value(crossed, "policy/best-fixed/at_most_2/recovered"))


def test_full_outcomes_are_shown_only_where_asked_for(crossed: Report) -> None:
    assert not any("full-outcomes" in name for name in crossed.figures)


def test_the_page_says_the_findings_first_and_needs_nothing_else(crossed: Report) -> None:
    page = report_html(crossed)
    assert page.index("In short") < page.index("<table>") < page.index("<svg")
    assert all(sentence.split("'")[0][:40] in page for sentence in crossed.findings)
    assert "http-equiv" not in page
    assert "<script" not in page
    assert "No limits were in force here" in page
    assert "By attempt" in page


def test_a_recorded_world_is_played_with_any_scorer(monthly: tuple[Path, dict[str, Recorded]]) -> None:
    history, outcomes = monthly
    log = read_log(history)
    world = recorded_world(log, outcomes, HORIZON)
    contexts = list(world.failures())[:60]
    report = replayed(world, contexts, log, PriorScorer(), "sixty payments", TERMS, quiet)
    assert report.lead == "sixty payments"
    assert report.data["payments"] == 60
    assert value(report, "policy/plan/at_most_1/attempts") <= 1.0
    plans = report.data["plans"]
    assert isinstance(plans, dict)
    assert sum(one["count"] for one in plans["by_retries_planned"] if one["number"]) <= 60
    assert [one["number"] for one in plans["by_place_in_plan"]] == [1, 2]
    assert "Whether plans keep what they promise" in {section.title for section in report.sections}
    assert any(sentence.startswith("Plans followed as told") for sentence in report.findings)
    with pytest.raises(InputError, match="no failed payment to play"):
        replayed(world, [], log, PriorScorer(), "none", TERMS, quiet)


def test_a_log_without_propensities_says_so_and_refuses_what_it_cannot_tell(
    monthly: tuple[Path, dict[str, Recorded]], tmp_path: Path
) -> None:
    history, _ = monthly
    late = to_micros(FIRST + timedelta(days=180))
    report = logged(history, PriorScorer(), late, 3, TERMS, quiet)
    assert report.data["propensities"] == "estimated"
    assert "policies are judged by their day alone" in report.findings[0]
    assert report.sections[0].title == "The first retry, by its day alone"
    assert any("cannot be told from this log" in sentence for sentence in report.findings)
    assert not any(name.startswith("off_policy/plan/dr") for name in report.figures)
    with pytest.raises(InputError, match="holds no retry of a payment that failed after"):
        logged(history, PriorScorer(), 10**16, 3, TERMS, quiet)


def test_a_model_is_judged_on_the_log_by_slice(result: TrainingResult, history_file: Path) -> None:
    wanted = Terms(Rulebook.load(), Economics.default(), most=(1,), wanted=wanted_policies([]), resamples=100)
    late = to_micros(START + timedelta(days=94))
    report = logged(history_file, BoostedScorer(result.artifact), late, 24, wanted, quiet)
    by = {table.caption for section in report.sections for table in section.tables}
    assert {"By category", "By market", "By attempt", "By month", "Overall"} <= by


def test_contexts_hold_nothing_later_than_they_say(monthly: tuple[Path, dict[str, Recorded]]) -> None:
    contexts = HistoryContexts(read_log(monthly[0]), HORIZON)
    failed = list(contexts.failures())
    assert len(failed) == 350
    for context in failed:
        assert len(context.own_attempts) == 1
        assert all(attempt.at <= context.as_of for attempt in context.attempts)
    for one in contexts.retries():
        assert one.attempt.attempt_id not in {attempt.attempt_id for attempt in one.context.attempts}
        assert one.context.as_of <= one.attempt.at

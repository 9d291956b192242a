"""Plans: close to trying every path, never over a limit at any step, and told as they add up."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from context_builders import NOW, card, context, contexts, failed
from features.action import Retry, Slot
from features.context import Context
from features.instants import MICROSECOND
from features.table import Asked
from model.alternatives import alternatives
from model.candidates import candidates, horizon_of
from model.caps.engine import verdicts
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import tally_of
from model.contingent import contingent
from model.decide import decide
from model.economics import Economics
from model.placed import placed
from model.planner import Case, Options, Planned, plan, plan_many
from model.planning.imagined import Imagining
from model.prior import PriorScorer
from model.scorer import Scores, ScoreSource
from planning_builders import MEAN, Wavy, best_path, case_of, daily, value_of

NO_RULES = Rulebook(())
RULEBOOK = Rulebook.load()
TIGHT = RULEBOOK.tightened(
    {
        "visa-cat2-reattempt-cap": Tightening(limit=4),
        "recoup-card-24h": Tightening(limit=1, window_hours=60),
        "mastercard-tpe-30d-excessive-attempts": Tightening(limit=3),
    }
)
FREE = Economics.from_toml(
    "[value]\nmargin = 1.0\nlater_invoices = 0.0\ndelay_per_day = 0.0\nhalf_life_days = 30.0\n"
    '[harm]\ncard = "0 EUR"\n[fees.default]\napproved = "0 EUR"\ndeclined = "0 EUR"\n'
    '[fees.south]\napproved = "2 EUR"\ndeclined = "1 EUR"\n[planning]\ncaution = 0.0\n'
)
METHOD = card(processors=("north", "south"))
FAILURE = context([METHOD, card("card_2")], [failed(METHOD)])


class Fixed:
    """Knows one chance for each retry, whatever was declined before."""

    version = "fixed"
    source: ScoreSource = "model"

    def __init__(self, retries: Sequence[Retry], chances: Sequence[float]) -> None:
        self.chances = dict(zip(retries, chances, strict=True))

    def score(self, context: Context, retries: Sequence[Retry]) -> Scores:
        p = np.array([self.chances[retry] for retry in retries], dtype=np.float64)
        return Scores(p, p, p, self.version, self.source)

    def score_many(self, asked: Sequence[Asked]) -> tuple[Scores, ...]:
        return tuple(self.score(context, retries) for context, retries in asked)


def retry(days: float, processor: str = "north", method: str = "card_1") -> Retry:
    start = NOW + timedelta(days=days)
    return Retry(Slot(start, start + timedelta(hours=1)), method, processor)


def fixed(retries: Sequence[Retry], chances: Sequence[float], most: int = 4) -> tuple[Case, Planned]:
    scorer = Fixed(retries, chances)
    case = Case(FAILURE, Options(tuple(retries), scorer.score(FAILURE, retries), ((),) * len(retries)), most)
    return case, plan(case, scorer, NO_RULES, FREE)


@pytest.mark.parametrize("seed", range(12))
def test_a_plan_over_few_days_is_that_of_trying_every_path(seed: int) -> None:
    case = case_of(daily(9), Wavy(seed), 3)
    planned = plan(case, Wavy(seed), NO_RULES, MEAN)
    value, path = best_path(case, Wavy(seed), MEAN)
    assert list(planned.path) == path
    assert float(planned.worth.max()) == pytest.approx(value)


@pytest.mark.parametrize("seed", range(10))
def test_a_plan_over_methods_and_processors_is_within_one_percent_of_trying_every_path(seed: int) -> None:
    methods, processors = ((2, ("north", "south")), (3, ("north",)))[seed % 2]
    case = case_of(daily(6, methods, processors), Wavy(seed), 3)
    planned = plan(case, Wavy(seed), NO_RULES, MEAN)
    best, _ = best_path(case, Wavy(seed), MEAN)
    assert value_of(case, planned.path, Wavy(seed), MEAN) >= 0.99 * best
    assert float(planned.worth.max()) == pytest.approx(best, rel=0.03)


@given(contexts(), st.sampled_from((RULEBOOK, TIGHT)))
@settings(max_examples=60, deadline=None)
def test_no_step_of_a_plan_breaks_a_limit_if_all_before_it_are_declined(failure: Context, rulebook: Rulebook) -> None:
    told = decide(failure, PriorScorer(), rulebook, Economics.default()).plan
    retries = [attempt.retry for attempt in told.attempts]
    for step, planned in enumerate(retries):
        imagined = Imagining(failure).after(retries[:step])
        method = failure.method(planned.method_id)
        proposal = Proposal(failure.payment, method, planned.processor, decided_at=imagined.as_of)
        for at in (planned.slot.start, planned.slot.start + planned.slot.length / 2, planned.slot.end - MICROSECOND):
            judged = verdicts(rulebook, tally_of(imagined), proposal, at)
            assert all(verdict.allowed for verdict in judged)
        assert imagined.as_of <= planned.slot.start < planned.slot.end <= failure.payment.recover_by


def test_limits_cut_plans_short() -> None:
    failure = context([card()], [failed(card(), ago=timedelta(hours=h)) for h in (1, 30)])
    loose, tight = (decide(failure, PriorScorer(), book, Economics.default()).plan for book in (RULEBOOK, TIGHT))
    assert len(loose.attempts) > 3
    assert len(tight.attempts) == 3  # one re-attempt is used of four


def test_many_payments_are_planned_as_each_alone() -> None:
    cases = [case_of(daily(days, methods), Wavy(3), 3) for days, methods in ((5, 1), (20, 2), (0, 1), (9, 3))]
    together = plan_many(cases, Wavy(3), NO_RULES, MEAN)
    for case, found in zip(cases, together, strict=True):
        alone = plan(case, Wavy(3), NO_RULES, MEAN)
        assert found.path == alone.path
        np.testing.assert_array_equal(found.worth, alone.worth)


def test_ties_go_to_the_option_listed_first() -> None:
    assert fixed([retry(1), retry(1)], [0.5, 0.5])[1].path == (0,)


def test_no_attempt_left_is_no_plan() -> None:
    assert fixed([retry(1)], [0.9], most=0)[1].first is None


def test_a_good_chance_now_is_not_put_off_for_a_slightly_better_one_later() -> None:
    retries = [retry(0), retry(4)]
    assert fixed(retries, [0.79, 0.9])[1].path == (0, 1)
    assert fixed(retries, [0.79, 0.9], most=1)[1].path == (1,)


def test_the_last_attempt_of_a_limit_is_kept_for_the_best_day() -> None:
    book = RULEBOOK.tightened({"visa-cat2-reattempt-cap": Tightening(limit=2, window_hours=2400)})
    method = card()
    one_used = context([method], [failed(method, "51", ago=timedelta(days=d)) for d in (1, 3)])
    retries = [r for r in candidates(one_used, horizon_of(one_used)) if r.slot.start - NOW < timedelta(days=9)]
    late = max(retries, key=lambda r: r.slot.start)
    scorer = Fixed(retries, [0.6 if r is late else 0.4 for r in retries])
    options = Options(tuple(retries), scorer.score(one_used, retries), ((),) * len(retries))
    assert plan(Case(one_used, options, 8), scorer, book, FREE).path == (len(retries) - 1,)
    assert len(plan(Case(one_used, options, 8), scorer, RULEBOOK, FREE).path) > 3


def test_caution_prefers_the_surer_of_two_like_chances() -> None:
    retries = [retry(1), retry(1, method="card_2")]
    chance, low, high = np.array([0.52, 0.5]), np.array([0.2, 0.48]), np.array([0.8, 0.52])
    options = Options(tuple(retries), Scores(chance, low, high, "test", "model"), ((), ()))
    careful = Economics.from_toml("[planning]\ncaution = 0.5\n")
    assert plan(Case(FAILURE, options, 1), PriorScorer(), NO_RULES, careful).path == (1,)
    assert plan(Case(FAILURE, options, 1), PriorScorer(), NO_RULES, MEAN).path == (0,)


def test_the_told_plan_adds_up() -> None:
    retries = [retry(0), retry(10, "south"), retry(30, method="card_2")]
    case, planned = fixed(retries, [0.3, 0.9, 0.5])
    told = contingent(case, planned, Fixed(retries, [0.3, 0.9, 0.5]))
    assert [a.reached for a in told.attempts] == pytest.approx([1.0, 0.7, 0.07])
    assert told.expected_attempts == pytest.approx(1.77)
    assert told.recovery_probability == pytest.approx(1 - 0.7 * 0.1 * 0.5)
    south = 0.9 * 4900 * 0.5 ** (10 / 30) - 0.9 * 200 - 0.1 * 100
    net = 0.3 * 4900 + 0.7 * south + 0.07 * 0.5 * 4900 * 0.5
    assert told.expected_net.amount_minor == pytest.approx(net, abs=1)
    assert told.expected_cost.amount_minor == round(0.7 * (0.9 * 200 + 0.1 * 100))
    assert told.expected_recovered.amount_minor == round((1 - 0.7 * 0.1 * 0.5) * 4900)
    earned = told.expected_net.amount_minor + told.expected_cost.amount_minor
    assert told.break_even_cost.amount_minor == pytest.approx(earned / 1.77, abs=1)
    assert planned.value == told.expected_net  # without caution


def test_an_alternative_says_what_it_lacks() -> None:
    case, planned = fixed([retry(0), retry(0, "south"), retry(0.9)], [0.5, 0.5, 0.4], most=1)
    dearer, later = alternatives(case.options, placed(FAILURE, case.options.retries), planned)
    assert dearer.why_not == "worth 1.50 EUR less: costs 1.50 EUR more"
    assert later.why_not == "worth 5.30 EUR less: 40 % likely instead of 50 %, 22 hours later"


def test_of_one_route_and_day_only_the_best_is_shown() -> None:
    hours = [retry(day + hour / 24) for day in range(8) for hour in range(3)]
    case, planned = fixed(hours, [0.5 - i / 100 for i in range(len(hours))], most=1)
    shown = alternatives(case.options, placed(FAILURE, case.options.retries), planned)
    assert [other.retry.slot.start - NOW for other in shown] == [timedelta(days=day) for day in range(1, 6)]

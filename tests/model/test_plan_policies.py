"""Policies that choose by a scorer: within every rule and bound, many as each alone, and honest propensities."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from context_builders import NOW, card, context, contexts, failed
from features.action import Retry, Stop
from features.attempt import Attempt
from features.context import Context
from features.errors import InvalidValueError
from features.vocabulary import Network
from model.caps.rulebook import Rulebook, Tightening
from model.decide import decide
from model.economics import Economics
from model.exploring import ExploringPlan, may_explore
from model.oracle import TrueScorer
from model.plan_policies import Greedy, PlanPolicy
from model.planning.imagined import Imagining
from model.policies import NoRetry, Policy, window_end
from model.prior import PriorScorer
from model.retries import retries_made
from model.screening import verdicts_on
from model.valuation import values
from planning_builders import MEAN, Wavy, daily

RULEBOOK = Rulebook.load()
ECONOMICS = Economics.default()
PRIOR = PriorScorer()
PLAN = PlanPolicy(PRIOR, RULEBOOK, ECONOMICS)


def policies(max_retries: int | None, horizon_days: float | None) -> list[Policy]:
    plan = PlanPolicy(PRIOR, RULEBOOK, ECONOMICS, max_retries, horizon_days)
    return [
        NoRetry(),
        Greedy(PRIOR, RULEBOOK, ECONOMICS, max_retries, horizon_days),
        Greedy(PRIOR, RULEBOOK, ECONOMICS, max_retries, horizon_days, by="probability"),
        plan,
        ExploringPlan(plan, "salt", share=0.2, within=0.5),
    ]


@given(st.lists(contexts(), min_size=1, max_size=3), st.sampled_from((None, 1, 4)), st.sampled_from((None, 10.0)))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_every_policy_keeps_rules_and_bounds_and_answers_many_as_each_alone(
    found: list[Context], most: int | None, days: float | None
) -> None:
    for policy in policies(most, days):
        together = policy.choices(found)
        assert list(together) == [policy.choices([one])[0] for one in found]
        for one, choice in zip(found, together, strict=True):
            assert 0.0 < choice.propensity <= 1.0
            if isinstance(choice.action, Retry):
                assert all(verdict.allowed for verdict in verdicts_on(one, choice.action, RULEBOOK))
                assert choice.action.slot.end <= window_end(one, days)
                assert most is None or retries_made(one) < most


def test_a_policy_stops_once_its_retries_are_made() -> None:
    method = card()
    failure = context([method], [failed(method, ago=timedelta(hours=h)) for h in (1, 30, 60)])
    for policy in policies(2, None)[1:]:
        assert policy.choices([failure])[0].action == Stop("retries_used_up")


def test_the_plan_policy_does_what_a_decision_says() -> None:
    failure = context([card(), card("card_2", Network.MASTERCARD)], [failed(card())])
    assert PLAN.choices([failure])[0].action == decide(failure, PRIOR, RULEBOOK, ECONOMICS).choice.action


def test_following_the_plan_after_each_decline_makes_at_most_so_many_retries() -> None:
    policy = PlanPolicy(Wavy(1), Rulebook(()), MEAN, max_retries=3, horizon_days=20)
    failure, made = daily(40, 2), 0
    while isinstance(action := policy.choices([failure])[0].action, Retry):
        failure, made = Imagining(failure).after([action]), made + 1
        assert action.slot.end <= NOW + timedelta(days=20)
    assert made == 3


def test_greedy_takes_the_best_single_retry() -> None:
    failure = context([card(), card("card_2", Network.MASTERCARD)], [failed(card())])
    (case, _), *_ = PLAN.plans([failure])
    chance = case.options.scores.probability
    net = values(failure, case.options.retries, chance, ECONOMICS).net
    by_net, by_chance = (
        Greedy(PRIOR, RULEBOOK, ECONOMICS, by=by).choices([failure])[0].action for by in ("net", "probability")
    )
    assert by_net == case.options.retries[int(np.argmax(net))]
    assert by_chance == case.options.retries[int(np.argmax(chance))]
    dear = Economics.from_toml('[fees.default]\napproved = "90 EUR"\ndeclined = "90 EUR"\n')
    assert Greedy(PRIOR, RULEBOOK, dear).choices([failure])[0].action == Stop("not_worth_it")


# --- exploration ------------------------------------------------------------------------------------------------------


def named(count: int, failure: Context | None = None) -> list[Context]:
    """The same failure of many payments."""
    one = failure or daily(25)
    paid = [replace(one.payment, payment_id=f"inv_{i}") for i in range(count)]
    return [replace(one, payment=payment, attempts=_of(one, i)) for i, payment in enumerate(paid)]


def _of(failure: Context, number: int) -> tuple[Attempt, ...]:
    return tuple(replace(attempt, payment_id=f"inv_{number}") for attempt in failure.attempts)


EXPLORING = ExploringPlan(
    PlanPolicy(Wavy(2), Rulebook(()), MEAN, max_retries=1), "a salt", share=0.2, within=0.3, floor=0.01, at_first=1
)


def test_the_draws_follow_the_stated_propensities() -> None:
    (case, planned), *_ = EXPLORING.plan.plans(named(1))
    places, probability = EXPLORING.distribution(case, planned)
    assert probability.sum() == pytest.approx(1.0)
    assert len(places) > 3
    assert probability.min() >= 0.2 * 0.01
    many = named(800)
    drawn = EXPLORING.choices(many)
    best = case.options.retries[planned.path[0]]
    off = sum(choice.action != best for choice in drawn) / len(many)
    expected = 1.0 - probability[list(places).index(planned.path[0])]
    assert off == pytest.approx(expected, abs=3 * np.sqrt(expected / len(many)))
    for choice in drawn[:50]:
        at = [i for i in places.tolist() if case.options.retries[i] == choice.action]
        assert choice.propensity == pytest.approx(probability[list(places).index(at[0])])


def test_what_is_drawn_is_worth_nearly_as_much_as_the_best() -> None:
    (case, planned), *_ = EXPLORING.plan.plans(named(1))
    places, probability = EXPLORING.distribution(case, planned)
    worth = planned.worth[places]
    assert worth.min() >= 0.7 * planned.worth.max()
    others = places != planned.path[0]
    assert np.all(np.diff(probability[others][np.argsort(worth[others])]) >= -1e-12)


def test_asked_again_it_answers_the_same_and_another_salt_explores_elsewhere() -> None:
    many = named(200)
    first = EXPLORING.choices(many)
    assert EXPLORING.choices(many) == first
    other = replace(EXPLORING, salt="another").choices(many)
    assert [c.action for c in first] != [c.action for c in other]


def test_an_exploring_payment_explores_at_one_retry_only() -> None:
    policy = replace(EXPLORING, plan=replace(EXPLORING.plan, max_retries=3), at_first=3)
    deviations = []
    for failure in named(30, daily(10)):
        now, off = failure, 0
        for _ in range(3):
            planned, chosen = policy.plan.choices([now])[0].action, policy.choices([now])[0].action
            if not isinstance(chosen, Retry):
                break
            off += planned != chosen
            now = Imagining(now).after([chosen])
        deviations.append(off)
    assert set(deviations) == {0, 1}


def test_it_never_explores_at_the_last_attempt_of_a_limit_nor_where_a_wait_is_advised() -> None:
    method = card()
    tight = RULEBOOK.tightened({"visa-cat2-reattempt-cap": Tightening(limit=1)})
    last = context([method], [failed(method, "51")])
    waiting = card("card_w", Network.MASTERCARD)
    advised = context([waiting], [failed(waiting, "51", advice_code="27")])
    for failure, book in ((last, tight), (advised, RULEBOOK)):
        exploring = ExploringPlan(PlanPolicy(PRIOR, book, ECONOMICS), "salt", share=0.2, within=0.5, at_first=1)
        (case, planned), *_ = exploring.plan.plans([failure])
        assert planned.first is not None
        assert not may_explore(case, planned.first)
        assert all(choice.propensity == 1.0 for choice in exploring.choices(named(15, failure)))


def test_a_share_out_of_range_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="share"):
        ExploringPlan(PLAN, "salt", share=0.5)


# --- oracle -----------------------------------------------------------------------------------------------------------


class Known:
    """A world in which one day is approved."""

    def __init__(self, day: int) -> None:
        self.day = day

    def chance(self, payment_id: str, actions: Sequence[Retry]) -> NDArray[np.float64]:
        return np.array([float((action.slot.start - NOW).days == self.day) for action in actions])


def test_who_knows_the_outcomes_makes_one_retry_and_it_succeeds() -> None:
    world = Known(6)
    action = PlanPolicy(TrueScorer(world), Rulebook(()), MEAN, max_retries=1).choices([daily(20)])[0].action
    assert isinstance(action, Retry)
    assert (action.slot.start - NOW).days == 6
    never = PlanPolicy(TrueScorer(Known(99)), Rulebook(()), MEAN).choices([daily(20)])[0].action
    assert never == Stop("not_worth_it")
    assert TrueScorer(world).score(daily(5), []).probability.size == 0

"""Payments planned together: attempts go where they add most, and no limit is broken by all of them at once."""

from dataclasses import replace
from datetime import timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from context_builders import NOW, card, context, failed
from features.context import Context
from features.errors import InvalidValueError
from features.instants import to_micros
from features.money import Money
from features.vocabulary import Network
from model.candidates import candidates, horizon_of
from model.caps.engine import verdicts
from model.caps.fixes import Fix, FixKind
from model.caps.proposal import Proposal
from model.caps.rulebook import Rulebook, Tightening
from model.caps.tally import Tally, event_of, tally_of
from model.decide import decide, decide_together
from model.decision import StopReason
from model.economics import Economics
from model.planner import Case, Options, drafts_of
from model.planning.imagined import after_declines
from model.prior import PriorScorer
from model.record import NOTHING, Record
from model.screening import screen
from model.together import allocate, plan_together
from planning_builders import MEAN, Wavy

PRIOR = PriorScorer()
RULEBOOK = Rulebook.load()
VISA = card()


def book(limit: int) -> Rulebook:
    """The rules with so many re-attempts of a Visa card in a window longer than any plan."""
    return RULEBOOK.tightened({"visa-cat2-reattempt-cap": Tightening(limit=limit, window_hours=2400, key=KEY)})


KEY = next(rule for rule in RULEBOOK.rules if rule.rule_id == "visa-cat2-reattempt-cap").key[:1]


def invoices(*amounts: int) -> list[Context]:
    """Payments of one customer with one card, each failed once; each context knows the attempts of all."""
    attempts = [
        failed(VISA, "51", ago=timedelta(hours=5 + i), payment_id=f"inv_{i}", amount=Money(amount, "EUR"))
        for i, amount in enumerate(amounts)
    ]
    blank = context([VISA], attempts, days=20)
    return [
        replace(blank, payment=replace(blank.payment, payment_id=f"inv_{i}", amount=Money(amount, "EUR")))
        for i, amount in enumerate(amounts)
    ]


def cases_of(contexts: list[Context], rulebook: Rulebook) -> list[Case]:
    cases = []
    for one in contexts:
        screened = screen(one, candidates(one, horizon_of(one)), rulebook)
        options = Options(screened.allowed, PRIOR.score(one, screened.allowed), screened.verdicts)
        cases.append(Case(one, options, 4))
    return cases


@given(
    st.lists(st.lists(st.floats(-5, 50), min_size=1, max_size=5), min_size=1, max_size=4),
    st.integers(0, 7),
)
def test_the_division_is_the_best_of_all(worth: list[list[float]], budget: int) -> None:
    shares = allocate(worth, budget)
    assert sum(shares) <= budget
    every = [s for s in product(*(range(len(values)) for values in worth)) if sum(s) <= budget]
    best = max(sum(values[k] for values, k in zip(worth, split, strict=True)) for split in every)
    assert sum(values[k] for values, k in zip(worth, shares, strict=True)) == pytest.approx(best)


@given(st.lists(st.lists(st.floats(0.01, 9), min_size=5, max_size=5), min_size=1, max_size=4), st.integers(0, 5))
def test_with_falling_increments_each_attempt_goes_to_whom_it_adds_most(steps: list[list[float]], budget: int) -> None:
    worth = [np.append(0.0, np.cumsum(sorted(gains, reverse=True))).tolist() for gains in steps]
    greedy = sum(sorted((gain for gains in steps for gain in gains), reverse=True)[:budget])
    shares = allocate(worth, budget)
    assert sum(values[k] for values, k in zip(worth, shares, strict=True)) == pytest.approx(greedy)


@pytest.mark.parametrize(("amounts", "limit"), [((9_000, 3_000), 4), ((9_000, 3_000, 500), 5), ((4_000, 4_000), 3)])
def test_the_plans_are_worth_what_the_best_of_all_divisions_is(amounts: tuple[int, ...], limit: int) -> None:
    rulebook = book(limit)
    cases = cases_of(invoices(*amounts), rulebook)
    left = limit - len(amounts) + 1  # the first attempt of the card is no re-attempt
    drafts = drafts_of(cases, PRIOR, rulebook, MEAN)

    def value(place: int, share: int) -> float:
        planned = drafts[place].planned({"card_1": share})
        return float(planned.worth[planned.path[0]]) if planned.path else 0.0

    splits = [s for s in product(range(left + 1), repeat=len(cases)) if sum(s) <= left]
    best = max(sum(value(place, share) for place, share in enumerate(split)) for split in splits)
    together = plan_together(cases, PRIOR, rulebook, MEAN)
    assert 0 < sum(len(planned.path) for planned in together) <= left
    assert sum(float(p.worth[p.path[0]]) for p in together if p.path) == pytest.approx(best)


@pytest.mark.parametrize("limit", [2, 3, 5, 8])
def test_all_paths_together_break_no_limit_when_everything_is_declined(limit: int) -> None:
    rulebook = book(limit)
    cases = cases_of(invoices(9_000, 3_000, 1_500), rulebook)
    planned = plan_together(cases, PRIOR, rulebook, MEAN)
    steps = [(case.options.retries[i], case) for case, plan in zip(cases, planned, strict=True) for i in plan.path]
    steps.sort(key=lambda step: step[0].slot.start)
    tally = tally_of(cases[0].context)
    for retry, case in steps:
        proposal = Proposal(case.context.payment, VISA, retry.processor, decided_at=NOW)
        assert all(v.allowed for v in verdicts(rulebook, tally, proposal, retry.slot.start))
        attempt = after_declines(case.context, [retry]).attempts[-1]
        named = replace(attempt, attempt_id=f"{attempt.payment_id} {to_micros(attempt.at)}")
        event = event_of(named, VISA, "acme")
        tally = Tally(tuple(sorted((*tally.events, event), key=lambda e: (e.at, e.attempt_id))))


def test_with_room_for_all_each_is_planned_as_alone() -> None:
    contexts = invoices(9_000, 3_000)
    alone = [decide(one, PRIOR, RULEBOOK, Economics.default()) for one in contexts]
    assert [d.choice for d in decide_together(contexts, PRIOR, RULEBOOK, Economics.default())] == [
        d.choice for d in alone
    ]


def test_what_was_mended_about_a_method_counts_for_all_of_its_payments() -> None:
    method = card(network=Network.MASTERCARD)
    attempts = [failed(method, "54", ago=timedelta(hours=5 + i), payment_id=f"inv_{i}") for i in range(2)]
    blank = context([method], attempts, days=20)
    contexts = [replace(blank, payment=replace(blank.payment, payment_id=f"inv_{i}")) for i in range(2)]
    renewed = Record(fixes=(Fix(method.method_id, FixKind.DETAILS, to_micros(NOW - timedelta(hours=1))),))
    for record, retried in ((NOTHING, False), (renewed, True)):
        for decision in decide_together(contexts, Wavy(1), RULEBOOK, MEAN, record=record):
            assert (decision.retry is not None) is retried


def test_the_small_invoice_is_left_without_a_retry_and_told_why() -> None:
    rulebook = book(3)
    large, small = decide_together(invoices(20_000, 200), PRIOR, rulebook, Economics.default())
    assert large.retry is not None
    assert small.stop is not None
    assert small.stop.reason == StopReason.LEFT_TO_OTHERS
    assert any("other payments" in reason.sentence for reason in small.reasons)
    assert decide(invoices(20_000, 200)[1], PRIOR, rulebook, Economics.default()).retry is not None


def test_payments_of_two_merchants_are_refused() -> None:
    one, two = invoices(100, 200)
    other = replace(two, payment=replace(two.payment, merchant_id="else"))
    with pytest.raises(InvalidValueError, match="one merchant"):
        decide_together([one, other], PRIOR, RULEBOOK, Economics.default())
    dollars = replace(two, payment=replace(two.payment, amount=Money(100, "USD")))
    with pytest.raises(InvalidValueError, match="one currency"):
        decide_together([one, dollars], PRIOR, RULEBOOK, Economics.default())

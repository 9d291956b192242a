"""One experiment from facts to verdicts: nothing immature enters, nothing is shown on a broken split."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from cohort_builders import START, instant, instants
from experiments.analysis.analysis import AnalysisPlan, PlannedWeights, analyse
from experiments.analysis.guard_rails import GuardRail, State
from experiments.analysis.intervals import FEWEST
from experiments.analysis.verdict import Word
from experiments.definition import Method
from experiments.metrics.cohort import Cohort, Event, Events, FailedPayments, Floats, Int64s, Retries, Units
from experiments.metrics.maturity import Window
from experiments.metrics.unit_rows import Covariate
from features.errors import InvalidValueError

HALVES = (PlannedWeights(START, {"control": 0.5, "treatment": 0.5}),)
PLAN = AnalysisPlan(
    control="control",
    weights=HALVES,
    window=Window(20),
    planned_units=4_000,
    minimum_days=14,
    guard_rails=(GuardRail("attempts_per_payment", 0.2), GuardRail("chargebacks", 0.02)),
    secondary=("net_value", "days_unpaid", "retention_30"),
    segments=("market",),
    covariates={"recovered_value": Covariate("past_share")},
)


def _facts(
    seed: int,
    lift: float,
    *,
    units: int = 5_000,
    weights: tuple[float, ...] = (0.5, 0.5),
    variants: tuple[str, ...] = ("control", "treatment"),
    retries: tuple[float, ...] = (2.0, 2.0),
) -> Cohort:
    """Units that fail over 40 days and recover in 10 or never; the second variant recovers so much more of them."""
    rng = np.random.default_rng(seed)
    variant = rng.choice(len(variants), units, p=weights)
    exposed = np.sort(rng.uniform(0, 40, units))
    willing = rng.beta(3, 3, units)
    won = rng.random(units) < willing + lift * (variant == 1)
    paid = np.where(won, exposed + rng.uniform(0, 10, units), np.nan)
    amount = rng.lognormal(7, 0.5, units)
    count = rng.poisson(np.asarray(retries)[np.minimum(variant, 1)])
    tried = np.repeat(np.arange(units), count)
    never = instants(np.full(units, np.nan))
    payments = FailedPayments(
        unit=np.arange(units),
        failed_at=instants(exposed),
        amount=amount,
        paid_at=instants(paid),
        paid_amount=np.where(won, amount, 0.0),
        paid_by_customer=np.zeros(units, dtype=np.bool_),
        taken_back_at=never,
        given_up_at=never,
        incentive=np.zeros(units),
        attempts_allowed=np.full(units, 15),
    )
    tries = Retries(tried, instants(exposed[tried] + rng.uniform(0, 10, len(tried))), np.full(len(tried), 10.0))
    ended = np.flatnonzero(~won & (rng.random(units) < 0.3))
    events = Events(
        ended, instants(exposed[ended] + 15), np.full(len(ended), int(Event.ENDED_UNPAID)), np.zeros(len(ended))
    )
    return Cohort(_units(variants, variant, exposed, willing, rng), payments, tries, events)


def _units(
    variants: tuple[str, ...], variant: Int64s, exposed: Floats, willing: Floats, rng: np.random.Generator
) -> Units:
    return Units(
        variants=variants,
        variant=variant,
        exposed_at=instants(exposed),
        propensity=np.full(len(variant), 0.5),
        covariates={"past_share": rng.binomial(8, willing) / 8},
        segments={"market": rng.choice(["de", "fr"], len(variant)).astype(np.str_)},
    )


def test_a_better_policy_wins_is_ready_to_ship_and_is_shown_whole() -> None:
    found = analyse(_facts(1, 0.12), PLAN, instant(80))
    (one,) = found.variants
    assert one.verdict.word is Word.READY
    assert one.primary is not None
    assert one.primary.always.low < 0.12 < one.primary.always.high
    assert one.primary.reduction > 0.03
    assert [guarded.state for guarded in one.guarded] == [State.HELD, State.HELD]
    assert [claim.effect.metric for claim in one.secondary] == list(PLAN.secondary)
    assert one.secondary[0].always_p >= one.secondary[0].effect.always_p
    assert {segment.label for segment in one.segments[0].effects} == {"de", "fr"}
    assert found.collecting == {"control": 0, "treatment": 0}


def test_until_units_are_mature_the_verdict_is_collecting() -> None:
    facts = _facts(1, 0.12)
    early = analyse(facts, PLAN, instant(19))
    assert early.variants[0].primary is None
    assert early.variants[0].verdict.word is Word.COLLECTING
    assert sum(early.mature.values()) == 0
    before = analyse(facts, replace(PLAN, minimum_days=60), instant(50))
    assert before.variants[0].verdict.word is Word.COLLECTING
    assert "minimum run of 60 days" in before.variants[0].verdict.sentence


def test_amounts_of_which_a_few_outweigh_the_rest_are_collecting_and_the_verdict_says_so() -> None:
    facts = _facts(1, 0.12)
    amount = np.where(np.arange(5_000) < 10, 1e9, facts.payments.amount)
    paid = np.where(facts.payments.paid_amount > 0, amount, 0.0)
    uneven = replace(facts, payments=replace(facts.payments, amount=amount, paid_amount=paid))
    (one,) = analyse(uneven, PLAN, instant(80)).variants
    assert (one.verdict.word, one.primary) == (Word.COLLECTING, None)
    assert one.verdict.sentence.startswith("recovered_value is not readable yet: a few units of ")


def test_what_happens_to_collecting_units_changes_nothing_that_is_shown() -> None:
    facts = _facts(2, 0.05)
    as_of = instant(35)
    young = facts.units.exposed_at[facts.payments.unit] > instant(15)
    changed = replace(
        facts,
        payments=replace(facts.payments, paid_at=np.where(young, facts.payments.failed_at, facts.payments.paid_at)),
    )
    assert analyse(changed, PLAN, as_of).variants == analyse(facts, PLAN, as_of).variants


def test_a_broken_split_withholds_every_outcome() -> None:
    found = analyse(_facts(3, 0.12, weights=(0.45, 0.55)), PLAN, instant(80))
    (one,) = found.variants
    assert found.withheld
    assert one.verdict.word is Word.UNHEALTHY
    assert (one.primary, one.guarded, one.secondary, one.segments, found.lift) == (None, (), (), (), None)


def test_a_policy_that_tries_far_more_often_breaches_its_guard_rail_though_it_recovers_more() -> None:
    found = analyse(_facts(4, 0.12, retries=(2.0, 3.0)), PLAN, instant(80))
    assert found.variants[0].verdict.word is Word.BREACHED
    assert found.variants[0].verdict.sentence.startswith(
        "attempts_per_payment is worse by more than its margin of 0.2:"
    )


def test_the_fixed_method_says_nothing_before_the_planned_size() -> None:
    plan = replace(PLAN, method=Method.FIXED)
    assert analyse(_facts(5, 0.12), plan, instant(40)).variants[0].verdict.word is Word.COLLECTING
    assert analyse(_facts(5, 0.12), plan, instant(80)).variants[0].verdict.word is Word.READY


def test_what_the_fixed_method_reads_at_the_planned_size_no_later_day_changes() -> None:
    plan = replace(PLAN, method=Method.FIXED, planned_units=2_000)
    facts = _facts(10, 0.05)
    shown = [analyse(facts, plan, instant(day)).variants[0] for day in (44, 60, 90)]
    assert sum(shown[0].primary.units if shown[0].primary else ()) == 2_000
    assert len({one.verdict for one in shown}) == 1
    assert shown[0].secondary[0] == shown[2].secondary[0]
    assert shown[0].segments == shown[2].segments


def test_by_the_fixed_method_a_guard_rail_with_days_of_its_own_is_held_once_its_own_units_are_as_many_as_planned() -> (
    None
):
    """The primary metric has all its 2,000 units on day 44; of those 30 days old there are 1,700 on that of 1,000."""
    rails = (GuardRail("retention_30", 0.2),)
    plan = replace(PLAN, method=Method.FIXED, planned_units=2_000, guard_rails=rails, secondary=())
    facts = _facts(10, 0.12)
    early, planned = (analyse(facts, plan, instant(day)).variants[0] for day in (44, 60))
    assert early.guarded[0].effect is not None
    assert FEWEST < sum(early.guarded[0].effect.units) < 2_000
    assert (early.verdict.word, early.guarded[0].state) == (Word.WINS, State.OPEN)
    assert (planned.verdict.word, planned.guarded[0].state) == (Word.READY, State.HELD)
    at_any_time = analyse(facts, replace(plan, method=Method.SEQUENTIAL), instant(44)).variants[0]
    assert at_any_time.guarded[0].state is State.HELD


def test_an_a_a_test_that_differs_is_unhealthy_and_one_that_does_not_is_as_it_should_be() -> None:
    plan = replace(PLAN, same_policy=True)
    assert analyse(_facts(6, 0.12), plan, instant(80)).variants[0].verdict.word is Word.UNHEALTHY
    same = analyse(_facts(6, 0.0), plan, instant(80)).variants[0].verdict
    assert same.word is Word.NO_DIFFERENCE
    assert "As it should be" in same.sentence


def test_several_variants_share_alpha_and_the_hold_out_has_a_lift_and_no_verdict() -> None:
    weights = {"control": 0.4, "treatment": 0.25, "other": 0.25, "none": 0.1}
    plan = replace(PLAN, weights=(PlannedWeights(START, weights),), hold_out="none")
    facts = _facts(7, 0.12, weights=tuple(weights.values()), variants=tuple(weights))
    found = analyse(facts, plan, instant(80))
    assert [one.variant for one in found.variants] == ["treatment", "other"]
    assert {one.primary.alpha for one in found.variants if one.primary} == {0.025}
    assert found.lift is not None
    assert found.lift.effect.units[0] == found.mature["none"]


def test_units_are_judged_by_the_weights_in_force_when_they_came() -> None:
    facts = _facts(8, 0.0)
    early = facts.units.exposed_at < instant(20)
    rng = np.random.default_rng(9)
    variant = np.where(early, rng.random(5_000) < 0.1, rng.random(5_000) < 0.5).astype(np.int64)
    changed = replace(facts, units=replace(facts.units, variant=variant))
    ramp = (PlannedWeights(START, {"control": 0.9, "treatment": 0.1}), PlannedWeights(instant(20), HALVES[0].weights))
    assert analyse(changed, PLAN, instant(80)).withheld
    assert not analyse(changed, replace(PLAN, weights=ramp), instant(80)).withheld


def test_a_variant_that_starts_later_has_no_units_and_no_weight_before() -> None:
    facts = _facts(11, 0.0)
    late = facts.units.exposed_at >= instant(20)
    variant = np.where(late, facts.units.variant, 0)
    changed = replace(facts, units=replace(facts.units, variant=variant))
    plan = replace(
        PLAN, weights=(PlannedWeights(START, {"control": 1.0}), PlannedWeights(instant(20), HALVES[0].weights))
    )
    assert not analyse(changed, plan, instant(80)).withheld
    early = replace(changed, units=replace(changed.units, variant=np.where(late, 0, facts.units.variant)))
    assert analyse(early, plan, instant(80)).withheld
    nobody = replace(
        changed, units=replace(changed.units, variants=("control",), variant=np.zeros(5_000, dtype=np.int64))
    )
    assert analyse(nobody, plan, instant(19)).variants[0].verdict.word is Word.COLLECTING


def test_controls_from_before_a_variant_could_be_assigned_are_not_compared_with_it() -> None:
    """Nothing was recovered in the first 20 days, when everybody was control."""
    facts = _facts(12, 0.0)
    late = facts.units.exposed_at >= instant(20)
    paid_at = np.where(late, facts.payments.paid_at, np.datetime64("NaT"))
    changed = replace(
        facts,
        units=replace(facts.units, variant=np.where(late, facts.units.variant, 0)),
        payments=replace(facts.payments, paid_at=paid_at),
    )
    weights = (PlannedWeights(START, {"control": 1.0}), PlannedWeights(instant(20), HALVES[0].weights))
    (one,) = analyse(changed, replace(PLAN, weights=weights), instant(80)).variants
    assert one.primary is not None
    assert sum(one.primary.units) == late.sum()
    assert one.primary.always.low < 0 < one.primary.always.high


def test_secondary_metrics_that_are_not_mature_yet_count_as_claims() -> None:
    plan = replace(PLAN, secondary=("net_value", "retention_90"))
    (one,) = analyse(_facts(1, 0.12), plan, instant(80)).variants
    (claim,) = one.secondary
    assert claim.effect.metric == "net_value"
    assert claim.fixed_p == pytest.approx(2 * claim.effect.fixed_p)


def test_what_is_not_measured_has_no_answer_and_holds_shipping_back() -> None:
    unmeasured = frozenset({"chargebacks", "net_value"})
    plan = replace(PLAN, unmeasured=unmeasured, secondary=("net_value", "days_unpaid"))
    facts = _facts(1, 0.12)
    (one,) = analyse(facts, plan, instant(80)).variants
    assert one.verdict.word is Word.WINS
    assert one.verdict.sentence.endswith("not yet shown to be within the margin: chargebacks.")
    assert [(rail.state, rail.effect is None) for rail in one.guarded] == [(State.HELD, False), (State.OPEN, True)]
    (claim,) = one.secondary
    assert claim.fixed_p == pytest.approx(2 * claim.effect.fixed_p)


def test_intervals_may_be_tuned_for_another_number_than_the_planned() -> None:
    facts = _facts(1, 0.12)
    tuned = replace(PLAN, planned_units=9_000, tuned_units=PLAN.planned_units)
    (one,), (other,) = (analyse(facts, plan, instant(80)).variants for plan in (PLAN, tuned))
    assert one.primary == other.primary


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda: replace(PLAN, primary="recovery_rate"), "recovery_rate"),
        (lambda: replace(PLAN, secondary=("churn",)), "churn"),
        (lambda: replace(PLAN, control="b"), "one of control, treatment"),
        (lambda: replace(PLAN, hold_out="b"), "one of control, treatment"),
        (lambda: replace(PLAN, hold_out="treatment"), "besides control and hold-out"),
        (lambda: replace(PLAN, alpha=1.5), "alpha"),
        (lambda: replace(PLAN, weights=()), "planned weights"),
        (lambda: replace(PLAN, planned_units=0), "planned_units"),
        (lambda: replace(PLAN, unmeasured=frozenset({"recovered_value"})), "one that is measured"),
    ],
)
def test_plans_that_cannot_be_followed_are_refused(change: Callable[[], AnalysisPlan], named: str) -> None:
    with pytest.raises(InvalidValueError, match=named):
        change()


def test_units_of_an_unplanned_variant_and_labels_that_are_not_there_are_refused() -> None:
    facts = _facts(1, 0.0, units=500)
    with pytest.raises(InvalidValueError, match="one of the planned"):
        analyse(replace(facts, units=replace(facts.units, variants=("control", "new"))), PLAN, instant(80))
    with pytest.raises(InvalidValueError, match="one of market"):
        analyse(facts, replace(PLAN, segments=("rail",)), instant(80))

"""A definition says all of its analysis; what it leaves open is estimated blind and does not move afterwards."""

from dataclasses import replace

import numpy as np
import pytest

from cohort_builders import START, instant, instants
from experiment_builders import a_definition, running
from experiments.allocation import allocation, propensities
from experiments.analysis_plans import FIRST_UNITS, Planned, analysis_plan, design_of, planned_units
from experiments.definition import HOLD_OUT, Definition, Method
from experiments.metrics.cohort import Cohort, Events, FailedPayments, Retries, Units

PLANNED = Planned(5_000, settled=True, stated=True)
# The cohorts below know nothing from before the failure.
DEFINITION = a_definition(("coverage = 1.0", 'coverage = 1.0\ncovariate = "none"'))


def a_cohort(seed: int = 1, units: int = 1_000) -> Cohort:
    """One payment of 10 to 90 a unit over 40 days, of which four in ten come back on the third day."""
    rng = np.random.default_rng(seed)
    exposed = np.sort(rng.uniform(0, 40, units))
    amount, won = rng.uniform(10, 90, units), rng.random(units) < 0.4
    none, never = np.zeros(0, dtype=np.int64), instants(np.full(units, np.nan))
    return Cohort(
        Units(("fixed", "plan"), rng.integers(0, 2, units), instants(exposed), np.full(units, 0.5), {}, {}),
        FailedPayments(
            unit=np.arange(units),
            failed_at=instants(exposed),
            amount=amount,
            paid_at=instants(np.where(won, exposed + 3, np.nan)),
            paid_amount=np.where(won, amount, 0.0),
            paid_by_customer=np.zeros(units, dtype=np.bool_),
            taken_back_at=never,
            given_up_at=never,
            incentive=np.zeros(units),
            attempts_allowed=np.zeros(units, dtype=np.int64),
        ),
        Retries(none, instants([]), np.zeros(0)),
        Events(none, instants([]), none, np.zeros(0)),
    )


def test_the_plan_is_what_the_definition_says() -> None:
    definition = a_definition(
        (
            "window_days = 30",
            """
            window_days = 21
            method = "fixed"
            alpha = 0.1
            hold_out = 0.2
            secondary_metrics = ["net_value"]
            guardrails = { days_unpaid = { margin = 0.5 } }""",
        )
    )
    plan = analysis_plan(definition, PLANNED)
    assert (plan.control, plan.compared, plan.hold_out) == ("fixed", ("plan",), HOLD_OUT)
    assert (plan.window.days, plan.minimum_days, plan.method, plan.alpha) == (21, 28, Method.FIXED, 0.1)
    assert [(rail.metric, rail.margin) for rail in plan.guard_rails] == [("days_unpaid", 0.5)]
    assert (plan.primary, plan.secondary, plan.planned_units) == ("recovered_value", ("net_value",), 5_000)
    assert plan.weights[0].weights == {HOLD_OUT: 0.2, "fixed": 0.4, "plan": 0.4}


def test_weights_are_those_of_whole_buckets_from_every_ramp_on() -> None:
    definition = running(a_definition(("coverage = 1.0", "coverage = 1.0\nhold_out = 0.0333")), 0.01, 1.0)
    first, then = analysis_plan(definition, PLANNED).weights
    assert first.weights == propensities(allocation(definition, 0.01)) != then.weights
    assert then.weights == propensities(allocation(definition, 1.0))
    assert [one.since.astype(object) for one in (first, then)] == [
        entry.at.replace(tzinfo=None) for entry in definition.history
    ]


@pytest.mark.parametrize(
    ("swap", "same"),
    [
        (('{ kind = "plan" }', '{ kind = "fixed_days", days = [1, 3, 5, 7] }'), True),
        (('{ kind = "plan" }', '{ kind = "fixed_days", days = [1, 3, 5, 8] }'), False),
    ],
)
def test_variants_that_all_do_the_same_are_an_a_a_test(swap: tuple[str, str], *, same: bool) -> None:
    assert analysis_plan(a_definition(swap), PLANNED).same_policy is same


def test_the_hold_out_is_no_variant_to_plan_for() -> None:
    design = design_of(a_definition(("coverage = 1.0", "coverage = 1.0\nhold_out = 0.1")))
    assert (design.control_share, design.variant_share, design.claims) == (0.45, 0.45, 1)


def test_each_variant_besides_control_is_a_claim_to_plan_for() -> None:
    more = '[variants.stop]\nweight = 0.25\npolicy = { kind = "no_retry" }\n\n[variants.plan]\nweight = 0.25'
    several = a_definition(("[variants.plan]\nweight = 0.5", more))
    assert design_of(several).claims == len(analysis_plan(several, PLANNED).compared) == 2


def test_a_stated_number_is_taken_whatever_was_seen() -> None:
    stated = replace(DEFINITION, planned_units=900)
    assert planned_units(stated, a_cohort(), instant(100)) == Planned(900, settled=True, stated=True)
    assert analysis_plan(stated, PLANNED).tuned_units is None


def test_an_estimate_is_blind_to_variants_and_the_same_on_every_later_day() -> None:
    cohort = a_cohort()
    flipped = replace(cohort, units=replace(cohort.units, variant=1 - cohort.units.variant))
    found = planned_units(DEFINITION, cohort, instant(50))
    assert (found.settled, found.stated) == (True, False)
    assert planned_units(DEFINITION, flipped, instant(50)) == found == planned_units(DEFINITION, cohort, instant(100))
    # Half each, 0.4 of the amount back: (1/0.5 + 1/0.5) (1.96 + 0.84)² Var / (0.05 · 0.4)² with one look at the end.
    amount = cohort.payments.amount[:FIRST_UNITS]
    back = cohort.payments.paid_amount[:FIRST_UNITS]
    share = back.sum() / amount.sum()
    deviation = np.std((back - share * amount) / amount.mean(), ddof=1)
    fixed = planned_units(_fixed(), cohort, instant(50))
    assert fixed.units == pytest.approx(4 * (1.959964 + 0.841621) ** 2 * deviation**2 / (0.05 * share) ** 2, rel=1e-3)
    assert analysis_plan(DEFINITION, found).tuned_units == analysis_plan(DEFINITION, PLANNED_LATER).tuned_units


PLANNED_LATER = Planned(77_000, settled=True, stated=False)


def _fixed() -> Definition:
    return replace(DEFINITION, method=Method.FIXED)


def test_before_enough_are_mature_the_number_is_open_and_out_of_reach() -> None:
    early = planned_units(DEFINITION, a_cohort(units=300), instant(100))
    assert (early.settled, early.units) == (False, FIRST_UNITS)
    nothing_back = a_cohort()
    lost = replace(nothing_back, payments=replace(nothing_back.payments, paid_amount=np.zeros(1_000)))
    open_still = planned_units(DEFINITION, lost, instant(100))
    assert (open_still.settled, open_still.units) == (False, 1_001)


def test_the_start_of_a_draft_is_long_ago() -> None:
    (only,) = analysis_plan(DEFINITION, PLANNED).weights
    assert only.since < START

"""A bandit's next weights come of matured outcomes alone, and there are none where they would not be sound."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest
from scipy.special import ndtr

from bandit_builders import WEEK, Fate, a_bandit, fates, observed, reweighted
from experiment_builders import START, a_definition, running
from experiments.cohorts import cohort_of
from experiments.definition import Change, Definition, Entry, Status
from experiments.reweighing import Refusal, Reweighing, reweighing
from experiments.thompson import matched_weights
from features.errors import InvalidValueError
from model.economics import Economics

ECONOMICS = Economics.default()
VARIANTS = ("fixed", "plan")
CUSTOMERS = fates(1, 300, 8, {"fixed": 0.40, "plan": 0.46})


def asked(definition: Definition, weeks: float, customers: list[Fate] = CUSTOMERS) -> Reweighing | Refusal:
    at = START + weeks * WEEK
    return reweighing(definition, cohort_of(observed(definition, customers, at), VARIANTS, ECONOMICS), at)


def answered(definition: Definition, weeks: float, customers: list[Fate] = CUSTOMERS) -> Reweighing:
    found = asked(definition, weeks, customers)
    assert isinstance(found, Reweighing), found
    return found


def test_the_weights_are_those_of_the_ratios_of_mature_customers_counted_by_hand() -> None:
    at = START + 5 * WEEK
    found = answered(a_bandit(), 5)
    figures = {}
    for name in VARIANTS:
        mature = [
            one
            for one in observed(a_bandit(), CUSTOMERS, at)
            if one.variant == name and one.exposed_at + timedelta(days=14) <= at
        ]
        failed = np.array([one.amount.amount_minor for one in mature], dtype=np.float64)
        back = np.array([one.outcome.recovered_minor for one in mature], dtype=np.float64)
        ratio = back.sum() / failed.sum()
        error = np.std(back - ratio * failed, ddof=1) / failed.mean() / len(mature) ** 0.5
        figures[name] = (len(mature), ratio, error)
    for arm in found.arms:
        assert arm.mature == figures[arm.variant][0]
        assert arm.value == pytest.approx(figures[arm.variant][1])
        assert arm.error == pytest.approx(figures[arm.variant][2], rel=1e-6)
        assert arm.before == 0.5
    gap = figures["plan"][1] - figures["fixed"][1]
    chance = float(ndtr(gap / np.hypot(figures["plan"][2], figures["fixed"][2])))
    assert found.arms[1].best == pytest.approx(chance, abs=1e-3)
    assert found.weights == pytest.approx(matched_weights({"fixed": 1 - chance, "plan": chance}, 0.1), abs=2e-3)


def test_what_is_not_mature_has_no_say() -> None:
    late = [replace(one, paid_by=frozenset()) if one.failed_at > START + 3 * WEEK else one for one in CUSTOMERS]
    assert answered(a_bandit(), 5, late) == answered(a_bandit(), 5)
    assert answered(a_bandit(), 7, late) != answered(a_bandit(), 7)


def test_later_weights_compare_arms_within_each_set_of_them() -> None:
    """Everybody becomes more willing while the plan is given more: pooled it would look better, and it is the same."""
    customers = fates(2, 1_000, 8, {"fixed": 0.3, "plan": 0.3}, drift=0.06)
    definition = reweighted(a_bandit(), 4, fixed=0.1, plan=0.9)
    fixed, plan = answered(definition, 8, customers).arms
    assert abs(plan.value - fixed.value) < 3 * np.hypot(plan.error, fixed.error)
    assert (fixed.before, plan.before) == (0.1, 0.9)
    back: dict[str, list[float]] = {"fixed": [], "plan": []}
    for one in observed(definition, customers, START + 8 * WEEK):
        if one.exposed_at + timedelta(days=14) <= START + 8 * WEEK:
            back[one.variant].append(float(one.outcome.recovered))
    assert np.mean(back["plan"]) - np.mean(back["fixed"]) > 4 * np.hypot(plan.error, fixed.error)


def test_where_less_is_better_the_arm_with_less_is_given_more() -> None:
    unpaid = a_bandit(('"recovered_value"', '"days_unpaid"'))
    assert answered(unpaid, 5).arms[1].best > 0.5
    assert answered(unpaid, 5).arms[1].value < answered(unpaid, 5).arms[0].value


def test_before_the_pace_says_so_the_weights_stay() -> None:
    found = asked(reweighted(a_bandit(), 4, fixed=0.4, plan=0.6), 4.9)
    assert found == Refusal(
        "The weights are those of 2026-11-29 00:00 UTC; with every_days = 7 the next are due on 2026-12-06 00:00 UTC."
    )
    assert isinstance(asked(reweighted(a_bandit(), 4, fixed=0.4, plan=0.6), 5), Reweighing)


def test_a_split_that_is_not_the_planned_one_shows_no_outcome() -> None:
    definition, at = a_bandit(), START + 5 * WEEK
    lost = [
        one for place, one in enumerate(observed(definition, CUSTOMERS, at)) if one.variant == "plan" or place % 3 == 0
    ]
    found = reweighing(definition, cohort_of(lost, VARIANTS, ECONOMICS), at)
    assert isinstance(found, Refusal)
    assert "The split is not what was planned" in found.sentence


def test_the_split_is_held_against_the_weights_that_each_unit_was_assigned_by() -> None:
    """A service that is restarted five days after the change goes on with the old weights until then."""
    definition = reweighted(a_bandit(), 4, fixed=0.1, plan=0.9)
    told = START + 4 * WEEK + timedelta(days=5)
    before = [one for one in CUSTOMERS if one.failed_at < told]
    after = [one for one in CUSTOMERS if one.failed_at >= told]
    at = START + 7 * WEEK
    mixed = [*observed(a_bandit(), before, at), *observed(definition, after, at)]
    assert isinstance(reweighing(definition, cohort_of(mixed, VARIANTS, ECONOMICS), at), Reweighing)
    unnamed = [replace(one, divided_since=None) for one in mixed]
    found = reweighing(definition, cohort_of(unnamed, VARIANTS, ECONOMICS), at)
    assert isinstance(found, Refusal)


def test_too_few_units_are_named() -> None:
    few, at = fates(1, 150, 8, {"fixed": 0.4, "plan": 0.4}), START + 2.5 * WEEK
    seen = observed(a_bandit(), few, at)
    mature = Counter(one.variant for one in seen if one.exposed_at + timedelta(days=14) <= at)
    fewest, name = min((count, name) for name, count in mature.items())
    sentence = f"{name} has {fewest} mature units; at least 100 of every variant are needed."
    assert asked(a_bandit(), 2.5, few) == Refusal(sentence)
    found = asked(reweighted(a_bandit(), 4, fixed=0.1, plan=0.9), 5)
    assert isinstance(found, Refusal)
    assert found.sentence.startswith("fixed has 3")
    assert "by the present weights" in found.sentence


def test_an_arm_without_variation_is_named() -> None:
    found = asked(a_bandit(), 5, fates(1, 300, 8, {"fixed": 0.0, "plan": 0.4}))
    assert found == Refusal(
        "All mature units of fixed have the same recovered_value; its uncertainty cannot be told yet."
    )


@pytest.mark.parametrize(
    ("definition", "sentence"),
    [
        (running(a_definition()), "bandit: 'nothing' is not accepted"),
        (replace(a_bandit(), status=Status.DRAFT, history=()), "status: 'draft' is not accepted; expected running"),
        (
            replace(
                a_bandit(),
                status=Status.STOPPED,
                history=(*a_bandit().history, Entry(START + WEEK, Change.STOPPED, "Ann")),
            ),
            "status: 'stopped' is not accepted",
        ),
    ],
)
def test_what_is_no_running_bandit_is_refused(definition: Definition, sentence: str) -> None:
    nobody = cohort_of([], VARIANTS, ECONOMICS)
    with pytest.raises(InvalidValueError, match=f"^{sentence}"):
        reweighing(definition, nobody, datetime.fromisoformat("2027-01-01T00:00:00Z"))

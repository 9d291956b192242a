"""Arms whose shares changed are compared within each set of weights and put together by counts alone."""

from dataclasses import replace

import numpy as np
import pytest

from cohort_builders import instants
from experiments.analysis.difference import contrast
from experiments.analysis.effect import Effect, effect
from experiments.analysis.epochs import FEWEST_IN_EPOCH, combined
from experiments.analysis.intervals import Tuning
from experiments.analysis.moments import Moments
from experiments.analysis.timeline import timeline
from experiments.metrics.catalogue import METRICS
from experiments.metrics.cohort import Floats
from experiments.metrics.unit_rows import UnitRows
from row_builders import clustered, means, rows

TUNING = Tuning(2_000)
SIZES = ((900, 100), (150, 850), (500, 500))
DRIFT = (0.0, 0.2, 0.1)


def in_epochs(arms: list[tuple[Floats, Floats]], metric: str = "recovered_value") -> UnitRows:
    """Rows of (control, treatment) by epoch."""
    found = rows([np.concatenate([epoch[arm] for epoch in arms]) for arm in range(2)], metric=metric)
    numbers = [np.repeat(np.arange(len(arms)), [len(epoch[arm]) for epoch in arms]) for arm in range(2)]
    return replace(found, epoch=np.concatenate(numbers))


def drifting(seed: int, lift: float) -> list[tuple[Floats, Floats]]:
    rng = np.random.default_rng(seed)
    return [(clustered(rng, c, up), clustered(rng, t, up + lift)) for (c, t), up in zip(SIZES, DRIFT, strict=True)]


def shown(found: UnitRows) -> Effect:
    answer = effect(found, "treatment", "control", TUNING, 0.05)
    assert answer is not None
    return answer


def test_means_of_epochs_are_weighed_by_the_geometric_mean_of_the_counts_with_their_own_variances() -> None:
    rng = np.random.default_rng(3)
    values = [(rng.normal(1, 1, c), rng.normal(2, 3, t)) for c, t in SIZES]
    found = shown(in_epochs([(means(c), means(t)) for c, t in values]))
    weight = np.sqrt([c * t for c, t in SIZES])
    difference = sum(w * (t.mean() - c.mean()) for w, (c, t) in zip(weight, values, strict=True)) / weight.sum()
    variance = sum(
        w**2 * (t.var(ddof=1) / len(t) + c.var(ddof=1) / len(c)) for w, (c, t) in zip(weight, values, strict=True)
    )
    assert found.difference == pytest.approx(difference)
    assert found.standard_error == pytest.approx(variance**0.5 / weight.sum(), rel=1e-9)
    assert found.units == (1550, 1450)


def test_what_drifts_for_everybody_is_no_effect_within_epochs_and_would_be_one_pooled() -> None:
    seen = [in_epochs(drifting(seed, 0.0)) for seed in range(40)]
    errors = [(shown(one).difference, shown(replace(one, epoch=None)).difference) for one in seen]
    by_epoch, pooled = np.array(errors).T
    assert abs(by_epoch.mean()) < 3 * by_epoch.std(ddof=1) / 40**0.5
    assert pooled.mean() > 0.03


def test_the_standard_error_is_the_spread_between_experiments() -> None:
    seen = [shown(in_epochs(drifting(seed, 0.05))) for seed in range(300)]
    spread = np.std([one.difference for one in seen], ddof=1)
    assert np.mean([one.standard_error for one in seen]) == pytest.approx(spread, rel=0.1)


def test_one_epoch_is_the_plain_comparison() -> None:
    rng = np.random.default_rng(4)
    arms = [(clustered(rng, 400), clustered(rng, 600))]
    plain = replace(in_epochs(arms), epoch=None)
    ours, theirs = shown(in_epochs(arms)), shown(plain)
    assert (ours.difference, ours.standard_error) == pytest.approx((theirs.difference, theirs.standard_error))
    assert ours.reduction == pytest.approx(theirs.reduction)


def test_a_rare_event_gets_one_unit_more_of_each_sort_once_and_not_once_an_epoch() -> None:
    never, two = np.zeros(1_000), np.concatenate([np.ones(2), np.zeros(998)])
    found = shown(in_epochs([(means(never), means(two)), (means(never), means(two))], "chargebacks"))
    assert METRICS["chargebacks"].kind.name == "EVENT"
    assert (found.control, found.treatment) == pytest.approx((1 / 2_002, 5 / 2_002))
    plain = in_epochs([(means(np.tile(never, 2)), means(np.tile(two, 2)))], "chargebacks")
    assert found.standard_error == pytest.approx(shown(replace(plain, epoch=None)).standard_error, rel=2e-3)


def test_an_epoch_with_too_few_units_of_an_arm_counts_for_no_arm() -> None:
    rng = np.random.default_rng(5)
    whole = [(clustered(rng, 300), clustered(rng, 300)), (clustered(rng, 500), clustered(rng, FEWEST_IN_EPOCH - 1))]
    assert shown(in_epochs(whole)).units == (300, 300)
    assert shown(in_epochs(whole)).difference == pytest.approx(shown(in_epochs(whole[:1])).difference)
    nobody = combined([[Moments.of(clustered(rng, 10)), Moments.of(clustered(rng, 10))]])
    assert np.isnan(contrast(*nobody).difference).all()
    assert effect(in_epochs([whole[1]]), "treatment", "control", TUNING, 0.05) is None


def test_weights_within_an_epoch_move_nothing_between_epochs() -> None:
    seen = in_epochs(drifting(6, 0.05))
    assert seen.epoch is not None
    propensity = np.array([[0.9, 0.1], [0.15, 0.85], [0.5, 0.5]])[seen.epoch, seen.variant]
    weighed = replace(seen, weight=1 / propensity)
    assert shown(weighed).difference == pytest.approx(shown(seen).difference)
    assert shown(weighed).standard_error == pytest.approx(shown(seen).standard_error)


def test_every_look_is_the_comparison_of_the_units_mature_by_then() -> None:
    seen = in_epochs(drifting(7, 0.05))
    assert seen.epoch is not None
    day = 10.0 * seen.epoch + np.random.default_rng(8).uniform(0, 9, len(seen))
    matured = replace(seen, matured_at=instants(day))
    looks = instants(np.arange(5.0, 31.0))
    found = timeline(matured, "treatment", "control", looks, TUNING, 0.05)
    for look, one in zip(looks, found, strict=True):
        alone = effect(matured.where(matured.matured_at <= look), "treatment", "control", TUNING, 0.05)
        assert (one is None) == (alone is None)
        if one is not None and alone is not None:
            assert (one.difference, one.standard_error) == pytest.approx((alone.difference, alone.standard_error))
            assert one.units == alone.units
    assert found[-1] is not None

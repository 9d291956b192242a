"""What a handful of units decides is not read, however many units there are."""

import numpy as np
import pytest
from scipy.stats import binom

from cohort_builders import instants
from experiments.analysis.effect import Effect, effect
from experiments.analysis.intervals import Tuning
from experiments.analysis.readable import FEWEST_BELOW, FEWEST_EFFECTIVE, carried, unreadable
from experiments.analysis.timeline import timeline
from experiments.metrics.cohort import Floats
from row_builders import clustered, means, rows

TUNING = Tuning(400)
_MANY = 0.9995


def _columns(above: Floats, below: Floats) -> Floats:
    return np.stack([above, below, np.zeros(len(above)), np.ones(len(above))], axis=1)


def _amounts(rng: np.random.Generator, units: int, sigma: float) -> Floats:
    """Recovered and failed amount: lognormal, four in ten come back."""
    amount = np.exp(sigma * rng.standard_normal(units))
    return _columns(amount * (rng.random(units) < 0.4), amount)


def _few_recoveries(rng: np.random.Generator, units: int) -> Floats:
    """Days to recovery of three in a hundred."""
    won = (rng.random(units) < 0.03).astype(np.float64)
    return _columns(won * rng.integers(1, 28, units), won)


def _found(arms: list[Floats], metric: str = "recovered_value") -> Effect | None:
    return effect(rows(arms, metric=metric), "treatment", "control", TUNING, 0.05)


def _wrong(effects: list[Effect | None]) -> int:
    return sum(one is not None and not one.fixed.low <= 0 <= one.fixed.high for one in effects)


def test_of_very_uneven_amounts_no_more_is_claimed_wrongly_than_alpha_allows() -> None:
    """Read regardless, the fixed interval leaves out zero in about 15 % of these trials."""
    rng = np.random.default_rng(1)
    found = [_found([_amounts(rng, 200, 2.0) for _ in range(2)]) for _ in range(400)]
    assert _wrong(found) <= binom.ppf(_MANY, 400, 0.05)


def test_of_a_handful_of_recoveries_nothing_is_claimed() -> None:
    rng = np.random.default_rng(2)
    found = [_found([_few_recoveries(rng, 200) for _ in range(2)], "days_to_recovery") for _ in range(100)]
    assert found == [None] * 100


def test_usual_amounts_are_read() -> None:
    rng = np.random.default_rng(3)
    found = [_found([_amounts(rng, 200, 0.8) for _ in range(2)]) for _ in range(100)]
    assert sum(one is not None for one in found) >= 98


def test_units_that_add_alike_count_in_full_and_one_that_outweighs_all_counts_alone() -> None:
    alike = means(np.tile([0.0, 2.0], 100))
    one_large = means(np.append(np.tile([0.0, 2.0], 100), 1e6))
    both = rows([alike, one_large], metric="value_30")
    at = np.zeros(len(both), dtype=np.int64)
    assert carried(both, "control", at, 1).adding[0] == pytest.approx(200)
    assert carried(both, "treatment", at, 1).adding[0] == pytest.approx(4, rel=0.02)  # the mean moves with it


def test_a_share_of_units_a_rare_event_and_an_arm_that_does_nothing_are_read() -> None:
    rare = means((np.arange(400) < 3).astype(np.float64))
    for metric in ("involuntary_churn", "chargebacks"):
        assert _found([rare, rare], metric) is not None
    rng = np.random.default_rng(4)
    tries, none = rng.poisson(2, 400).astype(np.float64), np.zeros(400)
    assert _found([_columns(tries, np.ones(400)), _columns(none, np.ones(400))], "attempts_per_payment") is not None


def test_each_day_is_judged_by_what_was_there_on_it() -> None:
    """Of the treated a giant comes on the second day, and outweighs everybody."""
    rng = np.random.default_rng(5)
    usual, giant = clustered(rng, 300), clustered(rng, 301)
    giant[-1] = (1e6, 2e6, 1.0, 1.0)
    all_rows = rows([usual, giant], matured_at=instants([*[0.5] * 600, 1.5]))
    before, after = timeline(all_rows, "treatment", "control", instants([1.0, 2.0]), TUNING, 0.05)
    assert before is not None
    assert after is None


def test_why_an_effect_cannot_be_read_is_said() -> None:
    rng = np.random.default_rng(6)
    uneven = unreadable(rows([clustered(rng, 300), _amounts(rng, 200, 3.0)]), "treatment", "control")
    assert uneven is not None
    assert uneven.startswith("recovered_value is not readable yet: a few units of treatment outweigh the rest")
    assert uneven.endswith(f"at least {FEWEST_EFFECTIVE} are needed.")
    few = unreadable(rows([_few_recoveries(rng, 200)] * 2, metric="days_to_recovery"), "treatment", "control")
    assert few is not None
    assert few.endswith(f"mature units of control have any payments recovered, and at least {FEWEST_BELOW} are needed.")
    assert unreadable(rows([clustered(rng, 300)] * 2), "treatment", "control") is None

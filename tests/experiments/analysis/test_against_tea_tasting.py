"""A second opinion from tea-tasting, an independent library for A/B tests: same data, same answers."""

import numpy as np
import pyarrow as pa
import pytest
import tea_tasting as tt

from experiments.analysis.effect import effect
from experiments.analysis.intervals import Tuning
from experiments.analysis.multiplicity import holm
from experiments.analysis.power import Design, baseline, needed
from experiments.definition import Method
from experiments.metrics.maturity import Window
from row_builders import clustered, rows

NAMES = ("above", "below", "past_above", "past_below")


@pytest.mark.parametrize("known", [False, True])
def test_differences_of_ratios_with_and_without_cuped_agree(known: bool) -> None:
    rng = np.random.default_rng(1)
    arms = [clustered(rng, 5_000), clustered(rng, 4_000, 0.02)]
    if not known:
        for arm in arms:
            arm[:, 2:] = (0.0, 1.0)
    table = pa.table(
        {
            **{name: np.concatenate(arms)[:, i] for i, name in enumerate(NAMES)},
            "variant": np.repeat([0, 1], [5_000, 4_000]),
        }
    )
    metric = tt.RatioOfMeans(*(NAMES if known else NAMES[:2]), use_t=False)
    theirs = tt.Experiment(ratio=metric).analyze(table)["ratio"]
    ours = effect(rows(arms), "treatment", "control", Tuning(9_000), 0.05)
    assert ours is not None
    # Ours pools the covariate's slope within the arms, theirs over both at once.
    tolerance = 0.002 if known else 1e-9
    assert ours.difference == pytest.approx(theirs.effect_size, rel=tolerance * 5)
    assert ours.fixed.low == pytest.approx(theirs.effect_size_ci_lower, rel=tolerance * 20)
    assert ours.fixed.high == pytest.approx(theirs.effect_size_ci_upper, rel=tolerance * 5)
    assert ours.fixed_p == pytest.approx(theirs.pvalue, rel=tolerance * 50)
    assert ours.relative_fixed is not None
    # Fieller's interval here, a log-normal one there: equal to first order.
    assert ours.relative_fixed.high == pytest.approx(theirs.rel_effect_size_ci_upper, rel=0.02)


def test_planned_sizes_agree() -> None:
    columns = clustered(np.random.default_rng(2), 6_000)
    metric = tt.RatioOfMeans(*NAMES, use_t=False, effect_size=0.02, ratio=2.0)
    table = pa.table({name: columns[:, i] for i, name in enumerate(NAMES)})
    theirs = metric.solve_power(table, "n_obs")[0]
    design = Design(control_share=1 / 3, variant_share=2 / 3, method=Method.FIXED)
    assert needed(baseline(columns, 1), 0.02, design, Window(30)).units == pytest.approx(theirs.n_obs, rel=1e-3)


def test_holm_agrees() -> None:
    rng = np.random.default_rng(3)
    size = 600
    table = pa.table({"variant": np.repeat([0, 1], size // 2), **{f"m{i}": rng.normal(size=size) for i in range(5)}})
    result = tt.Experiment({f"m{i}": tt.Mean(f"m{i}") for i in range(5)}).analyze(table)
    adjusted = tt.adjust_fwer(result, method="bonferroni", arbitrary_dependence=True)
    raw = {str(one["metric"]): float(str(one["pvalue"])) for one in adjusted.to_dicts()}
    theirs = {str(one["metric"]): float(str(one["pvalue_adj"])) for one in adjusted.to_dicts()}
    ours = holm(raw)
    assert {name: min(1.0, p) for name, p in theirs.items()} == pytest.approx(ours)

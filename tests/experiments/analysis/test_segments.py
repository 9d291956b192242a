"""Segments are shown so that noise is not read as a finding."""

import numpy as np
import pytest

from experiments.analysis.intervals import Tuning
from experiments.analysis.segments import by_segment, pooled
from row_builders import means, rows

TUNING = Tuning(4_000)


def test_without_true_differences_the_shrunken_effects_are_nearly_the_common_one() -> None:
    rng = np.random.default_rng(1)
    labels = {"market": rng.choice(["at", "be", "cy", "de"], 8_000).astype(np.str_)}
    (found,) = by_segment(
        rows([means(rng.normal(size=4_000)), means(rng.normal(0.2, 1, 4_000))]),
        labels,
        "treatment",
        "control",
        TUNING,
        0.05,
    )
    assert found.p > 0.05
    raw = [one.effect.difference for one in found.effects]
    shrunken = [one.shrunken for one in found.effects]
    assert np.ptp(shrunken) < 0.3 * np.ptp(raw)
    assert found.effects[0].effect.alpha == pytest.approx(0.05 / 4)


def test_true_differences_are_seen_and_kept() -> None:
    rng = np.random.default_rng(2)
    word = np.tile(["card", "debit"], 4_000).astype(np.str_)
    lift = np.where(word[4_000:] == "card", 0.8, -0.2)
    arms = [means(rng.normal(size=4_000)), means(rng.normal(lift))]
    (found,) = by_segment(rows(arms), {"rail": word}, "treatment", "control", TUNING, 0.05)
    by_label = {one.label: one for one in found.effects}
    assert found.p < 1e-6
    assert by_label["card"].shrunken == pytest.approx(0.8, abs=0.1)
    assert by_label["debit"].shrunken == pytest.approx(-0.2, abs=0.1)


def test_segments_too_small_to_show_are_counted() -> None:
    rng = np.random.default_rng(3)
    word = np.array(["rare"] * 30 + ["usual"] * 970 + ["rare"] * 20 + ["usual"] * 980, dtype=np.str_)
    arms = [means(rng.normal(size=1_000)) for _ in range(2)]
    (found,) = by_segment(rows(arms), {"s": word}, "treatment", "control", TUNING, 0.05)
    assert [one.label for one in found.effects] == ["usual"]
    assert found.left_out == 50
    assert found.p == 1.0


def test_shrinking_brings_estimates_nearer_to_the_truth_than_they_are_alone() -> None:
    rng = np.random.default_rng(4)
    alone = together = 0.0
    for _ in range(300):
        truth = rng.normal(0.1, 0.05, 8)
        errors = rng.uniform(0.05, 0.2, 8)
        seen = rng.normal(truth, errors)
        _, _, _, shrunken = pooled(seen.tolist(), errors.tolist())
        alone += float(np.sum((seen - truth) ** 2))
        together += float(np.sum((np.array(shrunken) - truth) ** 2))
    assert together < 0.5 * alone


def test_the_variance_between_is_that_of_a_worked_example() -> None:
    """DerSimonian & Laird by hand: weights 100 and 25; common 0.02; Q = 100 0.02² + 25 0.08² = 0.2; too small."""
    common, between, p, _ = pooled([0.0, 0.1], [0.1, 0.2])
    assert common == pytest.approx(0.02)
    assert between == 0.0
    assert p == pytest.approx(0.6547, abs=1e-4)
    common, between, _, shrunken = pooled([0.0, 1.0], [0.1, 0.1])
    assert between == pytest.approx(((50 - 1) / 100) ** 0.5)
    assert common == pytest.approx(0.5)
    assert shrunken == pytest.approx((0.5 - 0.5 * 0.49 / 0.5, 0.5 + 0.5 * 0.49 / 0.5))


def test_no_segment_is_no_answer() -> None:
    assert np.isnan(pooled([], [])[0])

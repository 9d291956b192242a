"""The evaluation is paired, sliced, and silent where there is no answer."""

import numpy as np
import pytest

from training.dataset import Group
from training.evaluate import Judged, evaluate
from training.metrics import auc, log_loss


def judged(rows: int = 1_200) -> Judged:
    rng = np.random.default_rng(0)
    truth = rng.beta(2, 3, rows)
    y = (rng.random(rows) < truth).astype(np.float64)
    blurred = np.clip(truth + rng.normal(0, 0.05, rows), 0.01, 0.99)
    groups = {"market": Group(np.where(np.arange(rows) < 90, 0, 1), ("small", "large"))}
    p = {"model": truth, "blurred": blurred, "same": truth, "constant": np.full(rows, y.mean())}
    return Judged(y, np.arange(rows) // 4, p, groups, np.zeros(rows), np.zeros(rows, dtype=np.int64))


def test_gains_are_the_differences_of_the_figures_with_the_better_way_up() -> None:
    rows = judged()
    found = evaluate(rows, resamples=100, seed=0)
    gain = found.gains["constant"]
    assert gain["log_loss"].value == pytest.approx(
        log_loss(rows.y, rows.p["constant"]) - log_loss(rows.y, rows.p["model"])
    )
    assert gain["auc"].value == pytest.approx(auc(rows.y, rows.p["model"]) - 0.5)
    assert gain["log_loss"].low > 0


def test_against_itself_a_model_gains_exactly_nothing() -> None:
    same = evaluate(judged(), resamples=50, seed=0).gains["same"]
    assert all((gain.value, gain.low, gain.high) == (0, 0, 0) for gain in same.values())


def test_pairing_makes_the_interval_of_a_difference_narrower_than_of_its_parts() -> None:
    found = evaluate(judged(), resamples=200, seed=0)
    gain, figure = found.gains["blurred"]["log_loss"], found.model["log_loss"]
    assert gain.high - gain.low < 0.3 * (figure.high - figure.low)


def test_small_slices_are_not_reported() -> None:
    slices = evaluate(judged(), resamples=50, seed=0).slices
    assert [(one.word, one.rows) for one in slices] == [("large", 1_110)]


def test_a_slice_of_one_outcome_has_no_ranking_figure() -> None:
    rows = judged()
    ones = Judged(np.ones_like(rows.y), rows.customer, rows.p, rows.groups, rows.hour, rows.weekday)
    found = evaluate(ones, resamples=50, seed=0)
    assert set(found.slices[0].figures) == {"log_loss", "ece"}
    assert "auc" not in found.gains["constant"]


def test_one_probability_for_all_has_no_slope() -> None:
    constant = evaluate(judged(), resamples=50, seed=0).figures["constant"]
    assert "slope" not in constant
    assert constant["auc"].value == 0.5

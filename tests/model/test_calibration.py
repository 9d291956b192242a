"""Calibrators are monotone, reversible to JSON, and refuse curves that would mislead."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.table import CATEGORIES
from model.calibration import (
    Beta,
    ByCategory,
    Calibrator,
    Isotonic,
    Line,
    Temperature,
    Unchanged,
    VennAbers,
    calibrated,
    from_json,
    to_json,
)

CALIBRATORS: tuple[Calibrator, ...] = (
    Unchanged(),
    Temperature(1.7),
    Beta(1.2, 0.8, -0.1),
    Isotonic((0.1, 0.4, 0.9), (0.05, 0.05, 0.7)),
    VennAbers((0.1, 0.4, 0.9), (0.07, 0.2, 0.7)),
    ByCategory({"do_not_honor": Line(0.2, 0.9), "insufficient_funds": Line(-0.4, 1.3)}, Line(0.1, 1.1)),
)


@pytest.mark.parametrize("calibrator", CALIBRATORS)
def test_a_calibrator_survives_json_exactly(calibrator: Calibrator) -> None:
    assert from_json(json.loads(json.dumps(to_json(calibrator)))) == calibrator


@pytest.mark.parametrize("calibrator", CALIBRATORS)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_calibrator_never_reverses_an_order_and_stays_inside_zero_and_one(
    calibrator: Calibrator, raw: list[float]
) -> None:
    calibrated = calibrator.apply(np.sort(np.array(raw)))
    assert (np.diff(calibrated) >= -1e-12).all()
    assert (calibrated > 0).all()
    assert (calibrated < 1).all()


def test_each_curve_equals_its_closed_form() -> None:
    p = np.array([0.2, 0.5, 0.8])
    np.testing.assert_allclose(Temperature(2.0).apply(p), [1 / 3, 0.5, 2 / 3])
    odds = 0.2**1.5 / 0.8**0.5 * np.exp(0.3)
    np.testing.assert_allclose(Beta(1.5, 0.5, 0.3).apply(p)[0], odds / (1 + odds))
    np.testing.assert_allclose(Isotonic((0.0, 1.0), (0.1, 0.5)).apply(p), [0.18, 0.3, 0.42])
    np.testing.assert_array_equal(Unchanged().apply(p), p)


def test_each_row_moves_along_the_line_of_its_category_and_others_along_the_common_one() -> None:
    chosen = ByCategory({"insufficient_funds": Line(-0.4, 1.3)}, Line(0.1, 1.1))
    funds = [str(word) for word in CATEGORIES].index("insufficient_funds")
    p = np.array([[0.2, 0.3], [0.2, 0.3], [0.2, 0.3]])
    answers = calibrated(chosen, p, np.array([funds, funds + 1, -1]))
    np.testing.assert_allclose(answers[0], Line(-0.4, 1.3).apply(p[0]))
    np.testing.assert_allclose(answers[1], Line(0.1, 1.1).apply(p[1]))
    np.testing.assert_allclose(answers[2], Line(0.1, 1.1).apply(p[2]))


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ({"kind": "magic"}, "magic"),
        ([], "object"),
        ({"kind": "temperature", "temperature": -1.0}, "above zero"),
        ({"kind": "beta", "a": -0.1, "b": 1.0, "c": 0.0}, "zero or more"),
        ({"kind": "beta", "a": 1.0, "b": 1.0}, "c is None"),
        ({"kind": "isotonic", "raw": [0.1, 0.2], "calibrated": [0.3, 0.2]}, "rise"),
        ({"kind": "isotonic", "raw": [0.1], "calibrated": []}, "same length"),
        ({"kind": "venn_abers", "raw": [0.2, 0.1], "merged": [0.1, 0.2]}, "rise"),
        ({"kind": "by_category", "lines": [], "other": [0, 1]}, "lines must be"),
        ({"kind": "by_category", "lines": {"bad_mood": [0, 1]}, "other": [0, 1]}, "bad_mood"),
        ({"kind": "by_category", "lines": {}, "other": [0, -1]}, "slope of zero or more"),
        ({"kind": "isotonic", "raw": ["a"], "calibrated": [0.1]}, "finite"),
    ],
)
def test_a_curve_that_would_mislead_is_refused_by_its_fault(value: object, fault: str) -> None:
    with pytest.raises(InputError, match=fault):
        from_json(value)

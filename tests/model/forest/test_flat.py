"""A question asked of a float32 has LightGBM's answer for its threshold, which has twice the digits."""

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from model.forest.flat import TINY, below, negated

THRESHOLDS = st.floats(allow_nan=False) | st.floats(width=32, allow_nan=False)
NUMBERS = st.floats(width=32, allow_nan=False)


def shown(number: float) -> np.float32:
    """As an input shows it: what LightGBM takes for zero is zero."""
    value = np.float32(number)
    return np.float32(0.0) if abs(value) <= TINY else value


@given(THRESHOLDS, NUMBERS)
@example(np.inf, np.inf)
@example(-np.inf, -np.inf)
@example(1.7e308, np.inf)
@example(-1e-40, 0.0)
@example(1.0000000180025095e-35, 0.0)
@example(-0.0, 0.0)
def test_a_threshold_rounded_down_parts_numbers_as_before(threshold: float, number: float) -> None:
    assert (shown(number) <= below(threshold)) == (float(shown(number)) <= threshold)


@given(THRESHOLDS, NUMBERS)
@example(np.inf, np.inf)
@example(-np.inf, np.inf)
@example(0.0, 0.0)
@example(-1e-35, 0.0)
def test_a_negated_number_is_at_most_the_negated_threshold_where_the_number_was_above(
    threshold: float, number: float
) -> None:
    assert (-shown(number) <= negated(below(threshold))) == (float(shown(number)) > threshold)


@given(THRESHOLDS)
def test_a_number_next_to_the_threshold_is_told_apart(threshold: float) -> None:
    with np.errstate(over="ignore", under="ignore"):
        near = np.float32(threshold)
        sides = [np.nextafter(near, np.float32(side)) for side in (-np.inf, np.inf)]
    for number in (near, *sides):
        assert (shown(number) <= below(threshold)) == (float(shown(number)) <= threshold)
        assert (-shown(number) <= negated(below(threshold))) == (float(shown(number)) > threshold)


def test_nothing_is_at_most_what_no_number_stands_for() -> None:
    for number in (np.nan, np.inf, -np.inf, 0.0):
        assert not np.float32(number) <= negated(np.float32(np.inf))

"""Units arrive as they did: first failures since a start, and beyond the history as in its last part."""

import numpy as np
import pytest

from serving.arrivals import Arrivals, arrivals_of


def test_each_unit_arrives_once_at_its_first_failure() -> None:
    found = arrivals_of(np.array([0.5, 1.0, 1.5, 2.0]), np.array([7, 3, 7, 5]), 4.0)
    assert found == Arrivals((0.5, 1.0, 2.0), 4.0)
    assert found.per_week == 0.75


def test_weeks_within_the_history_are_read_off_and_beyond_it_go_on_as_in_its_later_half() -> None:
    seen = Arrivals((0.5, 1.0, 1.5, 3.0), 4.0)
    assert [seen.weeks_until(units) for units in (1, 2.5, 4)] == [0.5, 1.25, 3.0]
    assert seen.weeks_until(6) == pytest.approx(4 + 2 / 0.5)
    assert Arrivals((0.5, 1.0), 4.0).weeks_until(3) == pytest.approx(4 + 1 / 0.5)

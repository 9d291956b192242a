"""Nothing is judged on what it was taught: windows in time, customers in folds."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.instants import MICROS_PER_DAY
from training.split import customer_folds, split_by_time

DAY = MICROS_PER_DAY


@given(
    st.lists(st.tuples(st.integers(0, 400 * 24), st.integers(0, 40 * 24)), min_size=30, max_size=120),
    st.integers(1, 60),
    st.integers(1, 60),
)
def test_no_window_learns_what_was_not_final_when_the_next_began(
    hours: list[tuple[int, int]], test_days: int, calibrate_days: int
) -> None:
    decided = np.array([start for start, _ in hours], dtype=np.int64) * (DAY // 24)
    known = decided + np.array([wait for _, wait in hours], dtype=np.int64) * (DAY // 24)
    try:
        split = split_by_time(decided, known, test_days=test_days, calibrate_days=calibrate_days)
    except InputError:
        return
    assert not (known[split.train] >= split.calibrate_from).any()
    assert not (known[split.calibrate] >= split.test_from).any()
    assert not (known[split.before_test] >= split.test_from).any()
    assert (decided[split.test] >= split.test_from).all()
    assert (decided[split.calibrate] >= split.calibrate_from).all()
    used = split.train.astype(int) + split.calibrate.astype(int) + split.test.astype(int)
    assert used.max() <= 1
    assert split.embargoed == int((used == 0).sum())


def test_windows_are_whole_days_of_the_length_asked_for() -> None:
    decided = np.arange(0, 200 * DAY, DAY // 3, dtype=np.int64)
    split = split_by_time(decided, decided, test_days=17, calibrate_days=30)
    assert split.test_from == 183 * DAY
    assert split.calibrate_from == 153 * DAY


def test_a_long_history_is_judged_over_whole_pay_cycles_and_a_short_one_over_a_fifth_of_its_rows() -> None:
    growing = np.sort((np.random.default_rng(0).random(5_000) ** 0.2 * 300 * DAY).astype(np.int64))
    long = split_by_time(growing, growing)
    assert 299 * DAY + DAY - long.test_from == 30 * DAY
    assert long.test_from - long.calibrate_from == 30 * DAY
    short = np.linspace(0, 50 * DAY - 1, 5_000).astype(np.int64)
    assert split_by_time(short, short).test_from in (39 * DAY, 40 * DAY)


def test_windows_that_leave_nothing_to_train_in_are_refused_with_the_days_there_are() -> None:
    decided = np.arange(0, 10 * DAY, DAY, dtype=np.int64)
    with pytest.raises(InputError, match="span 10 days"):
        split_by_time(decided, decided, test_days=5, calibrate_days=6)


def test_a_customer_has_the_same_fold_in_every_run_and_folds_are_about_equal() -> None:
    names = [f"customer-{number}" for number in range(5_000)]
    folds = customer_folds(names, 5)
    assert (customer_folds(reversed(names), 5)[::-1] == folds).all()
    assert np.bincount(folds, minlength=5).min() > 900

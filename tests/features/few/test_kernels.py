"""What attempts say to the loops is what the calendars and clocks of the columns say."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from features.calendars import day_of_month, month_of
from features.compiled import plain
from features.few import kernels
from features.few.arrays import Clocks, Methods
from features.few.market_days import clocks_of
from features.instants import MICROS_PER_HOUR
from features.time_zones import local_day, local_micros

ZONES = ("UTC", "America/Chicago", "Europe/Berlin", "Australia/Lord_Howe")
HOURS = st.integers(-20 * 8766, 120 * 8766)  # 1950 to 2090


@given(st.lists(st.tuples(HOURS, st.integers(0, len(ZONES) - 1)), min_size=1, max_size=20))
def test_the_day_of_an_attempt_is_that_of_its_issuer_s_clock_and_calendar(when: list[tuple[int, int]]) -> None:
    at = np.array([hours for hours, _ in when], dtype=np.int64) * MICROS_PER_HOUR
    zones = np.array([zone for _, zone in when], dtype=np.int64)
    told = np.zeros((len(when), 11), dtype=np.int64)
    told[:, 0], told[:, 8] = at, np.arange(len(when))  # each by a method of its own
    on = np.zeros((9, len(when)), dtype=np.int64)
    on[kernels.ON_ZONE] = zones
    methods, clocks = Methods(on, np.full(len(when), np.nan)), Clocks(*clocks_of(ZONES))
    whole, _ = kernels.read(told, np.zeros((len(when), 4)), plain(methods), plain(clocks), (0, 1, 2))
    day = np.array([local_day(local_micros(ZONES[zone], at[i : i + 1]))[0] for i, zone in enumerate(zones)])
    np.testing.assert_array_equal(whole[kernels.DAY], day)
    np.testing.assert_array_equal(whole[kernels.MONTH_DAY], day_of_month(day))
    np.testing.assert_array_equal(whole[kernels.MONTH_NUMBER], month_of(day))

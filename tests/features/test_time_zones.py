"""Offsets of whole arrays against zoneinfo, instant by instant."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.errors import InvalidValueError
from features.instants import from_micros, to_micros
from features.time_zones import is_zone, local_day, local_hour, local_micros, offset_micros, weekday, zone, zone_name

ZONES = ["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Asia/Riyadh", "Africa/Casablanca"]
_FIRST, _LAST = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (1990, 2060))


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.lists(st.integers(_FIRST, _LAST), min_size=1, max_size=20))
def test_offsets_equal_zoneinfo(name: str, seconds: list[int]) -> None:
    micros = np.array(seconds, dtype=np.int64) * 1_000_000
    expected = [datetime.fromtimestamp(s, ZoneInfo(name)).utcoffset() for s in seconds]
    assert [int(o) / 1e6 for o in offset_micros(name, micros)] == [o.total_seconds() for o in expected if o is not None]


def test_the_second_before_and_of_a_change_of_clocks_are_told_apart() -> None:
    change = to_micros(datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
    hours = offset_micros("Europe/Berlin", np.array([change - 1, change])) / 3.6e9
    assert hours.tolist() == [1, 2]


@settings(deadline=None)
@given(st.sampled_from(ZONES), st.integers(_FIRST, _LAST))
def test_the_local_clock_is_the_one_on_the_wall(name: str, second: int) -> None:
    local = local_micros(name, np.array([second * 1_000_000]))
    wall = datetime.fromtimestamp(second, ZoneInfo(name))
    assert int(weekday(local_day(local))[0]) == wall.weekday()
    assert float(local_hour(local)[0]) == pytest.approx(wall.hour + wall.minute / 60 + wall.second / 3600)


def test_an_issuers_own_zone_outranks_its_countrys() -> None:
    assert zone_name("America/Chicago", "US") == "America/Chicago"
    assert zone_name(None, "US") == "America/New_York"
    assert zone_name(None, "FR") == "Europe/Paris"
    assert zone_name(None, None) == zone_name(None, "ZZ") == "UTC"


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "localtime", "Factory", "posixrules", "", "Europe", "/etc/localtime", "../UTC", "UTC\0"]
)
def test_what_is_no_zone_is_refused_by_name(name: str) -> None:
    assert not is_zone(name)
    with pytest.raises(InvalidValueError, match="time_zone"):
        zone(name)


@settings(deadline=None)
@given(st.integers(0, 2**53))
def test_instants_survive_the_way_to_microseconds_and_back(micros: int) -> None:
    instant = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros)
    assert from_micros(to_micros(instant)) == instant

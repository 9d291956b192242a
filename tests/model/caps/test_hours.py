"""Hours of the local day open and close by the wall clock, also on days when somebody changes it."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from features.instants import from_micros, to_micros
from model.caps.hours import Hours

MINUTE = timedelta(minutes=1)
CHANGED = [datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC), datetime(2018, 11, 4, tzinfo=UTC)]
OPEN = ((0, 600), (780, 1020), (1290, 1440))

zones = st.sampled_from(
    ["Asia/Kolkata", "America/Sao_Paulo", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]
)
near_a_change = st.tuples(st.sampled_from(CHANGED), st.integers(-3 * 1440, 3 * 1440)).map(
    lambda t: t[0] + t[1] * MINUTE
)
spans = st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(
    lambda edges: tuple(zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


def walked(hours: Hours, at: datetime) -> datetime:
    """The first minute from then on at which the wall clock stands within the hours."""
    while True:
        wall = at.astimezone(ZoneInfo(hours.zone))
        if any(start <= wall.hour * 60 + wall.minute < end for start, end in hours.open):
            return at
        at += MINUTE


@settings(max_examples=150, deadline=None)
@given(zones, spans, near_a_change)
def test_walking_minute_by_minute_finds_the_same_opening(
    zone: str, spans_open: tuple[tuple[int, int], ...], at: datetime
) -> None:
    hours = Hours(zone, spans_open)
    assert from_micros(hours.next_open(to_micros(at))) == walked(hours, at)


@settings(max_examples=150, deadline=None)
@given(zones, spans, near_a_change, st.integers(0, 600))
def test_within_one_stretch_nothing_changes(
    zone: str, spans_open: tuple[tuple[int, int], ...], at: datetime, minutes: int
) -> None:
    hours, later = Hours(zone, spans_open), at + minutes * MINUTE
    if hours.stretch(to_micros(at)) == hours.stretch(to_micros(later)):
        assert hours.is_open(to_micros(at)) is hours.is_open(to_micros(later))
    assert hours.stretch(to_micros(at)) <= to_micros(at)


def test_the_hours_are_said_in_words() -> None:
    assert str(Hours("Asia/Kolkata", OPEN)) == "00:00–10:00, 13:00–17:00 and 21:30–24:00 (Asia/Kolkata)"
    assert str(Hours("UTC", ((60, 120),))) == "01:00–02:00 (UTC)"

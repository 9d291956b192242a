"""What is asked about and filled in agrees with NumPy's own interpolation, route by route."""

from random import Random

import numpy as np
import pytest

from features.instants import MICROS_PER_HOUR
from model.planning.lanes import Floats, Int64s, Lanes
from model.planning.probing import between, by_gap, fill_in, sum_of
from model.planning.shortlist import Shortlist

WORLDS = [(1, 30, 1), (2, 40, 3), (3, 60, 5), (4, 25, 9)]


def drawn(seed: int, size: int, routes: int) -> tuple[Shortlist, Lanes]:
    random = Random(seed)
    start = np.array(sorted(random.randint(0, 40) for _ in range(size)), dtype=np.int64) * MICROS_PER_HOUR
    route = np.array([*range(routes), *(random.randrange(routes) for _ in range(size - routes))], dtype=np.int64)
    places = np.arange(size, dtype=np.int64)
    moves = Shortlist(places, places, start, start + MICROS_PER_HOUR, np.zeros(size, dtype=np.int64), route)
    return moves, Lanes.of(moves)


def gaps(moves: Shortlist, last: int) -> Floats:
    ahead: Floats = np.log1p(np.maximum(moves.start - moves.start[last], 0) / MICROS_PER_HOUR)
    return ahead


def spaced(places: Int64s, gap: Floats, points: int) -> list[int]:
    """So many of the places, evenly spaced in their gap."""
    if places.size <= points:
        return [int(place) for place in places]
    wanted = np.linspace(gap[places[0]], gap[places[-1]], points)
    found = np.minimum(np.searchsorted(gap[places], wanted), places.size - 1)
    return [int(place) for place in np.unique(places[found])]


@pytest.mark.parametrize("world", WORLDS)
def test_lanes_hold_every_gap_and_the_moves_of_every_route(world: tuple[int, int, int]) -> None:
    moves, lanes = drawn(*world)
    for last in range(len(moves)):
        np.testing.assert_array_equal(lanes.gap[lanes.instant[last], lanes.instant], gaps(moves, last))
    for route in range(len(lanes)):
        np.testing.assert_array_equal(lanes.of_route(route), np.flatnonzero(moves.route == route))


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("points", [3, 5, 12])
def test_points_are_evenly_spaced_in_the_gap_for_every_route(world: tuple[int, int, int], points: int) -> None:
    moves, lanes = drawn(*world)
    lasts = np.arange(len(moves), dtype=np.int64)
    ends, found = by_gap(lasts, points, lanes.gap, lanes.instant, lanes.places, lanes.begins)
    for last in range(len(moves)):
        later = [theirs[theirs > last] for theirs in map(lanes.of_route, range(len(lanes)))]
        expected = sorted(place for theirs in later for place in spaced(theirs, gaps(moves, last), points))
        assert found[ends[last] : ends[last + 1]].tolist() == expected


@pytest.mark.parametrize("world", WORLDS)
@pytest.mark.parametrize("asked", [1, 2, 4])
def test_in_between_it_is_linear_in_the_time_of_the_decline_and_in_the_gap(
    world: tuple[int, int, int], asked: int
) -> None:
    moves, lanes = drawn(*world)
    random = Random(world[0] + asked)
    chosen: list[int] = []
    for route in range(len(lanes)):
        theirs = lanes.of_route(route)
        some = sorted(random.sample(theirs.tolist()[:-1], min(asked, theirs.size - 1)))
        chosen += {int(moves.start[at]): at for at in some}.values()
    lasts = np.array(sorted(chosen), dtype=np.int64)
    ends, next_ = by_gap(lasts, 3, lanes.gap, lanes.instant, lanes.places, lanes.begins)
    answer = np.array([random.gauss(0.0, 1.0) for _ in range(next_.size)])
    lower, upper, weight = between(lasts, moves.start, lanes.places, lanes.begins, moves.route)
    rows = np.array([i for i in range(len(moves)) if random.random() < 0.8], dtype=np.int64)
    change = fill_in(
        rows, lower, upper, weight, lasts, ends, next_, answer,
        lanes.gap, lanes.instant, lanes.places, lanes.begins, moves.route,
    )  # fmt: skip
    compared = 0
    for i, last in enumerate(rows.tolist()):
        own = [k for k, at in enumerate(lasts.tolist()) if moves.route[at] == moves.route[last]]
        if not own:
            assert not change[i].any()
            continue
        for other in range(len(lanes)):
            then = lanes.of_route(other)
            then = then[then > last]
            told = [
                (
                    moves.start[lasts[k]],
                    at_gap(moves, int(lasts[k]), then, last, *answered(k, ends, next_, answer), other),
                )
                for k in own
            ]
            for place, j in enumerate(then.tolist()):
                known = [(at, found[place]) for at, found in told if found is not None]
                if len(known) == len(told):
                    expected = np.interp(moves.start[last], [at for at, _ in known], [found for _, found in known])
                    assert change[i, j] == pytest.approx(expected, rel=1e-12, abs=1e-12)
                    compared += 1
    assert compared > len(moves)


def answered(k: int, ends: Int64s, next_: Int64s, answer: Floats) -> tuple[Int64s, Floats]:
    """What was asked after one decline, and the answers."""
    return next_[ends[k] : ends[k + 1]], answer[ends[k] : ends[k + 1]]


def test_a_sum_is_the_one_that_numpy_gives_to_the_bit() -> None:
    random = Random(11)
    for count in range(1, 129):
        values = np.array([random.gauss(0.0, 1.0) * 10.0 ** random.randint(-3, 3) for _ in range(count + 3)])
        assert sum_of(values, count) == values[:count].sum()


def at_gap(
    moves: Shortlist, asked: int, then: Int64s, last: int, next_: Int64s, answer: Floats, route: int
) -> Floats | None:
    """What the answers after one decline say of moves after another; None where none was asked, or two at once."""
    theirs = moves.route[next_] == route
    if not theirs.any():
        return None
    x, y = gaps(moves, asked)[next_[theirs]], answer[theirs]
    # No route has two moves at one instant in a plan; what would then be told is not looked at.
    apart = bool((x[1:] != x[:-1]).all())
    return np.interp(gaps(moves, last)[then], x, y) if apart else None

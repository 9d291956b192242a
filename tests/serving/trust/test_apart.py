"""Work apart: whoever waits goes on in time, and what was left behind does not pile up."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event, get_ident
from time import sleep

import pytest

from serving.trust.apart import Apart, BusyError, TooSlowError

LONG = 60.0


def test_it_gives_the_answer_and_raises_what_the_work_raises() -> None:
    apart = Apart()
    assert apart(lambda: 7, LONG) == 7
    with pytest.raises(ZeroDivisionError):
        apart(lambda: 1 // 0, LONG)
    with pytest.raises(TimeoutError, match="its own"):
        apart(lambda: (_ for _ in ()).throw(TimeoutError("its own")), LONG)


def test_a_thread_is_used_again() -> None:
    apart = Apart()
    idents = set()
    for _ in range(20):
        idents.add(apart(get_ident, LONG))
    assert len(idents) <= 2
    assert get_ident() not in idents


def test_work_that_never_ends_is_left_behind_and_bounded() -> None:
    apart, ends, begun = Apart(most=2), Event(), list[int]()

    def endless() -> bool:
        begun.append(1)
        return ends.wait()

    for _ in range(1000):  # on a slow machine the time may be over before the work has begun
        with pytest.raises(TooSlowError):
            apart(endless, 0.01)
        if len(begun) == 2:
            break
    assert len(begun) == 2
    with pytest.raises(TooSlowError):
        apart(lambda: True, LONG)  # at once: nobody is free
    ends.set()
    while True:  # as soon as those that were left behind have ended
        try:
            assert apart(lambda: 1, LONG) == 1
            break
        except TooSlowError:
            continue


def test_no_time_left_is_too_slow_before_anything_is_begun() -> None:
    begun = Event()
    with pytest.raises(TooSlowError):
        Apart()(begun.set, 0.0)
    assert not begun.is_set()


def test_one_piece_of_work_is_done_at_a_time() -> None:
    apart, at_work, most = Apart(), [0], [0]

    def work() -> int:
        at_work[0] += 1
        most[0] = max(most[0], at_work[0])
        sleep(0.002)
        at_work[0] -= 1
        return get_ident()

    with ThreadPoolExecutor(8) as callers:
        assert len(list(callers.map(lambda _: apart(work, LONG), range(24)))) == 24
    assert most == [1]


@contextmanager
def at_work(apart: Apart) -> Iterator[None]:
    """Somebody has the turn while the block runs."""
    begun, ends = Event(), Event()

    def long() -> bool:
        begun.set()
        return ends.wait()

    with ThreadPoolExecutor(1) as callers:
        first = callers.submit(apart, long, LONG)
        begun.wait()
        try:
            yield
        finally:
            ends.set()
        assert first.result()


def test_who_waits_for_a_turn_waits_within_its_own_time() -> None:
    apart = Apart()
    with at_work(apart), pytest.raises(TooSlowError):
        apart(lambda: True, 0.01)
    assert apart(lambda: True, LONG)


def test_what_is_left_behind_keeps_nobody_from_a_turn() -> None:
    apart, ends = Apart(), Event()
    with pytest.raises(TooSlowError):
        apart(ends.wait, 0.01)
    assert apart(lambda: 7, LONG) == 7
    ends.set()


def test_a_turn_that_does_not_come_is_told_from_work_that_is_slow() -> None:
    apart = Apart()
    with at_work(apart), pytest.raises(BusyError):
        apart(lambda: True, 0.01)
    with pytest.raises(TooSlowError) as slow:
        apart(Event().wait, 0.01)
    assert not isinstance(slow.value, BusyError)


def test_large_work_keeps_no_usual_work_waiting_and_its_turn_until_it_has_ended() -> None:
    apart, ends = Apart(), Event()
    with pytest.raises(TooSlowError):
        apart(ends.wait, 0.01, "acme", large=True)
    assert apart(lambda: 7, LONG, "beta") == 7
    with pytest.raises(BusyError):
        apart(lambda: 7, 0.01, "beta", large=True)
    ends.set()
    assert apart(lambda: 7, LONG, "beta", large=True) == 7

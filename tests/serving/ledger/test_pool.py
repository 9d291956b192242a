"""Connections are lent to one at a time, never more than allowed, and whoever waits gets the next one."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from threading import Lock
from time import sleep

import pytest

from serving.ledger.pool import Pool
from serving.ledger.store import LedgerTimeoutError


class Opened:
    """Numbers for connections; counts how many are open."""

    def __init__(self) -> None:
        self.now, self.most, self._numbers, self._lock = 0, 0, count(), Lock()

    def connect(self) -> int:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)
            return next(self._numbers)

    def close(self, _: int) -> None:
        with self._lock:
            self.now -= 1


def test_what_was_given_back_is_lent_again_before_another_is_opened() -> None:
    opened = Opened()
    pool = Pool(opened.connect, opened.close, 3)
    first = pool.take()
    pool.give_back(first)
    assert pool.take() == first
    assert opened.most == 1


def test_many_threads_never_share_one_and_never_open_more_than_allowed() -> None:
    opened, lent, shared = Opened(), set[int](), list[int]()
    pool = Pool(opened.connect, opened.close, 3)

    def use(turn: int) -> None:
        connection = pool.take()
        if connection in lent:
            shared.append(connection)
        lent.add(connection)
        sleep(0)  # lets another thread run
        lent.discard(connection)
        pool.drop(connection) if turn % 7 == 0 else pool.give_back(connection)

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(use, range(4_000), timeout=60))
    assert shared == []
    assert opened.most <= 3
    pool.close()
    assert opened.now == 0


@pytest.mark.parametrize("given_back", [True, False])
def test_whoever_waits_gets_what_is_given_back_or_the_place_of_what_is_dropped(given_back: bool) -> None:
    opened = Opened()
    pool = Pool(opened.connect, opened.close, 1)
    first = pool.take()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(pool.take)
        (pool.give_back if given_back else pool.drop)(first)
        assert (waiting.result(timeout=60) == first) is given_back


def test_a_place_is_not_lost_when_no_connection_can_be_opened() -> None:
    def fail() -> int:
        raise OSError("no such server")

    pool = Pool(fail, lambda _: None, 1)
    for _ in range(2):
        with pytest.raises(OSError, match="no such server"):
            pool.take()


def test_a_pool_that_was_closed_opens_as_many_again() -> None:
    opened = Opened()
    pool = Pool(opened.connect, opened.close, 2)
    for _ in range(2):
        taken = [pool.take(), pool.take()]
        for one in taken:
            pool.give_back(one)
        pool.close()
    assert (opened.now, opened.most) == (0, 2)


def test_whoever_waits_too_long_for_a_connection_is_told_so_and_takes_nobody_s_place() -> None:
    opened = Opened()
    pool = Pool(opened.connect, opened.close, 1, patience_s=0.05)
    first = pool.take()
    with pytest.raises(LedgerTimeoutError, match=r"all 1 connections were at work for 0\.05 s"):
        pool.take()
    pool.give_back(first)
    assert pool.take() == first

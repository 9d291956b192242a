"""Whoever writes waits its turn, for as long as it is told to, and gives up without keeping others from theirs."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from serving.ledger.line import Line
from serving.ledger.store import LedgerTimeoutError, LedgerTooLateError

PATIENCE_S = 0.2
LONG_S = 60.0


@contextmanager
def place_in(folder: Path) -> Iterator[int]:
    place = os.open(folder / "queue", os.O_WRONLY | os.O_CREAT)
    try:
        yield place
    finally:
        os.close(place)


def test_who_waited_too_long_is_not_first_when_its_turn_comes_and_lets_others_write(tmp_path: Path) -> None:
    line, ends = Line("ledger.db", PATIENCE_S), list[type[Exception]]()

    def write() -> None:
        with place_in(tmp_path) as place:
            try:
                line.come_first(place)
            except LedgerTimeoutError as error:
                ends.append(type(error))

    with place_in(tmp_path) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = Thread(target=write, daemon=True)
        waiting.start()
        until = time.monotonic() + LONG_S
        with place_in(tmp_path) as late:
            while True:  # until somebody is known to have waited too long, which a newcomer does not wait to be
                began = time.monotonic()
                newcomer = Thread(target=write, daemon=True)
                newcomer.start()
                newcomer.join(PATIENCE_S / 4)
                if LedgerTimeoutError in ends:
                    break
                assert began < until
            assert LedgerTooLateError not in ends
            fcntl.flock(other, fcntl.LOCK_UN)
            waiting.join(LONG_S)
            assert LedgerTooLateError in ends
            line.come_first(late)
            line.leave(late)
    line.close()


def test_who_is_not_told_how_long_to_wait_waits_for_its_turn(tmp_path: Path) -> None:
    line, first = Line("ledger.db", None), list[bool]()

    def write() -> None:
        with place_in(tmp_path) as place:
            line.come_first(place)
            first.append(True)

    with place_in(tmp_path) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = Thread(target=write, daemon=True)
        waiting.start()
        waiting.join(2 * PATIENCE_S)
        assert not first
        fcntl.flock(other, fcntl.LOCK_UN)
        waiting.join(LONG_S)
    assert first == [True]

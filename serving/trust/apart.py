"""Work in a thread of its own, waited for only so long: what takes longer is left behind, and ends when it can.

A thread that computes cannot be ended from outside. So whoever waits goes on without it; the work itself looks at the
time between its stages and gives up at the next of them. How many may run at once is bounded, those left behind
included, so that they cannot pile up.

Of work that is waited for one piece is done at a time: threads of one process that all compute take the interpreter
from each other, and each decision would cost half as much again. Whoever waits for a turn waits within its own time,
and turns go from merchant to merchant. Who goes on without an answer gives the turn back for what was left behind.

Large pieces have turns of their own, beside which the usual ones go on, and each keeps its turn until it has ended: of
those that are left behind, too, one computes at a time.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from serving.threads import Tell, Threads
from serving.trust.turns import NoTurnError, Turns

Answer = TypeVar("Answer")
MOST_AT_ONCE = 64


class TooSlowError(Exception):
    """The work did not end in its time."""


class BusyError(TooSlowError):
    """It could not even begin: its turn did not come, or too many are at work."""


class Runner(Protocol):
    """How a piece of work is run."""

    def __call__(self, work: Callable[[], Answer], seconds: float, whose: str = "", *, large: bool = False) -> Answer:
        """Its answer.

        Args:
            whose: The merchant for whom it is done.
            large: Others would wait long for it.

        Raises:
            TooSlowError: It took longer.
            BusyError: It could not begin within that time.
        """
        ...


def at_once(
    work: Callable[[], Answer],
    seconds: float,  # noqa: ARG001 - the work keeps the time itself
    whose: str = "",  # noqa: ARG001 - nobody waits
    *,
    large: bool = False,  # noqa: ARG001 - likewise
) -> Answer:
    """The work in the thread of whoever asks; it ends by itself at its next look at the time."""
    return work()


class Apart:
    """Threads that are kept for the next piece of work; they end with the process, whatever they do.

    Args:
        most: Pieces of work at once, those left behind included.
    """

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._free = threading.Semaphore(most)
        self._usual, self._large = Turns(), Turns()
        self._threads = Threads("decision", most)

    def __call__(self, work: Callable[[], Answer], seconds: float, whose: str = "", *, large: bool = False) -> Answer:
        """The answer of the work; what it raises is raised here.

        Raises:
            TooSlowError: It took longer.
            BusyError: Its turn did not come in that time, or too many are at work.
        """
        until, turns = monotonic() + seconds, self._large if large else self._usual
        if seconds <= 0.0:
            raise TooSlowError
        try:
            turns.wait(whose, seconds)
        except NoTurnError:
            raise BusyError from None
        if large:
            return self._done(work, until - monotonic(), turns.give_back)
        try:
            return self._done(work, until - monotonic())
        finally:
            turns.give_back()

    def _done(self, work: Callable[[], Answer], seconds: float, ended: Callable[[], None] = lambda: None) -> Answer:
        """The answer of the work.

        Args:
            ended: Called when the work has ended, whoever waits for it, or was not begun.
        """
        if seconds <= 0.0 or not self._free.acquire(blocking=False):
            ended()
            raise BusyError
        told: Future[Answer] = Future()

        def run() -> Tell:
            try:
                return partial(told.set_result, work())
            except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                return partial(told.set_exception, error)
            finally:
                self._free.release()
                ended()

        self._threads.begin(run)
        try:
            return told.result(seconds)
        except TimeoutError:
            if told.done():  # just so, or the work ended in such an error itself
                return told.result()
            raise TooSlowError from None

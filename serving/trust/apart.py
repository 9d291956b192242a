"""Work in a thread of its own, waited for only so long: what takes longer is left behind, and ends when it can.

A thread that computes cannot be ended from outside. So whoever waits goes on without it; the work itself looks at the
time between its stages and gives up at the next of them. How many may run at once is bounded, those left behind
included, so that they cannot pile up.

Of work that is waited for one piece is done at a time: threads of one process that all compute take the interpreter
from each other, and each decision would cost half as much again. Whoever waits for a turn waits within its own time,
and who goes on without an answer gives the turn back for what was left behind.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from time import monotonic
from typing import Protocol, TypeVar

from serving.threads import Tell, Threads

Answer = TypeVar("Answer")
MOST_AT_ONCE = 64


class TooSlowError(Exception):
    """The work did not end in its time, or could not even begin."""


class Runner(Protocol):
    """How a piece of work is run."""

    def __call__(self, work: Callable[[], Answer], seconds: float) -> Answer:
        """Its answer.

        Raises:
            TooSlowError: It took longer.
        """
        ...


def at_once(work: Callable[[], Answer], seconds: float) -> Answer:  # noqa: ARG001 - the work keeps the time itself
    """The work in the thread of whoever asks; it ends by itself at its next look at the time."""
    return work()


class Apart:
    """Threads that are kept for the next piece of work; they end with the process, whatever they do.

    Args:
        most: Pieces of work at once, those left behind included.
    """

    def __init__(self, most: int = MOST_AT_ONCE) -> None:
        self._free = threading.Semaphore(most)
        self._turn = threading.Lock()
        self._threads = Threads("decision", most)

    def __call__(self, work: Callable[[], Answer], seconds: float) -> Answer:
        """The answer of the work; what it raises is raised here.

        Raises:
            TooSlowError: It took longer, or its turn did not come, or too many are at work.
        """
        until = monotonic() + seconds
        if seconds <= 0.0 or not self._turn.acquire(timeout=seconds):
            raise TooSlowError
        try:
            return self._done(work, until - monotonic())
        finally:
            self._turn.release()

    def _done(self, work: Callable[[], Answer], seconds: float) -> Answer:
        if seconds <= 0.0 or not self._free.acquire(blocking=False):
            raise TooSlowError
        told: Future[Answer] = Future()

        def run() -> Tell:
            try:
                return partial(told.set_result, work())
            except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                return partial(told.set_exception, error)
            finally:
                self._free.release()

        self._threads.begin(run)
        try:
            return told.result(seconds)
        except TimeoutError:
            if told.done():  # just so, or the work ended in such an error itself
                return told.result()
            raise TooSlowError from None

"""Threads that are kept for the next piece of work, and what a coroutine does with them.

The one that worked last is the next that is given something, so that few of them do most of the work. They end with the
process, whatever they do.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

Answer = TypeVar("Answer")
Tell = Callable[[], object]
"""What tells whoever waits of an outcome; it raises nothing."""
Work = Callable[[], Tell]
"""What is done in a thread, and gives what tells of it; it raises nothing. The thread is free before anybody is told,
so that who goes on with something at once finds it, and not another one."""


class Threads:
    """Does work in threads, in the order in which it is begun where all are at work.

    Args:
        name: Of each thread.
        most: As many threads, each begun when it is needed.
    """

    def __init__(self, name: str, most: int) -> None:
        self._name, self._unbegun = name, most
        self._idle: list[SimpleQueue[Work]] = []
        self._waiting: deque[Work] = deque()
        self._changing = threading.Lock()

    def begin(self, work: Work) -> None:
        """Have a piece of work done as soon as a thread has time for it."""
        with self._changing:
            if self._idle:
                given = self._idle.pop()
            elif self._unbegun:
                self._unbegun -= 1
                given = SimpleQueue()
                threading.Thread(target=self._serve, args=(given,), name=self._name, daemon=True).start()
            else:
                self._waiting.append(work)
                return
        given.put(work)

    async def answer(self, work: Callable[[], Answer]) -> Answer:
        """The answer of work done in a thread, with the context of whoever asks; what it raises is raised here."""
        loop, context = asyncio.get_running_loop(), copy_context()
        told: asyncio.Future[Answer] = loop.create_future()

        def done() -> Tell:
            try:
                outcome = partial(_tell, told, context.run(work))
            except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                outcome = partial(_fail, told, error)
            return partial(_in_its_loop, loop, outcome)

        self.begin(done)
        return await told

    def _serve(self, given: "SimpleQueue[Work]") -> None:
        while True:
            tell = given.get()()
            with self._changing:
                following = self._waiting.popleft() if self._waiting else None
                if following is None:
                    self._idle.append(given)
            tell()
            del tell  # nothing of the work is kept while the thread waits
            if following is not None:
                given.put(following)


def _in_its_loop(loop: asyncio.AbstractEventLoop, outcome: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(outcome)


def _tell(told: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not told.done():  # who waited has left
        told.set_result(answer)


def _fail(told: "asyncio.Future[Answer]", error: BaseException) -> None:
    if not told.done():
        told.set_exception(error)

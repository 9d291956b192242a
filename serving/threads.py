"""Threads that are kept for the next piece of work, and what a coroutine does with them.

The one that worked last is the next that is given something, so that few of them do most of the work. They end with the
process, whatever they do.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar, copy_context
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

Answer = TypeVar("Answer")
Tell = Callable[[], object]
"""What tells whoever waits of an outcome; it raises nothing."""
Work = Callable[[], Tell]
"""What is done in a thread, and gives what tells of it; it raises nothing. The thread is free before anybody is told,
so that who goes on with something at once finds it, and not another one."""
Fail = Callable[[Exception], None]
"""Raises an error where somebody waits for an answer; from whatever thread."""
Leaving = Callable[[], Coroutine[None, None, Exception]]
"""Ends once whoever asked has left, with what is raised then where the answer was waited for."""

_WHOEVER_WAITS: ContextVar[Fail | None] = ContextVar("_WHOEVER_WAITS", default=None)


class NotBegunError(Exception):
    """All threads were at work for so long that the work was dropped."""


def whoever_waits() -> Fail | None:
    """Tells whoever waits for this thread's work that it failed, as the thread itself cannot; None if nobody does."""
    return _WHOEVER_WAITS.get()


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

    def begin(self, work: Work) -> bool:
        """Have a piece of work done as soon as a thread has time for it; whether one has it now."""
        with self._changing:
            if self._idle:
                given = self._idle.pop()
            elif self._unbegun:
                self._unbegun -= 1
                given = SimpleQueue()
                threading.Thread(target=self._serve, args=(given,), name=self._name, daemon=True).start()
            else:
                self._waiting.append(work)
                return False
        given.put(work)
        return True

    async def answer(
        self, work: Callable[[], Answer], seconds: float | None = None, leaving: Leaving | None = None
    ) -> Answer:
        """The answer of work done in a thread, with the context of whoever asks; what it raises is raised here.

        Work that nobody waits for any more before a thread has time for it is not begun.

        Args:
            seconds: For how long it may wait for a thread.
            leaving: Whether whoever asked has left meanwhile.

        Raises:
            NotBegunError: No thread had time for it.
        """
        loop, context = asyncio.get_running_loop(), copy_context()
        told: asyncio.Future[Answer] = loop.create_future()
        turn = threading.Lock()  # of the thread that begins the work, or of whoever drops it: the first has it
        context.run(_WHOEVER_WAITS.set, lambda error: _in_its_loop(loop, partial(_fail, told, error)))

        def done() -> Tell:
            if not turn.acquire(blocking=False):
                return _nothing
            try:
                outcome = partial(_tell, told, context.run(work))
            except BaseException as error:  # noqa: BLE001 - whoever waits raises it
                outcome = partial(_fail, told, error)
            return partial(_in_its_loop, loop, outcome)

        try:
            if self.begin(done):
                return await told
            return await _waited_for(told, turn, seconds, leaving)
        finally:
            turn.acquire(blocking=False)

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


async def _waited_for(
    told: "asyncio.Future[Answer]", turn: threading.Lock, seconds: float | None, leaving: Leaving | None
) -> Answer:
    """The answer of work that no thread has time for yet; it is dropped where it is not begun in time."""
    loop = asyncio.get_running_loop()

    def drop(error: Exception) -> None:
        if turn.acquire(blocking=False):
            _fail(told, error)

    async def drop_when_left(left: Awaitable[Exception]) -> None:
        drop(await left)

    timer = None if seconds is None else loop.call_later(seconds, drop, NotBegunError(f"not begun in {seconds:g} s"))
    watching = None if leaving is None else loop.create_task(drop_when_left(leaving()))
    try:
        return await told
    finally:
        for one in (timer, watching):
            if one is not None:
                one.cancel()


def _nothing() -> None:
    """What is told of work that was dropped."""


def _in_its_loop(loop: asyncio.AbstractEventLoop, outcome: Callable[[], None]) -> None:
    with suppress(RuntimeError):  # the loop is closed: nobody waits any more
        loop.call_soon_threadsafe(outcome)


def _tell(told: "asyncio.Future[Answer]", answer: Answer) -> None:
    if not told.done():  # who waited has left
        told.set_result(answer)


def _fail(told: "asyncio.Future[Answer]", error: BaseException) -> None:
    if not told.done():
        told.set_exception(error)

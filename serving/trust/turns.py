"""One at a time: those who wait for their turn are taken merchant by merchant, each merchant's own as they came.

However many of one merchant wait, another merchant's next one waits for one of them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future
from contextlib import asynccontextmanager, contextmanager
from threading import Lock


class NoTurnError(Exception):
    """The turn did not come in time."""


class Turns:
    """Who has the turn and who waits for it; several threads and an event loop may use it."""

    def __init__(self) -> None:
        self._changing = Lock()
        self._taken = False
        self._lines: dict[str, deque[Future[None]]] = {}  # the merchant whose turn is next stands first

    def wait(self, whose: str, seconds: float | None) -> None:
        """Have the turn; whoever has it gives it back.

        Raises:
            NoTurnError: It did not come in so many seconds.
        """
        told = self._asked(whose)
        try:
            told.result(seconds)
        except TimeoutError:
            self._leave(whose, told)
            raise NoTurnError from None

    def give_back(self) -> None:
        """The turn is the next one's."""
        with self._changing:
            if not self._lines:
                self._taken = False
                return
            whose = next(iter(self._lines))
            line = self._lines.pop(whose)
            told = line.popleft()
            if line:
                self._lines[whose] = line  # behind the other merchants
            told.set_result(None)

    @contextmanager
    def taken(self, whose: str, seconds: float | None) -> Iterator[None]:
        """The turn while the block runs.

        Raises:
            NoTurnError: As for `wait`.
        """
        self.wait(whose, seconds)
        try:
            yield
        finally:
            self.give_back()

    @asynccontextmanager
    async def taken_meanwhile(self, whose: str, seconds: float | None) -> AsyncIterator[None]:
        """The same in an event loop, which goes on while it waits.

        Raises:
            NoTurnError: As for `wait`.
        """
        told = self._asked(whose)
        try:
            # Shielded, so that whoever leaves does so by `_leave` alone, which knows whether the turn was given.
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(told)), seconds)
        except BaseException as error:
            self._leave(whose, told)
            if isinstance(error, TimeoutError):
                raise NoTurnError from None
            raise
        try:
            yield
        finally:
            self.give_back()

    def _asked(self, whose: str) -> "Future[None]":
        told: Future[None] = Future()
        with self._changing:
            if self._taken:
                self._lines.setdefault(whose, deque()).append(told)
                return told
            self._taken = True
        told.set_result(None)
        return told

    def _leave(self, whose: str, told: "Future[None]") -> None:
        """Wait no longer; a turn that was given just now is given back."""
        with self._changing:
            line = self._lines.get(whose)
            if line is not None and told in line:
                line.remove(told)
                if not line:
                    del self._lines[whose]
                return
        self.give_back()

"""Connections that are opened when needed, lent to one user at a time, and kept for the next."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, LifoQueue
from threading import BoundedSemaphore
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """At most `size` connections; whoever comes later waits."""

    def __init__(self, connect: Callable[[], Connection], close: Callable[[Connection], None], size: int) -> None:
        self._connect = connect
        self._close = close
        self._free: LifoQueue[Connection] = LifoQueue()
        self._places = BoundedSemaphore(size)

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """A connection for one use; one that an error has passed through is closed, not lent again."""
        with self._places:
            connection = self._taken()
            try:
                yield connection
            except BaseException:
                self._close(connection)
                raise
            self._free.put(connection)

    def close(self) -> None:
        """Close every connection that is not lent."""
        while True:
            try:
                self._close(self._free.get_nowait())
            except Empty:
                return

    def _taken(self) -> Connection:
        try:
            return self._free.get_nowait()
        except Empty:
            return self._connect()

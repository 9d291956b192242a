"""Connections that are opened when needed, lent to one user at a time, and kept for the next."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Semaphore
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """At most `size` connections; whoever comes later waits."""

    def __init__(self, connect: Callable[[], Connection], close: Callable[[Connection], None], size: int) -> None:
        self._connect = connect
        self._close = close
        self._free: deque[Connection] = deque()  # taken and put back at one end, which threads may do at once
        self._places = Semaphore(size)

    @contextmanager
    def lent(self) -> Iterator[Connection]:
        """A connection for one use; one that an error has passed through is closed, not lent again."""
        connection = self.take()
        try:
            yield connection
        except BaseException:
            self.drop(connection)
            raise
        self.give_back(connection)

    def take(self) -> Connection:
        """A connection, to be given back or dropped."""
        self._places.acquire()
        try:
            return self._taken()
        except BaseException:
            self._places.release()
            raise

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next who comes."""
        self._free.append(connection)
        self._places.release()

    def drop(self, connection: Connection) -> None:
        """Close a connection that an error has passed through, which undoes what it had begun."""
        try:
            self._close(connection)
        finally:
            self._places.release()

    def close(self) -> None:
        """Close every connection that is not lent."""
        while True:
            try:
                self._close(self._free.pop())
            except IndexError:
                return

    def _taken(self) -> Connection:
        try:
            return self._free.pop()
        except IndexError:
            return self._connect()

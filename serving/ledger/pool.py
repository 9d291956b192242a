"""Connections that are opened when needed, lent to one user at a time, and kept for the next."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """At most `size` connections; whoever comes later waits."""

    def __init__(self, connect: Callable[[], Connection], close: Callable[[Connection], None], size: int) -> None:
        self._connect = connect
        self._close = close
        self._free: deque[Connection] = deque()  # taken and put back at one end, which threads may do at once
        self._unopened = size
        self._waiting = 0
        self._changed = Condition()

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
        try:
            return self._free.pop()
        except IndexError:
            return self._waited_for()

    def give_back(self, connection: Connection) -> None:
        """Keep a connection for the next who comes."""
        self._free.append(connection)
        if self._waiting:  # who begins to wait says so before looking once more
            with self._changed:
                self._changed.notify()

    def drop(self, connection: Connection) -> None:
        """Close a connection that an error has passed through, which undoes what it had begun."""
        try:
            self._close(connection)
        finally:
            self._make_place()

    def close(self) -> None:
        """Close every connection that is not lent."""
        while True:
            try:
                connection = self._free.pop()
            except IndexError:
                return
            self.drop(connection)

    def _waited_for(self) -> Connection:
        """One that is given back, or a new one as soon as there is a place for it."""
        with self._changed:
            self._waiting += 1
            try:
                while True:
                    with suppress(IndexError):
                        return self._free.pop()
                    if self._unopened:
                        break
                    self._changed.wait()
                self._unopened -= 1
            finally:
                self._waiting -= 1
        try:
            return self._connect()
        except BaseException:
            self._make_place()
            raise

    def _make_place(self) -> None:
        with self._changed:
            self._unopened += 1
            self._changed.notify()

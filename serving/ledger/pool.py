"""Connections that are opened when needed, lent to one user at a time, and kept for the next."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Condition
from time import monotonic
from typing import Generic, TypeVar

from serving.ledger.store import LedgerTimeoutError

Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """At most `size` connections; whoever comes later waits.

    Args:
        patience_s: How long; None for as long as it takes.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        close: Callable[[Connection], None],
        size: int,
        patience_s: float | None = None,
    ) -> None:
        self._connect = connect
        self._close = close
        self._free: deque[Connection] = deque()  # taken and put back at one end, which threads may do at once
        self._unopened = self._size = size
        self._patience_s = patience_s
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
        """A connection, to be given back or dropped.

        Raises:
            LedgerTimeoutError: None became free in time.
        """
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
        until = None if self._patience_s is None else monotonic() + self._patience_s
        with self._changed:
            self._waiting += 1
            try:
                while True:
                    with suppress(IndexError):
                        return self._free.pop()
                    if self._unopened:
                        break
                    self._wait(until)
                self._unopened -= 1
            finally:
                self._waiting -= 1
        try:
            return self._connect()
        except BaseException:
            self._make_place()
            raise

    def _wait(self, until: float | None) -> None:
        left = None if until is None else until - monotonic()
        if left is not None and left <= 0.0:
            busy = f"all {self._size} connections were at work for {self._patience_s:g} s"
            raise LedgerTimeoutError(f"the ledger takes too long: {busy}")
        self._changed.wait(left)

    def _make_place(self) -> None:
        with self._changed:
            self._unopened += 1
            self._changed.notify()

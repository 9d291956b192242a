"""The workers of one service do lots of a batch for each other, so that one call is not answered by one of them alone.

Each listens in a folder that whoever started them made for them and that nobody else can look into. What is asked there
was let in already by the worker that was called; who asked is told with it.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from secrets import token_hex
from threading import Condition, Thread

import orjson
from structlog.typing import FilteringBoundLogger

from serving.tenancy.caller import Caller
from serving.tenancy.keys import Scope
from serving.workers_folder import FOLDER

_BEGUN = b"begun"
# A lot takes as long as its decisions may take; who answers nothing for longer has gone, though its door is open.
_LONGEST_S = 600.0
_TO_LEAVE_S = 30.0


@dataclass(frozen=True, slots=True)
class Lot:
    """Some entries of a batch, and who asks.

    Args:
        first: The number of the first entry.
        entries: JSON without line breaks.
    """

    caller: Caller
    first: int
    entries: tuple[bytes, ...]

    def packed(self) -> bytes:
        """A line of its own for each entry, after one for the rest."""
        who = self.caller
        head = {"merchant_id": who.merchant_id, "scope": who.scope.value, "key_id": who.key_id, "first": self.first}
        return b"\n".join((orjson.dumps(head), *self.entries))

    @staticmethod
    def unpacked(text: bytes) -> "Lot":
        """What `packed` has written."""
        head, *entries = text.split(b"\n")
        told = orjson.loads(head)
        return Lot(Caller(told["merchant_id"], Scope(told["scope"]), told["key_id"]), told["first"], tuple(entries))


class LostError(Exception):
    """A neighbour has gone while it worked on a lot: what became of it is not known."""


class Neighbour:
    """Another worker, asked one lot at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def answers(self, lot: Lot) -> list[bytes] | None:
        """The answers to a lot; None where it was not begun, because the neighbour has left.

        Raises:
            LostError: It has gone meanwhile.
        """
        try:
            self._connection.send_bytes(lot.packed())
            self._received()
        except (OSError, EOFError):
            return None
        try:
            return self._received().split(b"\n")
        except (OSError, EOFError):
            raise LostError from None

    def close(self) -> None:
        """Let go of it."""
        self._connection.close()

    def _received(self) -> bytes:
        if not self._connection.poll(_LONGEST_S):
            raise LostError
        return self._connection.recv_bytes()


class Neighbours:
    """The other workers of the service, and this one as they see it.

    Args:
        folder: Where all of them listen; None for a worker that is alone.
    """

    def __init__(self, folder: Path | None, log: FilteringBoundLogger) -> None:
        self._folder, self._log = folder, log
        self._name = f"{os.getpid()}-{token_hex(4)}"
        self._working, self._leaving, self._changed = 0, False, Condition()

    @contextmanager
    def listening(self, answers: Callable[[Lot], Sequence[bytes]]) -> Iterator[None]:
        """Do lots for the others while the block runs; one that was begun is ended."""
        if self._folder is None:
            yield
            return
        path = self._folder / self._name
        try:
            listener = Listener(str(path), "AF_UNIX", backlog=64)
        except OSError as error:
            self._log.warning("batches are not shared", reason=str(error))
            yield
            return
        accepting = Thread(target=self._accept, args=(listener, answers), name="neighbours", daemon=True)
        accepting.start()
        try:
            yield
        finally:
            self._leave(path)
            accepting.join(_TO_LEAVE_S)

    def reached(self) -> list[Neighbour]:
        """Those that listen now, each to be closed by whoever asks."""
        if self._folder is None:
            return []
        with suppress(OSError):
            paths = sorted(path for path in self._folder.iterdir() if path.name != self._name)
            return [one for path in paths if (one := _reached(path))]
        return []

    def _leave(self, path: Path) -> None:
        with self._changed:
            self._leaving = True
            self._changed.wait_for(lambda: not self._working, _TO_LEAVE_S)
        if last := _reached(path):  # wakes whoever accepts
            last.close()

    def _accept(self, listener: Listener, answers: Callable[[Lot], Sequence[bytes]]) -> None:
        with suppress(OSError), listener:  # which takes its file away
            while not self._leaving:
                connection = listener.accept()
                Thread(target=self._serve, args=(connection, answers), name="neighbour", daemon=True).start()

    def _serve(self, connection: Connection, answers: Callable[[Lot], Sequence[bytes]]) -> None:
        """Do one lot after another until either side leaves."""
        with connection, suppress(OSError, EOFError):
            while True:
                lot = Lot.unpacked(connection.recv_bytes())
                with self._at_work() as begun:
                    if not begun:
                        return
                    connection.send_bytes(_BEGUN)
                    connection.send_bytes(b"\n".join(answers(lot)))

    @contextmanager
    def _at_work(self) -> Iterator[bool]:
        with self._changed:
            if self._leaving:
                begun = False
            else:
                begun, self._working = True, self._working + 1
        try:
            yield begun
        finally:
            if begun:
                with self._changed:
                    self._working -= 1
                    self._changed.notify_all()


def neighbours_in(environment: Mapping[str, str], log: FilteringBoundLogger) -> Neighbours:
    """The neighbours that the environment tells of."""
    folder = environment.get(FOLDER)
    return Neighbours(Path(folder) if folder else None, log)


def _reached(path: Path) -> Neighbour | None:
    """The worker that listens there; one that was ended from outside has left its file behind."""
    with suppress(OSError):
        return Neighbour(Client(str(path), "AF_UNIX"))
    return None

"""How workers that listen on one socket share out who comes in: each takes one caller, then gives others a turn.

An event loop that finds callers waiting takes them all at once. A client that opens its pool of connections in one go
then has most of them, or all, with the worker that woke first, and the other processors stay idle for as long as the
pool lives. See decision 0266.
"""

import asyncio
import logging
import socket
from collections.abc import Callable
from errno import EMFILE, ENFILE, ENOBUFS, ENOMEM

from uvicorn import Server

PAUSE_S = 0.001
"""After each caller; event loops keep time by the millisecond."""
LONGER_PAUSE_S = 0.002
MANY = 8
"""From so many connections on a worker makes the longer pause, so that one that has fewer catches up."""
REST_S = 1.0
"""While there are no means for another connection; as long as asyncio waits."""

_log = logging.getLogger("uvicorn.error")  # where asyncio's and uvicorn's own troubles with connections go
_NO_MEANS = frozenset({EMFILE, ENFILE, ENOBUFS, ENOMEM})


class Door:
    """Takes callers from one socket, one at a time; it is closed as a server of the event loop is.

    Args:
        bound: Listens already or is about to; it stays its owner's.
        protocol: Makes what speaks with a caller.
        connections: How many there are now.
    """

    def __init__(
        self,
        bound: socket.socket,
        protocol: Callable[[], asyncio.Protocol],
        connections: Callable[[], int],
    ) -> None:
        self._bound, self._protocol, self._connections = bound, protocol, connections
        self._loop = asyncio.get_running_loop()
        self._pause: asyncio.TimerHandle | None = None
        self._greeting: set[asyncio.Task[None]] = set()

    def open(self, backlog: int) -> None:
        """Begin to listen."""
        self._bound.setblocking(False)
        self._bound.listen(backlog)
        self._look()

    def close(self) -> None:
        """Take nobody any more; whoever is in stays."""
        if self._pause is not None:
            self._pause.cancel()
        self._loop.remove_reader(self._bound.fileno())

    async def wait_closed(self) -> None:
        """Wait until those who came in last are known as connections."""
        if self._greeting:
            await asyncio.wait(self._greeting)

    def _look(self) -> None:
        self._pause = None
        self._loop.add_reader(self._bound.fileno(), self._take)

    def _take(self) -> None:
        try:
            caller, _ = self._bound.accept()
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            return  # another worker was faster, or the caller has gone
        except OSError as error:
            if error.errno not in _NO_MEANS:
                raise
            _log.error("No connection can be taken: %s", error.strerror)
            self._rest(REST_S)
            return
        caller.setblocking(False)
        greeting = self._loop.create_task(self._greet(caller))
        self._greeting.add(greeting)
        greeting.add_done_callback(self._greeting.discard)
        self._rest(PAUSE_S if self._connections() < MANY else LONGER_PAUSE_S)

    async def _greet(self, caller: socket.socket) -> None:
        try:
            await self._loop.connect_accepted_socket(self._protocol, caller)
        except OSError as error:
            caller.close()
            _log.warning("A connection was lost as it was taken: %s", error)

    def _rest(self, seconds: float) -> None:
        self._loop.remove_reader(self._bound.fileno())
        self._pause = self._loop.call_later(seconds, self._look)


class SharingServer(Server):
    """uvicorn's server, but what it listens on are doors; it speaks no TLS, which is the work of a proxy in front."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the application, then let callers in."""
        await super().startup(sockets=[])
        self.doors = [Door(bound, self._protocol, self._connections) for bound in sockets or ()]
        for door in self.doors:
            door.open(self.config.backlog)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let nobody in any more, end what was begun, and stop the application."""
        for door in self.doors:
            door.close()
        for door in self.doors:
            await door.wait_closed()
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        speak = self.config.http_protocol_class
        return speak(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)  # type: ignore[call-arg]

    def _connections(self) -> int:
        return len(self.server_state.connections)

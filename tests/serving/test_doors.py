"""Doors: who comes in is shared out over those that listen on one socket, and nobody is lost on the way."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing, suppress
from errno import EINVAL, EMFILE
from threading import Event, Thread

import pytest

from serving import doors
from serving.doors import Door
from serving.ports import bound_socket, port_of

SECONDS = 60.0
CALLERS = 24


class Echo(asyncio.Protocol):
    """Says its worker's name to whoever comes in."""

    def __init__(self, name: bytes, inside: set[asyncio.BaseTransport]) -> None:
        self._name, self._inside = name, inside

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._inside.add(transport)
        transport.write(self._name)


class Worker:
    """An event loop in a thread of its own with a door on a socket, and whoever is in."""

    def __init__(self, bound: socket.socket, name: bytes) -> None:
        self.inside: set[asyncio.BaseTransport] = set()
        self._bound, self._name, self._ready, self._leave = bound, name, Event(), asyncio.Event()
        self._thread = Thread(target=lambda: asyncio.run(self._work()))

    def begin(self) -> None:
        self._thread.start()
        assert self._ready.wait(SECONDS)

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._leave.set)
        self._thread.join(SECONDS)
        assert not self._thread.is_alive()

    async def _work(self) -> None:
        self._loop = asyncio.get_running_loop()
        door = Door(self._bound, lambda: Echo(self._name, self.inside), lambda: len(self.inside))
        door.open(CALLERS)
        self._ready.set()
        await self._leave.wait()
        door.close()
        await door.wait_closed()


@pytest.fixture
def bound() -> Iterator[socket.socket]:
    with closing(bound_socket("127.0.0.1", 0)) as made:
        yield made


def names_told(bound: socket.socket, callers: int) -> list[bytes]:
    """Whoever answers callers that all come at once and stay."""
    port = port_of(bound)
    calls = [socket.create_connection(("127.0.0.1", port), SECONDS) for _ in range(callers)]
    told = [call.recv(1) for call in calls]
    for call in calls:
        call.close()
    return told


def test_callers_who_come_at_once_are_shared_out(bound: socket.socket) -> None:
    workers = [Worker(bound, name) for name in (b"a", b"b")]
    for worker in workers:
        worker.begin()
    told = names_told(bound, CALLERS)
    for worker in workers:
        worker.end()
    assert set(told) == {b"a", b"b"}
    assert min(told.count(name) for name in (b"a", b"b")) >= CALLERS // 4


def test_one_alone_takes_all(bound: socket.socket) -> None:
    worker = Worker(bound, b"a")
    worker.begin()
    assert names_told(bound, CALLERS) == [b"a"] * CALLERS
    worker.end()


def test_a_closed_door_takes_nobody_and_leaves_the_socket_to_others(bound: socket.socket) -> None:
    first, second = Worker(bound, b"a"), Worker(bound, b"b")
    first.begin()
    assert names_told(bound, 1) == [b"a"]
    first.end()
    assert first.inside
    call = socket.create_connection(("127.0.0.1", port_of(bound)), SECONDS)
    second.begin()
    assert call.recv(1) == b"b"
    call.close()
    second.end()


class Refusing(socket.socket):
    """A socket that has no means for the first callers."""

    errors: list[int]

    def accept(self) -> tuple[socket.socket, object]:
        if self.errors:
            raise OSError(self.errors.pop(), "no means")
        return super().accept()


def refusing(bound: socket.socket, *errors: int) -> Refusing:
    made = Refusing(fileno=bound.detach())
    made.errors = list(errors)
    return made


def test_without_means_it_rests_and_takes_whoever_waits_afterwards(
    bound: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(doors, "REST_S", 0.01)
    with refusing(bound, EMFILE, EMFILE) as without:
        worker = Worker(without, b"a")
        worker.begin()
        assert names_told(without, 1) == [b"a"]
        worker.end()
    assert [record.getMessage() for record in caplog.records] == ["No connection can be taken: no means"] * 2


def test_a_caller_that_has_gone_is_no_trouble(bound: socket.socket) -> None:
    async def taken() -> int:
        inside: set[asyncio.BaseTransport] = set()
        door = Door(bound, lambda: Echo(b"a", inside), lambda: len(inside))
        door.open(CALLERS)
        caller = socket.create_connection(("127.0.0.1", port_of(bound)), SECONDS)
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        caller.close()  # with a reset
        reader, writer = await asyncio.open_connection("127.0.0.1", port_of(bound))
        assert await reader.read(1) == b"a"
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
        door.close()
        await door.wait_closed()
        return len(inside)

    assert asyncio.run(taken()) >= 1


def test_what_is_wrong_with_the_socket_itself_is_not_hidden(bound: socket.socket) -> None:
    async def met() -> object:
        told: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().set_exception_handler(
            lambda _, what: None if told.done() else told.set_result(what.get("exception"))
        )
        door = Door(without, lambda: Echo(b"a", set()), lambda: 0)
        door.open(CALLERS)
        _, writer = await asyncio.open_connection("127.0.0.1", port_of(without))
        error = await told
        writer.close()
        door.close()
        return error

    with refusing(bound, EINVAL) as without:
        error = asyncio.run(met())
    assert isinstance(error, OSError)
    assert error.errno == EINVAL

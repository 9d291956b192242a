"""How much of addresses and header fields a real server takes, from callers who speak to its socket themselves."""

import asyncio
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from threading import Thread

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from serving.errors import MEDIA_TYPE
from serving.header_limits import MOST_BYTES, MOST_FIELDS, LimitedHeaders
from serving.ports import bound_socket, port_of

SECONDS = 60.0
CLOSING = b"connection: close\r\n\r\n"
HOST = b"host: x\r\n"


async def measuring(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers how many header fields and bytes of a body came."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message.get("body", b""), message.get("more_body", False)
    told = f"{len(scope['headers'])} fields, {len(body)} bytes\n".encode()
    length = (b"content-length", str(len(told)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [length]})
    await send({"type": "http.response.body", "body": told})


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with closing(bound_socket("127.0.0.1", 0)) as bound:
        config = uvicorn.Config(measuring, http=LimitedHeaders, lifespan="off", log_level="critical", access_log=False)
        server = uvicorn.Server(config)
        thread = Thread(target=lambda: asyncio.run(server.serve(sockets=[bound])))
        bound.listen()  # whoever comes before the server is there waits
        thread.start()
        yield port_of(bound)
        server.should_exit = True
        thread.join(SECONDS)
        assert not thread.is_alive()


def answered(port: int, *parts: bytes) -> bytes:
    """Everything that comes back until the server closes; parts are sent one after another."""
    with socket.create_connection(("127.0.0.1", port), SECONDS) as call:
        call.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(ConnectionError):  # it need not read to the end of what it refuses
            for part in parts:
                call.sendall(part)
        return b"".join(iter(lambda: received(call), b""))


def received(call: socket.socket) -> bytes:
    try:
        return call.recv(65_536)
    except ConnectionError:
        return b""


def get(*lines: bytes) -> bytes:
    return b"GET / HTTP/1.1\r\n" + HOST + b"".join(lines) + CLOSING


def fields(count: int, size: int = 1) -> Sequence[bytes]:
    return [b"x: " + b"a" * size + b"\r\n"] * count


def test_what_is_within_the_limits_is_answered(port: int) -> None:
    assert answered(port, get(*fields(MOST_FIELDS - 2))).endswith(b"\n100 fields, 0 bytes\n")
    assert answered(port, get(*fields(6, 10_000))).endswith(b"\n8 fields, 0 bytes\n")


@pytest.mark.parametrize(
    "request_sent",
    [
        get(*fields(MOST_FIELDS - 1)),
        get(*fields(7, 10_000)),
        get(*fields(1, MOST_BYTES)),
        b"GET /" + b"a" * MOST_BYTES + b" HTTP/1.1\r\n" + HOST + CLOSING,
    ],
    ids=["fields", "bytes", "one field", "address"],
)
def test_what_is_more_is_refused_with_a_problem_document(port: int, request_sent: bytes) -> None:
    head, _, body = answered(port, request_sent).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 431 Request Header Fields Too Large"
    assert {f"content-type: {MEDIA_TYPE}", "connection: close"} <= set(lines)
    problem = json.loads(body)
    assert (problem["status"], problem["type"]) == (431, "urn:recoup:problem:headers-too-large")


@pytest.mark.parametrize(
    "beginning",
    [
        b"GET /",
        b"GET / HTTP/1.1\r\nx",
        b"GET / HTTP/1.1\r\nx: ",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n1;",
    ],
    ids=["address", "name", "value", "extension of a piece"],
)
def test_what_never_ends_is_not_waited_for(port: int, beginning: bytes) -> None:
    sent = 0
    with socket.create_connection(("127.0.0.1", port), SECONDS) as call, suppress(ConnectionError):
        call.sendall(beginning)
        while sent < 100 * MOST_BYTES:
            call.sendall(b"a" * 4_096)
            sent += 4_096
    assert sent < 100 * MOST_BYTES


def test_many_fields_that_never_end_are_not_read_on(port: int) -> None:
    sent = 0
    with socket.create_connection(("127.0.0.1", port), SECONDS) as call, suppress(ConnectionError):
        call.sendall(b"GET / HTTP/1.1\r\n")
        while sent < 3_000_000:
            call.sendall(b"a:1\r\n" * 1_000)
            sent += 1_000
    assert sent < 3_000_000


def test_every_request_of_a_connection_counts_for_itself(port: int) -> None:
    one = b"GET / HTTP/1.1\r\n" + HOST + b"".join(fields(5, 10_000)) + b"\r\n"
    answers = answered(port, one * 5 + get())
    assert answers.count(b"6 fields, 0 bytes\n") == 5
    assert answers.endswith(b"2 fields, 0 bytes\n")


@pytest.mark.parametrize("size", [100, 200_000])
def test_a_body_is_no_header(port: int, size: int) -> None:
    body = b"a: 1\r\n" * (size // 6)
    whole = b"POST / HTTP/1.1\r\n" + HOST + f"content-length: {len(body)}\r\n\r\n".encode() + body
    pieces = b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
    pieces += b"".join(f"{len(body):x}\r\n".encode() + body + b"\r\n" for _ in range(3)) + b"0\r\n\r\n"
    answers = answered(port, whole * 3 + pieces + get())
    assert answers.count(f"2 fields, {len(body)} bytes\n".encode()) == 3
    assert answers.count(f"2 fields, {3 * len(body)} bytes\n".encode()) == 1
    assert answers.endswith(b"2 fields, 0 bytes\n")


def test_a_body_and_fields_that_come_byte_by_byte_are_what_they_are_at_once(port: int) -> None:
    text = b"POST / HTTP/1.1\r\n" + HOST + b"content-length: 20\r\n" + CLOSING + b"b" * 20
    assert answered(port, *(bytes([one]) for one in text)).endswith(b"3 fields, 20 bytes\n")


def test_fields_after_a_body_are_bounded_too(port: int) -> None:
    pieces = b"POST / HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
    assert answered(port, pieces + b"".join(fields(10)) + b"\r\n" + get()).count(b" 200 ") == 2
    assert b" 200 " not in answered(port, pieces, *(b"".join(fields(1_000)) for _ in range(1_000)))


def test_what_cannot_be_read_at_all_is_refused_as_before(port: int) -> None:
    assert answered(port, b"nonsense\r\n\r\n").startswith(b"HTTP/1.1 400 ")

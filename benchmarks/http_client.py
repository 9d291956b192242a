"""A client that costs little: it keeps connections open, sends bytes made beforehand and reads whole answers."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """What came of some requests: seconds of each, and per second over all."""

    seconds: tuple[float, ...]
    per_second: float

    def quantile(self, share: float) -> float:
        """Milliseconds within which that share was answered."""
        ordered = sorted(self.seconds)
        return 1000.0 * ordered[min(int(share * len(ordered)), len(ordered) - 1)]


def request_bytes(path: str, body: bytes) -> bytes:
    """One POST as it goes over the wire."""
    head = f"POST {path} HTTP/1.1\r\nhost: benchmark\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return f"{head}\r\n\r\n".encode() + body


def load(port: int, requests: Sequence[bytes], *, connections: int, count: int) -> Load:
    """Send so many of the requests in turn over so many connections at once.

    Raises:
        RuntimeError: An answer is not 200.
    """
    return asyncio.run(_load(port, requests, connections, count))


async def _load(port: int, requests: Sequence[bytes], connections: int, count: int) -> Load:
    waiting = iter(range(count))
    seconds: list[float] = []

    async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in waiting:
            began = time.perf_counter()
            writer.write(requests[number % len(requests)])
            await _answer(reader)
            seconds.append(time.perf_counter() - began)
        writer.close()

    opened = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
    began = time.perf_counter()
    await asyncio.gather(*(ask(*pair) for pair in opened))
    return Load(tuple(seconds), count / (time.perf_counter() - began))


async def _answer(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length:"))
    body = await reader.readexactly(length)
    if not lines[0].startswith(b"http/1.1 200"):
        raise RuntimeError(f"{lines[0].decode()}: {body[:500].decode(errors='replace')}")
    return body

"""Many entries in one call: taken as they come, answered in their order, some at a time.

What is asked is read as fast as it comes, because many clients send everything before they read anything; it is at most
`LONGEST` bytes. What is answered is never stored up: nothing more is worked on while the caller does not read.

The first entry is worked on alone, so that its answer comes early, then two, then four at a time: what keeps them is
written once, and they are handed to a thread once, for all of them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence

from starlette.requests import ClientDisconnect, Request

from serving.errors import Kind, RequestError

MOST = 10_000
"""Entries of one call."""
LONGEST = 16_000_000
"""Bytes of one call."""
MOST_AT_ONCE = 4
"""Entries that are worked on together, so that nobody waits long for an answer that is there."""

Answer = Callable[[int, Sequence[bytes]], Coroutine[None, None, list[bytes]]]
"""Answers entries by the number of the first, counted from 0, and their bytes; a refusal is an answer too."""
Refused = Callable[[int, RequestError], bytes]


class Entries:
    """The entries of a call, as they come."""

    def __init__(self) -> None:
        self._there: deque[bytes] = deque()
        self._changed = asyncio.Event()
        self._last = False
        self.left = False
        self.fault: RequestError | None = None

    @staticmethod
    def listed(entries: Sequence[bytes]) -> "Entries":
        """Entries that are there already."""
        made = Entries()
        for entry in entries:
            made.put(entry)
        made.put(None)
        return made

    @property
    def over(self) -> bool:
        """All that will ever come was taken."""
        return self._last and not self._there

    def put(self, entry: bytes | RequestError | None) -> None:
        """One has come; or why no more can be read; or None after the last."""
        if isinstance(entry, bytes):
            self._there.append(entry)
        else:
            self.fault, self._last = self.fault or entry, True
        self._changed.set()

    async def read_lines(self, request: Request, longest_line: int) -> None:
        """Take in the lines of a body, and notice when the caller leaves."""
        lines = Lines(longest_line)
        try:
            async for chunk in request.stream():
                for line in lines.ended_by(chunk):
                    self.put(line)
            for line in lines.rest():
                self.put(line)
            self.put(None)
        except RequestError as refusal:
            self.put(refusal)
        except ClientDisconnect:
            self.leave()
            return
        await self.notice_leaving(request)

    async def notice_leaving(self, request: Request) -> None:
        """Wait until the caller leaves; the body has been read by then."""
        while (await request.receive())["type"] != "http.disconnect":
            continue
        self.leave()

    def take(self, most: int) -> list[bytes]:
        """The next entries that are there, so many at most."""
        found = [self._there.popleft() for _ in range(min(most, len(self._there)))]
        if not self._there and not self._last:
            self._changed.clear()
        return found

    def share(self, of: int) -> int:
        """How many of those that are there each of so many workers would do, so that they end together."""
        return -(-len(self._there) // of)

    async def come(self) -> None:
        """Wait until there is an entry, or will be none."""
        await self._changed.wait()

    def leave(self) -> None:
        """The caller has left; nothing more is worth an answer."""
        self.left = True
        self.put(None)


class Lines:
    """Cuts a stream of bytes into lines that are not blank.

    Raises:
        RequestError: A line, or all of them, are too long, or they are too many.
    """

    def __init__(self, longest_line: int) -> None:
        self._longest_line = longest_line
        self._begun = bytearray()
        self._bytes = self._lines = 0

    def ended_by(self, chunk: bytes) -> list[bytes]:
        """The lines that end within a chunk."""
        self._bytes += len(chunk)
        if self._bytes > LONGEST:
            raise RequestError(Kind.TOO_LARGE, f"The stream is larger than {LONGEST:,} bytes; send the rest in another")
        *ended, begun = chunk.split(b"\n")
        found = []
        for line in ended:
            found += self._counted(bytes(self._begun) + line)
            self._begun.clear()
        self._begun += begun
        if len(self._begun) > self._longest_line:
            raise self._too_long()
        return found

    def rest(self) -> list[bytes]:
        """What stands after the last line break."""
        return self._counted(bytes(self._begun))

    def _counted(self, line: bytes) -> list[bytes]:
        if not line.strip():
            return []
        if len(line) > self._longest_line:
            raise self._too_long()
        self._lines += 1
        if self._lines > MOST:
            raise RequestError(Kind.TOO_LARGE, f"The stream holds more than {MOST:,} lines; send the rest in another")
        return [line]

    def _too_long(self) -> RequestError:
        return RequestError(Kind.TOO_LARGE, f"A line is longer than {self._longest_line:,} bytes; no more was read")


async def answered(
    entries: Entries, answer: Answer, refused: Refused, at_once: int = 1
) -> AsyncGenerator[list[bytes], None]:
    """The answers in the order of the entries, as many as are there together; ends when the caller has left.

    Args:
        refused: The answer that ends a stream of which no more can be read.
        at_once: So many lots of entries are worked on at once; as many again may wait for their turn to be told, so
            that whoever is done first need not wait for the others.
    """
    lots: deque[asyncio.Task[list[bytes]]] = deque()
    number, most = 0, 1
    try:
        while not entries.left:
            ready = lots.popleft().result() if lots and lots[0].done() else []
            while _has_room(lots, at_once) and (some := entries.take(min(most, entries.share(at_once)))):
                lots.append(asyncio.create_task(answer(number, some)))
                number, most = number + len(some), min(2 * most, MOST_AT_ONCE)
            if ready:
                yield ready
            elif lots or not entries.over:
                await _something(entries, lots, at_once)
            else:
                break
        if entries.fault and not entries.left:
            yield [refused(number, entries.fault)]
    finally:
        for task in lots:
            task.cancel()


def _has_room(lots: Sequence[asyncio.Task[list[bytes]]], at_once: int) -> bool:
    return len(lots) < 2 * at_once and sum(not lot.done() for lot in lots) < at_once


async def _something(entries: Entries, lots: Sequence[asyncio.Task[list[bytes]]], at_once: int) -> None:
    """Wait until the first lot is answered, another one has made room, or an entry has come that there is room for."""
    if entries.over or len(lots) == 2 * at_once:
        await lots[0]
        return
    awaited: set[asyncio.Task[list[bytes]] | asyncio.Task[None]] = {lot for lot in lots if not lot.done()}
    coming = asyncio.create_task(entries.come()) if _has_room(lots, at_once) else None
    if coming is not None:
        awaited.add(coming)
    try:
        await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
    finally:
        if coming is not None:
            coming.cancel()

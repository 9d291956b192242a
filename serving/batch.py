"""Many entries in one call: taken as they come, answered in their order, a few at a time.

What is asked is read as fast as it comes, because many clients send everything before they read anything; it is at most
`LONGEST` bytes. What is answered is never stored up: nothing more is worked on while the caller does not read.
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
_AT_ONCE = 4

Answer = Callable[[int, bytes], Coroutine[None, None, bytes]]
"""Answers an entry by its number, counted from 0, and its bytes; a refusal is an answer too."""
Refused = Callable[[int, RequestError], bytes]


class Entries:
    """The entries of a call, as they come."""

    def __init__(self) -> None:
        self._come: asyncio.Queue[bytes | RequestError | None] = asyncio.Queue()
        self.left = False

    @staticmethod
    def listed(entries: Sequence[bytes]) -> "Entries":
        """Entries that are there already."""
        made = Entries()
        for entry in entries:
            made.put(entry)
        made.put(None)
        return made

    def put(self, entry: bytes | RequestError | None) -> None:
        """One has come; or why no more can be read; or None after the last."""
        self._come.put_nowait(entry)

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

    async def next(self) -> bytes | RequestError | None:
        """The next entry, or why there is none that can be read; None after the last."""
        return None if self.left else await self._come.get()

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


async def answered(entries: Entries, answer: Answer, refused: Refused) -> AsyncGenerator[bytes, None]:
    """The answers in the order of the entries, each as soon as it is there; ends when the caller has left.

    Args:
        refused: The answer that ends a stream of which no more can be read.
    """
    working: deque[asyncio.Task[bytes]] = deque()
    coming: asyncio.Task[bytes | RequestError | None] | None = asyncio.create_task(entries.next())
    number, last = 0, b""
    try:
        while (coming or working) and not entries.left:
            more = {coming} if coming and len(working) < _AT_ONCE else set()
            await asyncio.wait({*list(working)[:1], *more}, return_when=asyncio.FIRST_COMPLETED)
            if working and working[0].done():
                yield working.popleft().result()
            elif coming and coming.done():
                entry = coming.result()
                coming = asyncio.create_task(entries.next()) if isinstance(entry, bytes) else None
                if isinstance(entry, bytes):
                    working.append(asyncio.create_task(answer(number, entry)))
                    number += 1
                elif entry is not None:
                    last = refused(number, entry)
        if last and not entries.left:
            yield last
    finally:
        for task in (*working, *([coming] if coming else [])):
            task.cancel()

"""How much of addresses and header fields is taken from a caller: all of it comes before anybody is asked for a key.

uvicorn with httptools takes any amount and keeps it. See decision 0269.
"""

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.errors import MEDIA_TYPE, Kind, problem_body

MOST_BYTES = 65_536
MOST_FIELDS = 100
_BESIDE = len(b": \r\n")  # of each field, beside its name and its value


class LimitedHeaders(HttpToolsProtocol):
    """Speaks HTTP with one caller; a request with more than that is answered with 431, and the connection closed.

    What is whole is counted once, before anybody hears of the request; what has no end yet, by what came of it. The
    first read of it, of 256 kB at most, goes uncounted until it is whole: a body may have come before it.
    """

    _unread = 0
    """Bytes given to the parser since it last told of a request, of all its fields, or of a part of a body."""
    _too_large = False

    def data_received(self, data: bytes) -> None:
        """Read on; a field, an address or whatever else that goes on for too long is not waited for."""
        self._unread += len(data)
        super().data_received(data)
        if self._unread > MOST_BYTES and not self.transport.is_closing():
            self._too_large = True
            self.send_400_response("")

    def on_message_begin(self) -> None:
        """A request begins."""
        self._unread = 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Hear of a request, if there is not too much of it."""
        self._unread = 0
        size = len(self.url) + sum(len(name) + len(value) + _BESIDE for name, value in self.headers)
        if size > MOST_BYTES or len(self.headers) > MOST_FIELDS:
            self._too_large = True
            raise _TooLargeError  # ends the reading of what came; the protocol then answers
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of a body, which others count."""
        self._unread = 0
        super().on_body(body)

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read, and close; an answer that is under way is not written into."""
        if not self._too_large:
            super().send_400_response(msg)
            return
        if self.cycle is None or self.cycle.response_complete:  # type: ignore[redundant-expr]  # None before the first
            self.transport.write(_ANSWER)
        self.transport.close()


class _TooLargeError(Exception):
    """More was sent than is taken."""


def _answer() -> bytes:
    kind = Kind.HEADERS_TOO_LARGE
    detail = f"The address and the header fields are more than {MOST_BYTES:,} bytes or {MOST_FIELDS} fields"
    body = problem_body(kind, detail, "/")
    head = f"content-type: {MEDIA_TYPE}\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
    return STATUS_LINE[kind.status] + head.encode() + body


_ANSWER = _answer()

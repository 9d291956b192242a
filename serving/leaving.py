"""Whether whoever sent a request still waits for its answer, as far as the connection tells."""

from contextvars import ContextVar, Token

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive


class Heard:
    """What comes of a request; once all of it has come, the next thing is that the caller leaves."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._whole = False

    async def __call__(self) -> Message:
        """The next message."""
        message = await self._receive()
        self._whole = self._whole or not message.get("more_body", False)
        return message

    async def left(self) -> Exception:
        """Ends once the caller has left."""
        while (await self._receive())["type"] != "http.disconnect":
            continue
        return ClientDisconnect()

    @property
    def whole(self) -> bool:
        """Whether nothing more is to come."""
        return self._whole


_HEARD: ContextVar[Heard | None] = ContextVar("_HEARD", default=None)


def hears(heard: Heard) -> Token[Heard | None]:
    """From here on this is the request that is answered; gives what undoes that."""
    return _HEARD.set(heard)


def hears_no_more(token: Token[Heard | None]) -> None:
    """The request has been answered."""
    _HEARD.reset(token)


def caller() -> Heard | None:
    """Whoever waits for an answer and has sent all there is to send, so that only leaving is left to do."""
    heard = _HEARD.get()
    return heard if heard is not None and heard.whole else None

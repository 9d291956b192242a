"""Whether a caller has left is heard once all that it has to send has come."""

import asyncio
from collections.abc import Iterator

from starlette.requests import ClientDisconnect
from starlette.types import Message

from serving.leaving import Heard, caller, hears, hears_no_more

BODY: list[Message] = [
    {"type": "http.request", "body": b"{", "more_body": True},
    {"type": "http.request", "body": b"}", "more_body": False},
]
LEFT: Message = {"type": "http.disconnect"}


def heard_of(*messages: Message) -> Heard:
    coming: Iterator[Message] = iter(messages)

    async def receive() -> Message:
        return next(coming)

    return Heard(receive)


def test_a_caller_is_asked_whether_it_left_only_once_nothing_of_its_request_can_be_missed() -> None:
    async def story() -> None:
        heard = heard_of(*BODY, LEFT)
        token = hears(heard)
        assert caller() is None
        assert await heard() == BODY[0]
        assert caller() is None
        assert await heard() == BODY[1]
        assert caller() is heard
        assert isinstance(await heard.left(), ClientDisconnect)
        hears_no_more(token)
        assert caller() is None

    asyncio.run(story())

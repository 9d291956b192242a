"""The client, in one piece for threads and in one for asyncio: addresses, keys, tries again, time-outs."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from ipaddress import ip_address
from random import Random
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import httpx

from serving.client.calls import Answer, Call, answer_of, headers_of
from serving.client.errors import NotReachedError
from serving.client.operations import AsyncOperations, Operations
from serving.client.retrying import Retrying, RetryPolicy

TIMEOUT_S = 10.0
_SHOWN = 12


class Recoup(Operations):
    """Asks Recoup; to be used with `with`, and by as many threads as you like.

    Args:
        base_url: Such as `https://recoup.internal`; without TLS only on this machine.
        key: An API key; None where none is asked for.
        timeout_s: How long to wait for a connection and for each answer.
        retries: How often and how fast to try again.
        transport: What carries requests, for tests.
        sleep: Waits some seconds.
        draw: Gives a random number from 0 to 1.

    Raises:
        ValueError: The key would go over the network unprotected.
    """

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        retries: RetryPolicy | None = None,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        draw: Callable[[], float] | None = None,
    ) -> None:
        _check_protected(base_url, key)
        self._http = httpx.Client(
            base_url=base_url, headers=_key_header(key), timeout=timeout_s, transport=transport, follow_redirects=False
        )
        self._shown, self._sleep = _shown(base_url, key), sleep
        self._retries, self._draw = retries or RetryPolicy(), draw or Random().random

    def send(self, one: Call[Answer]) -> Answer:
        """Send a call, again while that helps and does no harm.

        Raises:
            RefusedError: The service refused it.
            NotReachedError: It could not be reached.
            UnexpectedAnswerError: The answer is not of the shape that this client knows.
        """
        retrying = Retrying(self._retries, self._draw)
        while True:
            try:
                response = self._http.request(one.method, one.path, content=one.body, headers=headers_of(one))
            except httpx.TransportError as error:
                pause = retrying.pause_after_failure(one)
                if pause is None:
                    raise _not_reached(self._shown, error, retrying) from error
            else:
                status, headers, content = response.status_code, response.headers, response.content
                pause = retrying.pause_after(one, status, headers, content)
                if pause is None:
                    return answer_of(one, status, headers, content)
            self._sleep(pause)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Recoup({self._shown})"


class AsyncRecoup(AsyncOperations):
    """The same for asyncio; to be used with `async with`. The arguments are those of `Recoup`."""

    def __init__(
        self,
        base_url: str,
        key: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        retries: RetryPolicy | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        draw: Callable[[], float] | None = None,
    ) -> None:
        _check_protected(base_url, key)
        self._http = httpx.AsyncClient(
            base_url=base_url, headers=_key_header(key), timeout=timeout_s, transport=transport, follow_redirects=False
        )
        self._shown, self._sleep = _shown(base_url, key), sleep
        self._retries, self._draw = retries or RetryPolicy(), draw or Random().random

    async def send(self, one: Call[Answer]) -> Answer:
        """As `Recoup.send`."""
        retrying = Retrying(self._retries, self._draw)
        while True:
            try:
                response = await self._http.request(one.method, one.path, content=one.body, headers=headers_of(one))
            except httpx.TransportError as error:
                pause = retrying.pause_after_failure(one)
                if pause is None:
                    raise _not_reached(self._shown, error, retrying) from error
            else:
                status, headers, content = response.status_code, response.headers, response.content
                pause = retrying.pause_after(one, status, headers, content)
                if pause is None:
                    return answer_of(one, status, headers, content)
            await self._sleep(pause)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncRecoup({self._shown})"


def _check_protected(base_url: str, key: str | None) -> None:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"{base_url} is no address; expected one such as https://recoup.internal")
    if key is not None and parts.scheme == "http" and not _is_here(parts.hostname):
        raise ValueError(f"a key would go to {parts.hostname} unprotected; expected https://")


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _key_header(key: str | None) -> dict[str, str]:
    return {} if key is None else {"authorization": f"Bearer {key}"}


def _shown(base_url: str, key: str | None) -> str:
    """Address and the id of the key, which is no secret; never the rest of it."""
    parts = (key or "").split("_")
    name = f"key {parts[1]}" if len(parts) == 3 and len(parts[1]) == _SHOWN else "a key" if key else "no key"
    return f"{urlsplit(base_url)._replace(netloc=urlsplit(base_url).netloc.rpartition('@')[2]).geturl()}, {name}"


def _not_reached(shown: str, error: httpx.TransportError, retrying: Retrying) -> NotReachedError:
    tries = max(retrying.made, 1)
    reason = str(error) or type(error).__name__
    return NotReachedError(f"{shown}: tried {tries} time{'s' if tries > 1 else ''}; {reason}")

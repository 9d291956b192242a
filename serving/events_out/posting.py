"""Sends one event to one target: to the address that was judged, without redirects, within a time."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import httpx

from features.errors import InvalidValueError
from serving.events_out.addresses import chosen_address
from serving.events_out.signing import signed_headers
from serving.events_out.targets import Target

TIMEOUT_S = 15.0
"""For one try altogether: name, connection, sending, status."""

_GONE = 410

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""From a host and a port to its addresses."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one try.

    Args:
        gone: The receiver says that it wants no events any more.
        silent: No answer came in time.
        reason: Why it was not accepted; empty where it was.
    """

    accepted: bool
    reason: str = ""
    gone: bool = False
    silent: bool = False


async def resolved(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver gives them.

    Raises:
        OSError: It has none.
    """
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


async def trusted() -> ssl.SSLContext:
    """The certificates that ship with the client, read once and in a thread: it takes longer than many a request."""
    return await asyncio.to_thread(_trusted)


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def posting_client(trust: ssl.SSLContext) -> httpx.AsyncClient:
    """A client that follows no redirect, obeys no proxy of the environment, and uses no connection twice.

    A connection is checked for one host; kept, it could serve another host on the same address.

    Args:
        trust: Whose certificates are believed.
    """
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.AsyncClient(verify=trust, follow_redirects=False, trust_env=False, limits=limits, timeout=TIMEOUT_S)


async def post(
    client: httpx.AsyncClient, target: Target, event_id: str, body: bytes, seconds: int, resolve: Resolver = resolved
) -> Outcome:
    """Send an event; every failure is an outcome.

    Args:
        seconds: Now, since 1970.
    """
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await _posted(client, target, event_id, body, seconds, resolve)
    except TimeoutError:
        return Outcome(False, f"no answer within {TIMEOUT_S:.0f} seconds", silent=True)
    except InvalidValueError as error:
        return Outcome(False, f"refused to connect: expected {error.expected}")
    except (OSError, httpx.HTTPError, httpx.InvalidURL) as error:
        return Outcome(False, f"could not be reached ({type(error).__name__})")
    except Exception as error:  # noqa: BLE001 - whatever is wrong with one sending is told of it and no other waits
        return Outcome(False, f"could not be sent ({type(error).__name__})")


async def _posted(
    client: httpx.AsyncClient, target: Target, event_id: str, body: bytes, seconds: int, resolve: Resolver
) -> Outcome:
    parts = urlsplit(target.url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    address = chosen_address(await resolve(host, port), host, target.reach)
    pinned = httpx.URL(target.url).copy_with(host=address)
    headers = {
        "host": parts.netloc,
        "content-type": "application/json",
        "user-agent": "recoup",
        "accept-encoding": "identity",
        **signed_headers(target.secrets, event_id, seconds, body),
    }
    # The certificate is checked for the host's name, although the connection goes to its address.
    extensions = {"sni_hostname": host}
    async with client.stream("POST", pinned, content=body, headers=headers, extensions=extensions) as answer:
        # The status says it all; what follows, however slowly or without end, is cut off with the connection.
        if answer.is_success:
            return Outcome(True)
        return Outcome(False, f"answered {answer.status_code}", gone=answer.status_code == _GONE)

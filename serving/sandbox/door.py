"""Leads the requests of sandbox keys into the sandbox of their merchant; nothing of them reaches the live service."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import RecoupError
from serving.errors import Kind, RequestError
from serving.problems import refusal_of
from serving.sandbox.sandboxes import Here, Sandboxes
from serving.tenancy.caller import STATE, Caller, caller_of

_HERE = "sandbox"
_READING = frozenset({"GET", "HEAD"})  # nothing is written, so that nothing is to be sent
_NEEDED = "This is of a sandbox and needs its key, as recoup keys create --sandbox makes it"


class SandboxDoor:
    """ASGI middleware behind the gate, which has found the caller."""

    def __init__(self, app: ASGIApp, sandboxes: Sandboxes) -> None:
        self.app = app
        self.sandboxes = sandboxes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request in the sandbox if it is of one, and else pass it on."""
        caller: Caller | None = scope["state"].get(STATE) if scope["type"] == "http" else None
        if caller is None or not caller.sandbox:
            await self.app(scope, receive, send)
            return
        try:
            here = await self.sandboxes.of(caller.merchant_id)
        except RecoupError as refusal:
            await refusal_of(refusal, scope["path"])(scope, receive, send)
            return
        scope["state"][_HERE] = here
        scope["state"]["facts"] = {**scope["state"].get("facts", {}), "sandbox": "true"}
        await here.sandbox.app(scope, receive, send)
        if scope["method"] not in _READING:
            self.sandboxes.send_soon(here.sandbox)


def here_of(request: Request) -> Here:
    """The sandbox that a request is in.

    Raises:
        RequestError: It is in none.
    """
    here: Here | None = getattr(request.state, _HERE, None)
    if here is None or not caller_of(request).sandbox:
        raise RequestError(Kind.FORBIDDEN, _NEEDED)
    return here

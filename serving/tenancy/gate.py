"""The gate before every address: who asks, and whether the key allows it. Nothing behind it is reached without."""

from collections.abc import Callable
from datetime import datetime

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from features.errors import RecoupError
from serving.errors import Kind, RequestError
from serving.problems import refusal_of
from serving.tenancy.caller import ANYBODY, STATE, Caller
from serving.tenancy.key_ring import KeyRing
from serving.tenancy.keys import Scope as KeyScope

PUBLIC = frozenset({"/health", "/ready", "/openapi.json", "/docs", "/docs/oauth2-redirect"})
"""What tells nothing of anybody: whether the service lives, and how to ask it."""

METRICS = "/metrics"
"""Counts of all merchants together: an operator's, unless the settings open them."""

SIGNED = ("/webhooks/",)
"""Addresses whose callers sign what they send; each of them checks the signature itself."""

ADMIN = "/v1/admin/"
_READING = frozenset({"GET", "HEAD"})


class Gate:
    """ASGI middleware: finds the caller, or refuses.

    Args:
        keys: None where no keys are asked for: everybody is an operator then.
        public: Addresses that need no key.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: KeyRing | None,
        clock: Callable[[], datetime],
        public: frozenset[str] = PUBLIC,
    ) -> None:
        self.app = app
        self.keys = keys
        self.clock = clock
        self.public = public

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request through with its caller, or answer with a refusal."""
        if scope["type"] == "http":
            state = scope.setdefault("state", {})
            try:
                state[STATE] = await self._caller(scope)
            except RecoupError as refusal:
                await refusal_of(refusal, scope["path"])(scope, receive, send)
                return
            if state[STATE].key_id is not None:
                state["facts"] = {"key_id": state[STATE].key_id}
        await self.app(scope, receive, send)

    async def _caller(self, scope: Scope) -> Caller:
        wanted = wanted_scope(scope["method"], scope["path"])
        if self.keys is None or wanted is None or scope["path"] in self.public:
            return ANYBODY
        key = await self.keys.admitted(Headers(scope=scope).get("authorization", ""), self.clock())
        if not key.scope.allows(wanted):
            detail = f"Key {key.key_id} is of scope {key.scope.value}; this needs one of scope {wanted.value}"
            raise RequestError(Kind.FORBIDDEN, detail)
        return Caller(key.merchant_id, key.scope, key.key_id, key.sandbox)


def wanted_scope(method: str, path: str) -> KeyScope | None:
    """What a key must allow for an address; None where no key is asked for.

    >>> wanted_scope("GET", "/v1/rulebook"), wanted_scope("POST", "/v1/decisions"), wanted_scope("GET", "/health")
    (<Scope.READ: 'read'>, <Scope.DECIDE: 'decide'>, None)
    """
    if path in PUBLIC or path.startswith(SIGNED):
        return None
    if path.startswith(ADMIN):
        return KeyScope.ADMIN
    return KeyScope.READ if method in _READING else KeyScope.DECIDE

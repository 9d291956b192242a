"""`Idempotency-Key` on every POST that changes something: the same request under the same key has the same answer.

Even after a restart. What only reads is answered anew each time: of a check before charging an old answer may be wrong.
"""

from collections.abc import Callable
from datetime import datetime
from hashlib import blake2b, sha256

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from features.card_number import refuse_card_number
from features.errors import RecoupError
from serving.errors import FieldError, Kind, RequestError, invalid_request
from serving.ledger import answered
from serving.ledger.answered import Answer, Asked, Claim, Taken
from serving.ledger_access import LedgerAccess
from serving.problems import refusal_of
from serving.questions import only_reads
from serving.tenancy.caller import STATE, Caller

HEADER = "idempotency-key"
REPLAYED = "idempotent-replayed"
ASKED_FOR_KEYS = "/v1/"
"""Where the addresses begin whose callers are known; what others send must not be written down under anybody's name."""
OWN_KEYS = ("/v1/decisions/batch",)
"""Addresses that have keys of their own, one for each entry of a call."""
_CLAIM, _KEPT = "claim", "answer_kept"
_LONGEST = 200
# A longer answer is not kept: asked again, it is made again, which every address allows.
_LONGEST_ANSWER = 4_000_000
_FAILED = 500
_HEADER_REFUSED = Kind.MEDIA_TYPE.status  # a key stands for an address and a body; this is of neither


def claim_of(request: Request) -> Claim | None:
    """The right to work on a request under a key; None for a request without one."""
    claim: Claim | None = getattr(request.state, _CLAIM, None)
    return claim


def tell_kept(request: Request) -> None:
    """Say that the answer to a request is kept under its key already, with what it is about."""
    setattr(request.state, _KEPT, True)


def held_name(claim: Claim, payment_id: str) -> str:
    """The id of what is held for a payment by a claimed request.

    Whoever takes the request over after a crash comes to the same id, so that nothing is held twice.
    """
    return "rsv_" + blake2b(f"{claim.name}\x1f{payment_id}".encode(), digest_size=12).hexdigest()


def is_answered_anew(status: int) -> bool:
    """Whether an answer does not stand for the key: a failure, a turn not come, and a header refused."""
    return status >= _FAILED or status in {Kind.TOO_MANY.status, _HEADER_REFUSED}


class Idempotency:
    """ASGI middleware: answers a POST under a key once, and gives that answer to whoever asks again.

    One that only reads is passed on once its key is seen to be one.

    Args:
        longest: Bodies of more bytes are refused, as everywhere.
    """

    def __init__(self, app: ASGIApp, access: LedgerAccess, longest: int, clock: Callable[[], datetime]) -> None:
        self.app = app
        self.access = access
        self.longest = longest
        self.clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; one without a key is passed on as it is."""
        if not _concerns(scope):
            await self.app(scope, receive, send)
            return
        try:
            key = _key_in(Headers(scope=scope))
            taken = None if only_reads(scope["path"]) else await self._taken(key, scope, receive)
        except RecoupError as refusal:
            await refusal_of(refusal, scope["path"])(scope, receive, send)
            return
        if taken is None:
            await self.app(scope, receive, send)
            return
        found, body = taken
        if isinstance(found, Claim):
            scope["state"][_CLAIM] = found
            given = await self._answered(found, scope, _told_again(body, receive))
            for message in given:
                await send(message)
            return
        scope["state"]["facts"] = {**scope["state"].get("facts", {}), "replayed": "true"}
        replay = Response(found.body, found.status, {REPLAYED: "true"}, found.media_type)
        await replay(scope, receive, send)

    async def _taken(self, key: str, scope: Scope, receive: Receive) -> tuple[Claim | Answer, bytes]:
        """What is found under a key, and the body that came with it."""
        body = await _body(receive, self.longest)
        caller: Caller = scope["state"][STATE]
        heading = "\n".join((scope["method"], scope["path"], scope["query_string"].decode("latin-1"), ""))
        asked = Asked(caller.merchant_id, key, sha256(heading.encode() + body).hexdigest())
        return await claimed(self.access, asked, self.clock()), body

    async def _answered(self, claim: Claim, scope: Scope, receive: Receive) -> list[Message]:
        """What the application answers, kept before anybody sees it."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        try:
            await self.app(scope, receive, collect)
        except Exception:
            await self._let_go(claim)
            raise
        answer = _answer_in(messages)
        if is_answered_anew(answer.status) or len(answer.body) > _LONGEST_ANSWER:
            await self._let_go(claim)
        elif not scope["state"].get(_KEPT):
            await self._keep(claim, answer)
        return messages

    async def _keep(self, claim: Claim, answer: Answer) -> None:
        try:
            await self.access.ask(
                lambda ledger: answered.keep(ledger.store, claim, answer, self.clock()), though_left=True
            )
        except RequestError:
            # What was done is done: the caller shall know it. Asked again, it is answered again with the same ids.
            return

    async def _let_go(self, claim: Claim) -> None:
        try:
            await self.access.ask(lambda ledger: answered.let_go(ledger.store, claim), though_left=True)
        except RequestError:
            return  # it is free by itself after a while


def _concerns(scope: Scope) -> bool:
    if scope["type"] != "http" or scope["method"] != "POST":
        return False
    path = scope["path"]
    if not path.startswith(ASKED_FOR_KEYS) or path.startswith(OWN_KEYS):
        return False
    return HEADER in Headers(scope=scope)


def _key_in(headers: Headers) -> str:
    times = len(headers.getlist(HEADER))
    if times > 1:
        raise invalid_request((FieldError("Idempotency-Key", f"given {times} times", "one value"),))
    return usable_key(headers[HEADER], "Idempotency-Key")


def usable_key(key: str, field: str) -> str:
    """The key itself.

    Raises:
        RequestError: It is empty, too long, or not printable ASCII.
        CardNumberError: It looks like a card number.
    """
    refuse_card_number(field, key)
    if not 1 <= len(key) <= _LONGEST or not key.isascii() or not key.isprintable():
        expected = f"1 to {_LONGEST} printable ASCII characters, such as a UUID"
        raise invalid_request((FieldError(field, key[:_LONGEST] or None, expected),))
    return key


async def claimed(access: LedgerAccess, asked: Asked, now: datetime) -> Claim | Answer:
    """The right to work on a request, or the answer that it had before.

    Raises:
        RequestError: Somebody works on it, the key stands for another request, or the ledger cannot be asked.
    """
    return usable_claim(await access.ask(lambda ledger: answered.claim(ledger.store, asked, now)))


def usable_claim(found: Claim | Answer | Taken) -> Claim | Answer:
    """What was found under a key.

    Raises:
        RequestError: Somebody works on it, or the key stands for another request.
    """
    if found is Taken.IN_PROGRESS:
        raise RequestError(
            Kind.IN_PROGRESS, "A request under this Idempotency-Key is being answered; ask again", retry_after_s=1
        )
    if found is Taken.KEY_REUSED:
        detail = "The Idempotency-Key stands for another address or body already; use a new key for a new request"
        raise RequestError(Kind.KEY_REUSED, detail)
    return found


async def _body(receive: Receive, longest: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect  # what came is not what was meant: it must not stand for the key
        body += message.get("body", b"")
        if len(body) > longest:
            detail = f"The body is larger than {longest:,} bytes, the most that is taken with an Idempotency-Key"
            raise RequestError(Kind.TOO_LARGE, detail)
        if not message.get("more_body", False):
            return bytes(body)


def _told_again(body: bytes, receive: Receive) -> Receive:
    """What the application receives: the body that was read already, and then what comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _answer_in(messages: list[Message]) -> Answer:
    start = next(message for message in messages if message["type"] == "http.response.start")
    body = b"".join(message.get("body", b"") for message in messages if message["type"] == "http.response.body")
    return Answer(start["status"], Headers(raw=start["headers"]).get("content-type", ""), body)

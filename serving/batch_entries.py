"""One entry of a batch: a request for a decision, answered by itself, under a key of its own where it has one."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import orjson
from starlette.requests import Request
from structlog.typing import FilteringBoundLogger

from features.errors import RecoupError
from serving.errors import MEDIA_TYPE, FieldError, Kind, RequestError, invalid_request
from serving.idempotency import claimed, held_name, usable_key
from serving.ledger import answered as keys
from serving.ledger.answered import Answer, Asked, Claim
from serving.ledger_access import LedgerAccess
from serving.ledger_answers import with_reservation
from serving.problems import refusal_of
from serving.requests import parse_request
from serving.reserving import decided_for
from serving.tenancy.caller import caller_of, require_own
from serving.trust.current import Current

KEY = "idempotency_key"
_JSON = "application/json"
_OK, _FAILED = 200, 500
_BATCH = b"POST\n/v1/decisions/batch\n"


@dataclass(frozen=True, slots=True)
class Answering:
    """What answers the entries of one call."""

    request: Request
    current: Current
    access: LedgerAccess
    clock: Callable[[], datetime]
    log: FilteringBoundLogger

    async def answer(self, number: int, entry: bytes) -> bytes:
        """The answer to an entry; a refusal is one too, and so is a failure, which spoils no other entry."""
        try:
            body, key = keyed(entry)
            if key is None:
                return _line(number, Answer(_OK, _JSON, await self._decided(body, None)))
            return await self._once(number, body, key)
        except RecoupError as error:
            return self.refused(number, error)
        except Exception:
            self.log.exception("an entry failed", entry=number)
            return self.refused(number, RequestError(Kind.INTERNAL, "The service failed on this entry"))

    def refused(self, number: int, error: RecoupError) -> bytes:
        """The answer to an entry that is refused."""
        return _line(number, _refusal(error, self.request.url.path))

    async def _once(self, number: int, body: bytes, key: str) -> bytes:
        asked = Asked(caller_of(self.request).merchant_id, key, sha256(_BATCH + body).hexdigest())
        claim = await claimed(self.access, asked, self.clock())
        if isinstance(claim, Answer):
            return _line(number, claim, replayed=True)
        try:
            answer = Answer(_OK, _JSON, await self._decided(body, claim))
        except RecoupError as error:
            answer = _refusal(error, self.request.url.path)
        except BaseException:
            await self._let_go(claim)
            raise
        if answer.status >= _FAILED:
            await self._let_go(claim)
        else:
            with suppress(RequestError):  # what was done is done, and asked again it is answered with the same ids
                await self.access.ask(lambda ledger: keys.keep(ledger.store, claim, answer, self.clock()))
        return _line(number, answer)

    async def _let_go(self, claim: Claim) -> None:
        with suppress(RequestError):  # it is free by itself after a while
            await self.access.ask(lambda ledger: keys.let_go(ledger.store, claim))

    async def _decided(self, body: bytes, claim: Claim | None) -> bytes:
        asked = parse_request(body)
        require_own(self.request, asked.payment.merchant_id, field="payment.merchant_id")
        held_as = None if claim is None else held_name(claim, asked.payment.payment_id)
        service = self.current.service.for_request(asked.within_ms)
        decided = await decided_for(asked, service, self.access, self.clock(), held_as)
        return with_reservation(decided.answer, decided.reservation) if asked.reserve else decided.answer


def keyed(entry: bytes) -> tuple[bytes, str | None]:
    """An entry without its idempotency key, and the key; without a key it stays as it is.

    Raises:
        RequestError: The key is not one.
        CardNumberError: It looks like a card number.
    """
    if b'"' + KEY.encode() + b'"' not in entry:
        return entry, None
    try:
        tree = orjson.loads(entry)
    except orjson.JSONDecodeError:
        return entry, None  # which is refused where it is read
    if not isinstance(tree, dict) or KEY not in tree:
        return entry, None
    key = tree.pop(KEY)
    if not isinstance(key, str):
        raise invalid_request((FieldError(KEY, type(key).__name__, "text of your own, such as a UUID"),))
    return orjson.dumps(tree, option=orjson.OPT_SORT_KEYS), usable_key(key, KEY)


def _refusal(error: RecoupError, path: str) -> Answer:
    found = refusal_of(error, path)
    return Answer(found.status_code, MEDIA_TYPE, bytes(found.body))


def _line(number: int, answer: Answer, *, replayed: bool = False) -> bytes:
    """The answer to an entry: its number, its status as a call of its own would have had it, and the body."""
    what = b"decision" if answer.status == _OK else b"problem"
    told = b"true" if replayed else b"false"
    return b'{"index":%d,"status":%d,"replayed":%b,"%b":%b}' % (number, answer.status, told, what, answer.body)

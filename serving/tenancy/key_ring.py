"""The keys as one process knows them: looked up anew every few seconds, and how fast each of them asks."""

from datetime import datetime
from math import ceil

from features.errors import InputError
from serving.errors import Kind, RequestError
from serving.ledger.ledger import Ledger
from serving.ledger_access import LedgerAccess
from serving.tenancy.bucket import Bucket
from serving.tenancy.keys import ApiKey, id_in, maybe_key, note_use

KNOWN_FOR_S = 5.0
"""How long a key is taken as it was found; so long a revoked key may still be used."""

STRANGERS_PER_SECOND = 50
"""How many keys that this process has not seen it looks up in a second, so that guessing does not load the ledger."""

_MOST_KNOWN = 10_000
_HOW = "Send a key as Authorization: Bearer recoup_…"


class KeyRing:
    """Finds the key that a caller sent."""

    def __init__(self, access: LedgerAccess) -> None:
        self._access = access
        self._known: dict[str, tuple[ApiKey | None, float]] = {}
        self._buckets: dict[str, Bucket] = {}
        self._strangers = Bucket.full(STRANGERS_PER_SECOND, 0.0)

    async def admitted(self, authorization: str, now: datetime) -> ApiKey:
        """The key in an Authorization header, if it can be used and does not ask too often.

        Raises:
            RequestError: There is none, it is not known or over, or asks too often; or the ledger cannot be reached.
        """
        text = _bearer(authorization)
        key_id = id_in(text)
        key = await self._found(key_id, now) if key_id else None
        if key is None or not key.is_of(text):
            raise RequestError(Kind.UNAUTHENTICATED, f"The key is not known. {_HOW}")
        if not key.usable(now):
            word = "revoked" if key.revoked_at else "over"
            raise RequestError(Kind.UNAUTHENTICATED, f"Key {key.key_id} is {word}. {_HOW}")
        self._take(key, now.timestamp())
        return key

    async def _found(self, key_id: str, now: datetime) -> ApiKey | None:
        at = now.timestamp()
        known = self._known.get(key_id)
        if known is not None and 0.0 <= at - known[1] < KNOWN_FOR_S:
            return known[0]
        if known is None and (wait := self._strangers.take(at)) > 0.0:
            raise RequestError(Kind.TOO_MANY, "Too many keys are tried that are not known", retry_after_s=ceil(wait))
        key = await self._access.ask(lambda ledger: _look_up(ledger, key_id, now))
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[key_id] = key, at
        return key

    def _take(self, key: ApiKey, at: float) -> None:
        if key.per_second is None:
            return
        bucket = self._buckets.get(key.key_id)
        if bucket is None or bucket.per_second != key.per_second:
            bucket = self._buckets[key.key_id] = Bucket.full(key.per_second, at)
        wait = bucket.take(at)
        if wait > 0.0:
            detail = f"Key {key.key_id} may ask {key.per_second} times a second; try again when Retry-After is over"
            raise RequestError(Kind.TOO_MANY, detail, retry_after_s=ceil(wait))


def _look_up(ledger: Ledger, key_id: str, now: datetime) -> ApiKey | None:
    key = maybe_key(ledger.store, key_id)
    if key is not None and key.usable(now):
        try:
            note_use(ledger.store, key, now)
        except InputError:
            return key  # a database that cannot be written to still knows its keys
    return key


def _bearer(authorization: str) -> str:
    word, _, text = authorization.partition(" ")
    if word.lower() != "bearer" or not text.strip():
        raise RequestError(Kind.UNAUTHENTICATED, f"No key was sent. {_HOW}")
    return text.strip()

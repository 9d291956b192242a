"""The keys as one process knows them: looked up anew every few seconds, and how fast each of them asks."""

import asyncio
import threading
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
"""How many ids that are not known to be a key's this process looks up in a second, so that guessing loads nothing."""

MOST_INVENTED = 10_000
"""So many ids of no key are remembered; keys that exist are never forgotten for them."""
_HOW = "Send a key as Authorization: Bearer recoup_…"


class KeyRing:
    """Finds the key that a caller sent; what strangers invent costs those nothing whose keys exist."""

    def __init__(self, access: LedgerAccess) -> None:
        self._access = access
        self._keys: dict[str, tuple[ApiKey, float]] = {}
        self._invented: dict[str, float] = {}
        self._looking: dict[str, asyncio.Task[ApiKey | None]] = {}
        self._buckets: dict[str, Bucket] = {}
        self._taking = threading.Lock()
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
        key, found_at = self._keys.get(key_id, (None, 0.0))
        if key is not None and _is_recent(found_at, at):
            return key
        if key_id in self._invented and _is_recent(self._invented[key_id], at):
            return None
        looking = self._looking.get(key_id)
        if looking is None:
            if key is None and (wait := self._strangers.take(at)) > 0.0:
                raise RequestError(
                    Kind.TOO_MANY, "Too many keys are tried that are not known", retry_after_s=ceil(wait)
                )
            looking = self._looking[key_id] = asyncio.create_task(self._looked_up(key_id, now))
            looking.add_done_callback(lambda _: self._looking.pop(key_id, None))
        # Of those who wait for the same key none ends the looking for the others.
        return await asyncio.shield(looking)

    async def _looked_up(self, key_id: str, now: datetime) -> ApiKey | None:
        key = await self._access.ask(lambda ledger: _look_up(ledger, key_id, now))
        if key is not None:
            self._keys[key_id] = key, now.timestamp()
            return key
        self._keys.pop(key_id, None)
        if len(self._invented) >= MOST_INVENTED:
            self._invented.clear()
        self._invented[key_id] = now.timestamp()
        return None

    def charge(self, key_id: str, tokens: int) -> None:
        """Take more tokens for a request of this key that is larger than a usual one; any thread may."""
        with self._taking:
            bucket = self._buckets.get(key_id)
            if bucket is not None:
                bucket.charge(tokens)

    def _take(self, key: ApiKey, at: float) -> None:
        if key.per_second is None:
            return
        with self._taking:
            bucket = self._buckets.get(key.key_id)
            if bucket is None or bucket.per_second != key.per_second:
                bucket = self._buckets[key.key_id] = Bucket.full(key.per_second, at)
            wait = bucket.take(at)
        if wait > 0.0:
            detail = f"Key {key.key_id} may ask {key.per_second} times a second; try again when Retry-After is over"
            raise RequestError(Kind.TOO_MANY, detail, retry_after_s=ceil(wait))


def _is_recent(found_at: float, at: float) -> bool:
    return 0.0 <= at - found_at < KNOWN_FOR_S


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

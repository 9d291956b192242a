"""API keys: made once and shown once, kept as digests, found by their id."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from string import ascii_letters, ascii_lowercase

from features.errors import InvalidValueError
from features.instants import from_micros, to_micros
from serving.ledger.store import Row, Store, Transaction, Value, Values
from serving.tenancy.merchants import require_merchant

EVERY_MERCHANT = ""
"""Whose an operator's key is."""

DEFAULT_PER_SECOND = 100
_ID_LETTERS, _SECRET_LETTERS = 12, 40
# Letters only: a run of digits might look like a card number. 40 letters of 52 are 228 bits.
_KEY = re.compile(rf"recoup_(?P<key_id>[a-z]{{{_ID_LETTERS}}})_[A-Za-z]{{{_SECRET_LETTERS}}}")
_USE_NOTED_EVERY = timedelta(minutes=10)
_LONGEST_LABEL = 100


class Scope(StrEnum):
    """What a key may do; each word allows what those before it do."""

    READ = "read"
    DECIDE = "decide"
    ADMIN = "admin"

    def allows(self, wanted: "Scope") -> bool:
        """Whether this is enough for what is wanted.

        >>> Scope.DECIDE.allows(Scope.READ), Scope.DECIDE.allows(Scope.ADMIN)
        (True, False)
        """
        return _ORDER.index(self) >= _ORDER.index(wanted)


_ORDER = tuple(Scope)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key.

    Args:
        merchant_id: Whose it is; empty for an operator's, which is of every merchant.
        digest: SHA-256 of the whole key, in hexadecimal.
        per_second: Requests a second that it may make of each worker; None without a limit.
        expires_at: It can be used before then (UTC); None for ever.
        last_used_at: To within ten minutes.
        sandbox: It reaches the merchant's sandbox and nothing else.
    """

    key_id: str
    merchant_id: str
    digest: str
    scope: Scope
    label: str
    per_second: int | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    sandbox: bool = False

    def usable(self, now: datetime) -> bool:
        """Whether it is neither revoked nor over."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def is_of(self, text: str) -> bool:
        """Whether this is what is kept of a key; takes the same time for any key."""
        return compare_digest(self.digest, digest_of(text))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: what is kept, and the key itself, which nobody can show again."""

    kept: ApiKey
    secret: str


def digest_of(text: str) -> str:
    """What is kept of a key. It is random and long, so that nothing slower is needed against guessing."""
    return sha256(text.encode()).hexdigest()


def id_in(text: str) -> str | None:
    """The id that a key carries; None for what is not shaped like a key."""
    match = _KEY.fullmatch(text)
    return match["key_id"] if match else None


def create_key(
    store: Store,
    merchant_id: str,
    scope: Scope,
    now: datetime,
    *,
    label: str = "",
    per_second: int | None = DEFAULT_PER_SECOND,
    expires_at: datetime | None = None,
    sandbox: bool = False,
) -> NewKey:
    """Make a key of a merchant or of its sandbox, or an operator's of every merchant (`EVERY_MERCHANT`).

    Raises:
        InvalidValueError: There is no such merchant, the label is too long, it would be over already, or a sandbox is
            asked for that is of no one merchant.
    """
    if sandbox and merchant_id == EVERY_MERCHANT:
        raise InvalidValueError("merchant_id", None, "a merchant: a sandbox is of one merchant")
    if expires_at is not None and expires_at <= now:
        raise InvalidValueError("expires_at", expires_at.isoformat(), "an instant after now")
    if len(label) > _LONGEST_LABEL or not label.isprintable():
        raise InvalidValueError("label", label[:_LONGEST_LABEL], f"at most {_LONGEST_LABEL} printable characters")
    made = _made(merchant_id, scope, now, label, per_second, expires_at, sandbox=sandbox)
    with store.writing() as transaction:
        if merchant_id != EVERY_MERCHANT:
            require_merchant(transaction, merchant_id)
        transaction.put("add_key", _row(made.kept))
    return made


def rotate_key(store: Store, key_id: str, now: datetime, *, overlap: timedelta) -> NewKey:
    """A new key that may do what an old one may; the old one ends after the overlap, or when it would have anyway.

    Raises:
        InvalidValueError: There is no such key, or it cannot be used any more.
    """
    with store.writing() as transaction:
        old = found_key(transaction, key_id)
        if not old.usable(now):
            raise InvalidValueError("key_id", key_id, "a key that can still be used")
        made = _made(old.merchant_id, old.scope, now, old.label, old.per_second, None, sandbox=old.sandbox)
        transaction.put("add_key", _row(made.kept))
        transaction.put("end_key", {"key_id": key_id, "expires_at": to_micros(now + overlap)})
    return made


def revoke_key(store: Store, key_id: str, now: datetime) -> ApiKey:
    """End a key at once; one that was revoked before stays as it was.

    Raises:
        InvalidValueError: There is no such key.
    """
    with store.writing() as transaction:
        transaction.put("revoke_key", {"key_id": key_id, "now": to_micros(now)})
        return found_key(transaction, key_id)


def keys_of(store: Store, merchant_id: str | None = None) -> tuple[ApiKey, ...]:
    """The keys of a merchant, or all."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("all_keys", {"merchant_id": "*" if merchant_id is None else merchant_id}))
    return tuple(_key_from(row) for row in rows)


def has_keys(store: Store) -> bool:
    """Whether a key was ever made, usable or not."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("any_key", {}))
    return bool(rows)


def maybe_key(store: Store, key_id: str) -> ApiKey | None:
    """One key, if there is one of that id."""
    with store.reading() as transaction:
        return _maybe(transaction, key_id)


def note_use(store: Store, key: ApiKey, now: datetime) -> None:
    """Write down that a key was used, where nothing was written within ten minutes."""
    if key.last_used_at is not None and now - key.last_used_at < _USE_NOTED_EVERY:
        return
    noted_before = to_micros(now - _USE_NOTED_EVERY)
    with store.writing() as transaction:
        transaction.put("note_use", {"key_id": key.key_id, "now": to_micros(now), "noted_before": noted_before})


def found_key(transaction: Transaction, key_id: str) -> ApiKey:
    """One key.

    Raises:
        InvalidValueError: There is none of that id.
    """
    key = _maybe(transaction, key_id)
    if key is None:
        raise InvalidValueError("key_id", key_id, "the id of a key, as recoup keys list shows it")
    return key


def _maybe(transaction: Transaction, key_id: str) -> ApiKey | None:
    (rows,) = transaction.ask(("key", {"key_id": key_id}))
    return _key_from(rows[0]) if rows else None


def _made(
    merchant_id: str,
    scope: Scope,
    now: datetime,
    label: str,
    per_second: int | None,
    expires_at: datetime | None,
    *,
    sandbox: bool,
) -> NewKey:
    key_id = _letters(ascii_lowercase, _ID_LETTERS)
    secret = f"recoup_{key_id}_{_letters(ascii_letters, _SECRET_LETTERS)}"
    digest = digest_of(secret)
    kept = ApiKey(key_id, merchant_id, digest, scope, label, per_second, now, expires_at, sandbox=sandbox)
    return NewKey(kept, secret)


def _letters(among: str, count: int) -> str:
    return "".join(secrets.choice(among) for _ in range(count))


def _row(key: ApiKey) -> Values:
    row: dict[str, Value] = {
        "key_id": key.key_id,
        "merchant_id": key.merchant_id,
        "digest": key.digest,
        "scope": key.scope.value,
        "label": key.label,
        "per_second": key.per_second,
        "created_at": to_micros(key.created_at),
        "expires_at": None if key.expires_at is None else to_micros(key.expires_at),
        "sandbox": int(key.sandbox),
    }
    return row


def _key_from(row: Row) -> ApiKey:
    key_id, merchant_id, digest, scope, label, per_second, *instants, sandbox = row
    created_at, expires_at, revoked_at, last_used_at = _instants(instants)
    return ApiKey(
        key_id=str(key_id),
        merchant_id=str(merchant_id),
        digest=str(digest),
        scope=Scope(str(scope)),
        label=str(label),
        per_second=None if per_second is None else int(per_second),
        created_at=created_at or from_micros(0),
        expires_at=expires_at,
        revoked_at=revoked_at,
        last_used_at=last_used_at,
        sandbox=bool(sandbox),
    )


def _instants(values: Sequence[Value]) -> list[datetime | None]:
    return [None if value is None else from_micros(int(value)) for value in values]

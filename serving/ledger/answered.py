"""Answers to requests that carried an idempotency key: each is worked on by one at a time, and answered once."""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from secrets import token_hex

from features.instants import to_micros
from serving.ledger.recording import repeated_when_stuck
from serving.ledger.store import Question, Store, Transaction, Value

KEPT_FOR = timedelta(hours=24)
WORKED_ON_FOR = timedelta(seconds=60)
"""Whoever takes longer is taken for dead, and the next who asks takes the request up."""

_FORGOTTEN_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request under its key.

    Args:
        merchant_id: Whose the key is; keys of several merchants have nothing to do with each other.
        fingerprint: Digest of everything in the request that an answer depends on.
    """

    merchant_id: str
    idempotency_key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a request; whoever takes it over keeps its name, so that the same ids come of it."""

    asked: Asked
    name: str
    working_since: int


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it was given."""

    status: int
    media_type: str
    body: bytes


class Taken(Enum):
    """Why a request cannot be worked on."""

    IN_PROGRESS = "in progress"
    KEY_REUSED = "key reused"


def claim(store: Store, asked: Asked, now: datetime) -> Claim | Answer | Taken:
    """Take a request up: the right to work on it, the answer that it had before, or why there is neither."""
    return claim_each(store, (asked,), now)[asked]


def claim_each(store: Store, wanted: Sequence[Asked], now: datetime) -> dict[Asked, Claim | Answer | Taken]:
    """The same for several requests at once, each under a key of its own."""
    # In one order everywhere, so that no two calls wait for each other.
    ordered = sorted(wanted, key=lambda asked: (asked.merchant_id, asked.idempotency_key))

    def once() -> dict[Asked, Claim | Answer | Taken]:
        with store.writing() as transaction:
            return {asked: _fresh(transaction, asked, now) or _again(transaction, asked, now) for asked in ordered}

    return repeated_when_stuck(once)


def keep(store: Store, claim: Claim, answer: Answer, now: datetime) -> None:
    """Keep the answer for whoever asks the same under the same key."""
    with store.writing() as transaction:
        transaction.put(*kept_answer(claim, answer, now))


def kept_answer(claim: Claim, answer: Answer, now: datetime) -> Question:
    """The statement that keeps an answer, to be run in a transaction; who was overtaken keeps nothing."""
    packed = b64encode(zlib.compress(answer.body, level=1)).decode()
    given: dict[str, Value] = {
        "status": answer.status,
        "media_type": answer.media_type,
        "body": packed,
        "now": to_micros(now),
    }
    return "keep_answer", _values(claim) | given


def let_go(store: Store, claim: Claim) -> None:
    """Leave a request to the next who asks, at once."""
    with store.writing() as transaction:
        transaction.put(*left_again(claim))


def left_again(claim: Claim) -> Question:
    """The statement that leaves a request to the next who asks."""
    return "let_request_go", _values(claim)


def forget(store: Store, now: datetime) -> int:
    """Forget the requests whose time is over; how many there were."""
    forgotten, before = 0, to_micros(now - KEPT_FOR)
    while True:
        with store.writing() as transaction:
            some = transaction.change("forget_answers", {"before": before, "most": _FORGOTTEN_AT_ONCE})
        forgotten += some
        if some < _FORGOTTEN_AT_ONCE:
            return forgotten


def _fresh(transaction: Transaction, asked: Asked, now: datetime) -> Claim | None:
    made = Claim(asked, token_hex(16), to_micros(now))
    values = _values(made) | {"fingerprint": asked.fingerprint, "now": made.working_since}
    return made if transaction.change("claim_request", values) else None


def _again(transaction: Transaction, asked: Asked, now: datetime) -> Claim | Answer | Taken:
    where = {"merchant_id": asked.merchant_id, "idempotency_key": asked.idempotency_key}
    (rows,) = transaction.ask(("claimed_request", where))
    if not rows:
        return _fresh(transaction, asked, now) or Taken.IN_PROGRESS
    fingerprint, name, working_since, touched_at, status, media_type, body = rows[0]
    earlier, micros = Claim(asked, str(name), int(working_since or 0)), to_micros(now)
    busy = status is None and earlier.working_since > micros - WORKED_ON_FOR // timedelta(microseconds=1)
    if not busy and int(touched_at or 0) < to_micros(now - KEPT_FOR):
        transaction.put("forget_request", _values(earlier))
        return _fresh(transaction, asked, now) or Taken.IN_PROGRESS
    if fingerprint != asked.fingerprint:
        return Taken.KEY_REUSED
    if status is not None:
        return Answer(int(status), str(media_type), zlib.decompress(b64decode(str(body))))
    if busy or not transaction.change("take_request_over", _values(earlier) | {"now": micros}):
        return Taken.IN_PROGRESS
    return Claim(asked, earlier.name, micros)


def _values(claim: Claim) -> dict[str, Value]:
    return {
        "merchant_id": claim.asked.merchant_id,
        "idempotency_key": claim.asked.idempotency_key,
        "claim": claim.name,
        "working_since": claim.working_since,
    }

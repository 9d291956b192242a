"""Keeps what was delivered, append-only, and what became of it; in the ledger's own database."""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from features.card_number import holds_card_number
from features.errors import InvalidValueError
from features.instants import from_micros
from features.sources.masking import without_card_numbers
from features.sources.provider import is_undated
from features.sources.providers import PROVIDERS
from serving.ledger.store import Row, Store, Value, Values

_PAGE = 200
# Recurly sends again after 10 s, 74 s, 266 s and so on; five answers in a row would have to be lost for an hour.
_AGAIN_WITHIN = 3_600_000_000


class State(StrEnum):
    """What became of a delivery."""

    STORED = "stored"  # not read yet
    APPLIED = "applied"
    IGNORED = "ignored"  # nothing in it is to be counted
    WAITING = "waiting"  # for an attempt that it tells the end of
    FAILED = "failed"  # cannot be read; the reason says why


@dataclass(frozen=True, slots=True)
class Delivery:
    """One body as it was delivered.

    Args:
        digest: SHA-256 of the body as it is kept, and of the day (UTC) on which it first came where nothing in it tells
            it from a later one.
        received_at: Microseconds since 1970.
        marked: Whether a card number was taken out of it.
        tries: How often it was read.
    """

    merchant_id: str
    source: str
    digest: str
    received_at: int
    content_type: str
    body: bytes
    marked: bool
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Reading:
    """What became of a delivery when it was read.

    Args:
        kinds: What the provider calls what is in it, comma-separated.
        events: How many ledger events were new.
        unknown: The processors of declines in it whose code stands in no table; not kept.
    """

    state: State
    kinds: str = ""
    reason: str = ""
    events: int = 0
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Listed:
    """A delivery as the queue shows it."""

    merchant_id: str
    source: str
    digest: str
    received_at: int
    read_at: int
    tries: int
    marked: bool
    kinds: str
    reason: str


@dataclass(frozen=True, slots=True)
class Count:
    """How many deliveries of the same kinds stand in a state."""

    merchant_id: str
    source: str
    kinds: str
    state: str
    deliveries: int
    marked: int


def delivery_of(merchant_id: str, source: str, content_type: str, body: bytes, now: int) -> Delivery:
    """A body as it may be kept: without any card number."""
    kept = without_card_numbers(body)
    digest = _digest(source, kept.body, now)
    plain = content_type.isascii() and content_type.isprintable() and not holds_card_number(content_type)
    return Delivery(merchant_id, source, digest, now, content_type[:100] if plain else "", kept.body, kept.marked)


def as_first_delivered(store: Store, delivery: Delivery) -> Delivery:
    """The delivery, under the digest of the day before where it came just before midnight and now again.

    Raises:
        InputError: The database cannot be reached.
    """
    earliest = delivery.received_at - _AGAIN_WITHIN
    before = replace(delivery, digest=_digest(delivery.source, delivery.body, earliest))
    if before.digest == delivery.digest:
        return delivery
    with store.reading() as transaction:
        (rows,) = transaction.ask(("delivery_received", _key(before)))
    return before if rows and int(rows[0][0] or 0) >= earliest else delivery


def keep(store: Store, delivery: Delivery) -> bool:
    """Keep a delivery before anything of it is read; False where it was kept before.

    Raises:
        InputError: The database cannot be reached; nothing was kept.
    """
    form, text = _text_of(delivery.body)
    values: Values = {
        **_key(delivery),
        "received_at": delivery.received_at,
        "content_type": delivery.content_type,
        "form": form,
        "body": text,
        "marked": int(delivery.marked),
    }
    with store.writing() as transaction:
        new = transaction.change("insert_delivery", values) > 0
        transaction.put("insert_reading", {**_key(delivery), "received_at": delivery.received_at})
    return new


def note(store: Store, delivery: Delivery, reading: Reading, now: int, next_at: int | None) -> None:
    """Note what became of a delivery; `next_at` is when it is read again, for what is not settled."""
    values: Values = {
        **_key(delivery),
        "state": reading.state.value,
        "kinds": reading.kinds,
        "reason": reading.reason,
        "events": reading.events,
        "read_at": now,
        "next_at": next_at,
    }
    with store.writing() as transaction:
        transaction.put("put_reading", values)


def standing_of(store: Store, delivery: Delivery) -> Reading | None:
    """What became of a delivery so far; None where it was never kept."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("reading_state", _key(delivery)))
    if not rows:
        return None
    state, kinds, reason, events, _ = rows[0]
    return Reading(State(str(state)), str(kinds), str(reason), int(events or 0))


def due(store: Store, now: int, most: int) -> Sequence[Delivery]:
    """What is to be read again by now."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("deliveries_due", {"now": now, "most": most}))
    return [_delivery(row) for row in rows]


def standing_in(store: Store, state: State, before: int) -> Iterator[Delivery]:
    """Every delivery that stood in a state before an instant, page by page; reading one takes it off later pages."""
    read_at, digest = -1, ""
    while True:
        values: Values = {
            "state": state.value,
            "read_at": read_at,
            "digest": digest,
            "before": before,
            "most": _PAGE,
        }
        with store.reading() as transaction:
            (rows,) = transaction.ask(("deliveries_in_state", values))
        yield from (_delivery(row[:9]) for row in rows)
        if len(rows) < _PAGE:
            return
        read_at, digest = int(rows[-1][9] or 0), str(rows[-1][2])


def listed(store: Store, state: State, most: int) -> Sequence[Listed]:
    """The latest deliveries in a state."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("readings_in_state", {"state": state.value, "most": most}))
    return [_listed(row) for row in rows]


def found(store: Store, digest: str) -> Delivery:
    """The one delivery whose digest begins so.

    Raises:
        InvalidValueError: None does, or several do.
    """
    expected = "the first letters of the digest of one delivery, as recoup webhooks list shows it"
    if len(digest) < 4 or not set(digest) <= set("0123456789abcdef"):
        raise InvalidValueError("delivery", digest, expected)
    with store.reading() as transaction:
        (rows,) = transaction.ask(("one_delivery", {"first": digest, "last": digest + "g"}))
    if len(rows) != 1:
        raise InvalidValueError("delivery", digest, expected)
    return _delivery(rows[0])


def counts(store: Store) -> Sequence[Count]:
    """How many deliveries of which kinds stand where."""
    with store.reading() as transaction:
        (rows,) = transaction.ask(("reading_counts", {}))
    return [
        Count(str(row[0]), str(row[1]), str(row[2]), str(row[3]), int(row[4] or 0), int(row[5] or 0)) for row in rows
    ]


def _digest(source: str, body: bytes, received_at: int) -> str:
    undated = source in PROVIDERS and is_undated(PROVIDERS[source], body)
    day = from_micros(received_at).date().isoformat().encode() if undated else b""
    return hashlib.sha256(body + day).hexdigest()


def _key(delivery: Delivery) -> dict[str, Value]:
    return {"merchant_id": delivery.merchant_id, "source": delivery.source, "digest": delivery.digest}


def _text_of(body: bytes) -> tuple[str, str]:
    """The body as a text column takes it; PostgreSQL takes no NUL."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    return ("base64", b64encode(body).decode()) if "\0" in text else ("text", text)


def _delivery(row: Row) -> Delivery:
    merchant_id, source, digest, received_at, content_type, form, text, marked, tries = row
    body = b64decode(str(text)) if form == "base64" else str(text).encode()
    return Delivery(
        str(merchant_id),
        str(source),
        str(digest),
        int(received_at or 0),
        str(content_type),
        body,
        marked=bool(marked),
        tries=int(tries or 0),
    )


def _listed(row: Row) -> Listed:
    merchant_id, source, digest, received_at, read_at, tries, marked, kinds, reason = row
    return Listed(
        str(merchant_id),
        str(source),
        str(digest),
        int(received_at or 0),
        int(read_at or 0),
        int(tries or 0),
        marked=bool(marked),
        kinds=str(kinds),
        reason=str(reason),
    )

"""Reads a kept delivery into the ledger: each event by itself, so that one that cannot be read holds up no other."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from features.card_number import mask_card_numbers
from features.errors import CardNumberError, InputError, InvalidValueError, RecoupError
from features.instants import from_micros, to_micros
from features.sources.document import Node
from features.sources.provider import Provider, Surroundings, kind_of
from features.sources.providers import PROVIDERS
from serving.errors import RequestError
from serving.ledger.ledger import Ledger
from serving.ledger.store import LedgerConflictError
from serving.webhooks import deliveries, generic
from serving.webhooks.deliveries import Delivery, Reading, State
from serving.webhooks.endpoints import Endpoint
from serving.webhooks.signatures import GENERIC
from serving.webhooks.telling import Told, tell

WAIT_AT_MOST = timedelta(days=30)
"""How long an end waits for its attempt; after that somebody has to look."""

_MINUTE = 60_000_000
_SLOWEST = 8
_LONGEST_REASON = 500
_MOST_KINDS = 20
# What an adapter may meet in a document of a shape that no provider has documented.
_UNFORESEEN = (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError)


@dataclass
class _Tally:
    """What the events of a delivery came to, as they are read."""

    kinds: dict[str, None] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    silent: list[str] = field(default_factory=list)
    amiss: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    told: int = 0
    new: int = 0


def read(ledger: Ledger, delivery: Delivery, endpoint: Endpoint, now: datetime) -> Reading:
    """Read a delivery, note what became of it, and say so; read again, nothing counts twice.

    Raises:
        InputError: The ledger cannot be reached; the delivery stays as it was.
    """
    tally = _Tally()
    if delivery.source == GENERIC:
        _read_generic(ledger, delivery, now, tally)
    else:
        around = Surroundings(from_micros(delivery.received_at), endpoint.currency, endpoint.test_events)
        _read_all(ledger, delivery, around, now, tally)
    reading = _reading(tally, delivery, now)
    deliveries.note(ledger.store, delivery, reading, to_micros(now), _next(reading, delivery, now))
    return replace(reading, unknown=tuple(tally.unknown))


def _read_all(ledger: Ledger, delivery: Delivery, around: Surroundings, now: datetime, tally: _Tally) -> None:
    provider = PROVIDERS[delivery.source]
    try:
        events = _events(provider, delivery.body)
    except RecoupError as error:
        tally.faults.append(str(error))
        return
    for event in events:
        _read_one(ledger, delivery, provider, event, around, now, tally)


def _events(provider: Provider, body: bytes) -> Iterable[Node]:
    try:
        return list(provider.events(provider.document(body)))
    except _UNFORESEEN as error:
        raise InputError(f"the document has a shape that is not read here ({type(error).__name__})") from None


def _read_one(
    ledger: Ledger,
    delivery: Delivery,
    provider: Provider,
    event: Node,
    around: Surroundings,
    now: datetime,
    tally: _Tally,
) -> None:
    if kind := kind_of(provider, event):
        tally.kinds[kind] = None
    try:
        notice = provider.read(event, around)
        _count(tally, tell(ledger, delivery.merchant_id, delivery.source, notice, now), bool(notice.statements))
    except (InvalidValueError, CardNumberError, LedgerConflictError) as error:
        tally.faults.append(str(error))
    except _UNFORESEEN as error:
        tally.faults.append(f"the event has a shape that is not read here ({type(error).__name__})")
    else:
        if notice.why:
            (tally.amiss if notice.statements else tally.silent).append(notice.why)


def _read_generic(ledger: Ledger, delivery: Delivery, now: datetime, tally: _Tally) -> None:
    try:
        tally.kinds[generic.kind_of(delivery.body)] = None
    except RecoupError as error:
        tally.faults.append(str(error))
        return
    try:
        told = generic.tell(ledger, delivery.merchant_id, delivery.body, now)
    except (InvalidValueError, CardNumberError, LedgerConflictError, RequestError) as error:
        tally.faults.append(str(error))
    else:
        _count(tally, told or Told(), told is not None)


def _count(tally: _Tally, told: Told, says_something: bool) -> None:
    tally.told += says_something
    tally.new += told.new
    tally.missing.extend(told.missing)
    tally.unknown.extend(told.unknown)


def _reading(tally: _Tally, delivery: Delivery, now: datetime) -> Reading:
    kinds = ", ".join(list(tally.kinds)[:_MOST_KINDS])
    waits = [f"no attempt {one} is known yet, whose end it tells" for one in tally.missing]
    if waits and now <= from_micros(delivery.received_at) + WAIT_AT_MOST:
        return Reading(State.WAITING, kinds, _reason(waits + tally.faults), tally.new)
    if tally.faults or waits:
        return Reading(State.FAILED, kinds, _reason(tally.faults + waits), tally.new)
    if tally.told:
        return Reading(State.APPLIED, kinds, _reason(tally.amiss), tally.new)
    return Reading(State.IGNORED, kinds, _reason(tally.silent), 0)


def _reason(sentences: list[str]) -> str:
    if not sentences:
        return ""
    more = f" (and {len(sentences) - 1} more)" if len(sentences) > 1 else ""
    text = mask_card_numbers(sentences[0].replace("\0", ""))
    return f"{text[:_LONGEST_REASON]}{more}"


def _next(reading: Reading, delivery: Delivery, now: datetime) -> int | None:
    """What waits is read again after 1, 2, 4 … minutes, at the slowest every four hours or so."""
    if reading.state is not State.WAITING:
        return None
    return to_micros(now) + (_MINUTE << min(delivery.tries, _SLOWEST))

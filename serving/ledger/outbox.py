"""Events for a merchant's own systems, written in the transaction of what they tell of."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import orjson

from features.instants import from_micros
from serving.ledger.store import Transaction, Value

Details = Mapping[str, object]


class EventType(StrEnum):
    """What is told."""

    SCHEDULED = "retry.scheduled"
    RECOVERED = "recovery.recovered"  # ends a recovery
    EXHAUSTED = "recovery.exhausted"  # ends a recovery
    ACTION_NEEDED = "recovery.action_needed"
    LIMIT_REACHED = "limit.reached"


@dataclass(frozen=True, slots=True)
class Outbox:
    """To which targets the events of which merchant go; a merchant without any is told nothing.

    Args:
        targets: Names of targets by merchant.
        sandbox: What it tells of is a sandbox, and every event says so.
    """

    targets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    sandbox: bool = False

    def tells(self, merchant_id: str) -> bool:
        """Whether anybody is to be told of this merchant's payments."""
        return merchant_id in self.targets


SILENT = Outbox()


@dataclass(frozen=True, slots=True)
class Written:
    """Where an event belongs: the payment and which of its recoveries."""

    merchant_id: str
    payment_id: str
    recovery: int


def put_event(
    transaction: Transaction, outbox: Outbox, about: Written, kind: EventType, subject: str, details: Details, now: int
) -> bool:
    """Append an event and its way to every target; False where it was written before, which changes nothing.

    Args:
        subject: What tells it from other events of the kind in the same recovery.
        details: What is told beyond the payment.
        now: Microseconds since 1970.
    """
    event_id = _id(about, kind, subject)
    row: dict[str, Value] = {
        "merchant_id": about.merchant_id,
        "event_id": event_id,
        "payment_id": about.payment_id,
        "recovery": about.recovery,
        "type": kind.value,
        "now": now,
        "body": _body(about, kind, details, now, sandbox=outbox.sandbox),
    }
    if transaction.change("insert_event_out", row) == 0:
        return False
    for target in outbox.targets.get(about.merchant_id, ()):
        transaction.put("insert_sending", row | {"target": target})
    return True


def _id(about: Written, kind: EventType, subject: str) -> str:
    """The same event has the same id, so that whoever tells it again after a crash tells nothing new."""
    parts = (about.merchant_id, about.payment_id, str(about.recovery), kind.value, subject)
    return "evt_" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:32]


def _body(about: Written, kind: EventType, details: Details, now: int, *, sandbox: bool) -> str:
    """The envelope of Standard Webhooks: type, timestamp, data; and a mark on what is of a sandbox."""
    data = {
        "merchant_id": about.merchant_id,
        "payment_id": about.payment_id,
        "recovery": about.recovery,
        **details,
    }
    mark = {"sandbox": True} if sandbox else {}
    envelope = {"type": kind.value, "timestamp": from_micros(now), **mark, "data": data}
    return orjson.dumps(envelope, option=_OPTIONS).decode()


_OPTIONS = orjson.OPT_UTC_Z

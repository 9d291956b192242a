"""The events that Recoup sends: verified as Standard Webhooks, then read.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import binascii
import hashlib
import hmac
import json
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from serving.client.errors import SignatureError, UnexpectedAnswerError

TOLERANCE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as docs/events.md describes it.

    Args:
        event_id: The same each time it is sent; keep the ids that you have acted on.
        type: Such as `retry.scheduled`.
        sandbox: It tells of a sandbox.
        data: What is told.
    """

    event_id: str
    type: str
    timestamp: datetime
    sandbox: bool
    data: Mapping[str, object]


def verified_event(
    secrets: Sequence[str], headers: Mapping[str, str], body: bytes, *, now: datetime | None = None
) -> Event:
    """The event in a delivery that one of the secrets signed within the last five minutes.

    Args:
        secrets: `whsec_…`; two while they rotate.
        headers: Of the delivery, by names of any case.
        body: As it came, byte for byte.
        now: The time of day where it is not the machine's.

    Raises:
        SignatureError: It was not signed by any of them, or too long ago or ahead.
        UnexpectedAnswerError: It is signed, and no event.
    """
    named = {name.lower(): value for name, value in headers.items()}
    event_id, stamp = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    _check_fresh(stamp, now or datetime.now(UTC))
    content = f"{event_id}.{stamp}.".encode() + body
    wanted = [f"v1,{b64encode(hmac.new(_key(one), content, hashlib.sha256).digest()).decode()}" for one in secrets]
    given = named.get("webhook-signature", "").split()
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in wanted for other in given):
        raise SignatureError("no secret of yours signed this delivery")
    return _event(event_id, body)


def _check_fresh(stamp: str, now: datetime) -> None:
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) < 13):
        raise SignatureError("the delivery says no time in webhook-timestamp")
    if abs(now.timestamp() - int(stamp)) > TOLERANCE.total_seconds():
        raise SignatureError("the delivery was signed more than five minutes ago or ahead")


def _key(secret: str) -> bytes:
    try:
        return b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        raise SignatureError("a secret is not whsec_ and Base64") from None


def _event(event_id: str, body: bytes) -> Event:
    try:
        told = json.loads(body)
        return Event(
            event_id,
            str(told["type"]),
            datetime.fromisoformat(told["timestamp"]),
            told.get("sandbox") is True,
            dict(told["data"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UnexpectedAnswerError("", body[:80], "an event: type, timestamp and data") from None

"""Takes one delivery in: whose it is by the secret that signed it, then kept, then read."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from features.errors import InputError
from features.instants import to_micros
from serving.errors import Kind, RequestError
from serving.ledger.ledger import Ledger
from serving.webhooks import deliveries
from serving.webhooks.deliveries import Delivery, Reading, State
from serving.webhooks.endpoints import Endpoint, Endpoints
from serving.webhooks.reading import read
from serving.webhooks.signatures import Signed, verified

_UNSETTLED = frozenset({State.STORED, State.WAITING, State.FAILED})


@dataclass(frozen=True, slots=True)
class Received:
    """A delivery that was taken in.

    Args:
        new: Whether it was delivered for the first time.
    """

    delivery: Delivery
    reading: Reading
    new: bool


def sender(endpoints: Endpoints, source: str, merchant_id: str | None, signed: Signed, now: datetime) -> Endpoint:
    """The sender whose secret signed the delivery.

    Raises:
        RequestError: No such sender is set up, or none of their secrets signed it.
    """
    candidates = endpoints.of(source, merchant_id)
    if not candidates:
        raise RequestError(Kind.NOT_FOUND, f"No webhooks of {source} are set up here; see docs/webhooks.md")
    signing = _signing(candidates, signed, now)
    if signing is None:
        raise RequestError(Kind.NOT_SIGNED, f"No active secret of {source} signed this delivery just now")
    return signing


def receive(ledger: Ledger, endpoint: Endpoint, content_type: str, body: bytes, now: datetime) -> Received:
    """Keep a verified delivery, then read it. What was delivered and settled before is not read again.

    Raises:
        InputError: The ledger cannot be reached, so that nothing was kept; the sender will deliver again.
    """
    came = deliveries.delivery_of(endpoint.merchant_id, endpoint.source, content_type, body, to_micros(now))
    given = deliveries.as_first_delivered(ledger.store, came)
    new = deliveries.keep(ledger.store, given)
    try:
        before = None if new else deliveries.standing_of(ledger.store, given)
        if before is not None and before.state not in _UNSETTLED:
            return Received(given, replace(before, events=0), new)
        return Received(given, read(ledger, given, endpoint, now), new)
    except InputError:
        # It is kept: the service reads it when the ledger can be reached again.
        return Received(given, Reading(State.STORED), new)


def _signing(candidates: Sequence[Endpoint], signed: Signed, now: datetime) -> Endpoint | None:
    matching = [one for one in candidates if verified(one.source, one.secrets, signed, now)]
    return matching[0] if matching else None

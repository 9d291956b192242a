"""A small valid request to bend, and a clock that stands still."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

# A JSON document that tests take apart; its shape is the point of the tests.
Document = dict[str, Any]


@pytest.fixture
def document() -> Document:
    """A request with one declined attempt on one of two methods."""
    return {
        "as_of": "2026-11-23T10:15:00Z",
        "payment": {
            "payment_id": "inv_1",
            "merchant_id": "acme",
            "customer_id": "cus_1",
            "amount_minor": 2799,
            "currency": "EUR",
            "due_at": "2026-11-23T09:00:00Z",
        },
        "methods": [
            {
                "method_id": "pm_1",
                "rail": "card",
                "network": "visa",
                "issuer": {"country": "DE", "time_zone": "Europe/Berlin"},
                "processors": ["northgate"],
            },
            {"method_id": "pm_2", "rail": "card", "network": "mastercard", "processors": ["stripe"]},
        ],
        "attempts": [
            {
                "attempt_id": "att_1",
                "method_id": "pm_1",
                "processor": "northgate",
                "attempted_at": "2026-11-23T09:00:00Z",
                "outcome": "declined",
                "code": "51",
            }
        ],
    }


@pytest.fixture
def clock() -> Callable[[], datetime]:
    """Always the same instant."""
    return lambda: datetime(2026, 11, 23, 10, 15, tzinfo=UTC)


@pytest.fixture
def body(document: Document) -> bytes:
    """The small request as it is sent."""
    return orjson.dumps(document)

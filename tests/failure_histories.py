"""Small attempt histories, one line a failed payment, for tests of base rates."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from features.history import SCHEMA

START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Told:
    """A payment that failed on a day, and how many days later it was paid; None where it was not."""

    customer: str
    payment: str
    day: int
    wait: float | None = None
    amount_minor: int = 1000
    currency: str = "EUR"
    rail: str = "card"
    market: str | None = "DE"
    code: str = "51"
    merchant: str = "acme"
    network: str = "visa"
    country: str | None = "DE"


def a_history(payments: Sequence[Told], until: int = 100) -> pa.Table:
    """The payments, and one more that was paid at once on the last day."""
    rows = []
    for one in payments:
        rows.append(_row(one, START + timedelta(days=one.day), "declined"))
        if one.wait is not None:
            rows.append(_row(one, START + timedelta(days=one.day + one.wait), "approved"))
    rows.append(_row(Told("last", "last", until), START + timedelta(days=until), "approved"))
    return pa.Table.from_pylist([row | {"attempt_id": f"att_{place}"} for place, row in enumerate(rows)], schema=SCHEMA)


def _row(one: Told, at: datetime, outcome: str) -> dict[str, object]:
    return {
        "payment_id": one.payment,
        "merchant_id": one.merchant,
        "customer_id": one.customer,
        "method_id": f"pm of {one.customer}",
        "rail": one.rail,
        "processor": "northgate",
        "amount_minor": one.amount_minor,
        "currency": one.currency,
        "attempted_at": at,
        "outcome": outcome,
        "network": one.network,
        "issuer_country": one.country,
        "market": one.market,
        "code": one.code if outcome == "declined" else None,
    }

"""Small histories and contexts for tests: sensible defaults, so that a test states only what it is about."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from features.decline import Decline
from features.history import SCHEMA
from features.vocabulary import DeclineCategory, Network, Retryability

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

_CATEGORIES = {
    "51": DeclineCategory.INSUFFICIENT_FUNDS,
    "05": DeclineCategory.DO_NOT_HONOR,
    "91": DeclineCategory.ISSUER_UNAVAILABLE,
    "43": DeclineCategory.LOST_OR_STOLEN,
}


def simple_classify(
    code: str | None,
    processor: str,
    network: Network,
    subcode: str | None,
    advice_code: str | None,
    country: str | None,
    at: datetime,
) -> Decline:
    """A taxonomy of four codes, for tests that are not about the taxonomy."""
    category = _CATEGORIES.get(code or "", DeclineCategory.UNKNOWN)
    wait = 96 if advice_code == "27" else None
    never = category is DeclineCategory.LOST_OR_STOLEN
    retryability = Retryability.NEVER if never else Retryability.LATER
    return Decline(network, code, subcode, category, retryability, advice_code, min_wait_hours=wait)


def history(rows: Sequence[Mapping[str, object]]) -> pa.Table:
    """A history from partial rows; what a row leaves out gets a plain default."""
    complete = [_defaults(i) | dict(row) for i, row in enumerate(rows)]
    return pa.Table.from_pylist([{name: row.get(name) for name in SCHEMA.names} for row in complete], schema=SCHEMA)


def of_merchant(rows: pa.Table, *merchants: str) -> pa.Table:
    """The history with its rows dealt out in turn among merchants, whatever else it says."""
    place = rows.schema.get_field_index("merchant_id")
    names = [merchants[i % len(merchants)] for i in range(len(rows))]
    return rows.set_column(place, rows.schema.field(place), pa.array(names))


def random_history(seed: int, attempts: int = 400) -> pa.Table:
    """Customers of several countries with overlapping payments, methods, processors and late outcomes."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    clock = dict.fromkeys(range(30), START)
    countries = ("DE", "US", "SA")
    for i in range(attempts):
        customer = int(rng.integers(30))
        clock[customer] += timedelta(minutes=int(rng.integers(1, 60 * 72)))
        approved = rng.random() < 0.35
        code = None if approved else str(rng.choice(["51", "05", "91", "43"]))
        late = timedelta(hours=int(rng.choice([0, 0, 0, 30])))
        rows.append(
            {
                "attempt_id": f"a{i:05d}",
                "payment_id": f"p{customer}-{int(rng.integers(6))}",
                "customer_id": f"c{customer}",
                "method_id": f"m{customer}-{int(rng.integers(2))}",
                "processor": str(rng.choice(["north", "south"])),
                "network": str(rng.choice(["visa", "mastercard"])),
                "issuer_id": f"bank{customer % 5}",
                "issuer_country": countries[customer % 3],
                "market": countries[customer % 3],
                "amount_minor": int(rng.integers(500, 90_000)),
                "attempted_at": clock[customer],
                "outcome_at": clock[customer] + late,
                "outcome": "approved" if approved else "declined",
                "code": code,
                "advice_code": "27" if code == "51" and rng.random() < 0.3 else None,
            }
        )
    return history(rows)


def _defaults(i: int) -> dict[str, object]:
    return {
        "attempt_id": f"a{i:05d}",
        "payment_id": "p1",
        "merchant_id": "acme",
        "customer_id": "c1",
        "method_id": "m1",
        "rail": "card",
        "processor": "north",
        "amount_minor": 1999,
        "currency": "EUR",
        "attempted_at": START + timedelta(days=i),
        "outcome": "declined",
        "network": "visa",
    }

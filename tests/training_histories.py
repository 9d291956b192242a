"""Histories with a known truth, for tests of training: a failed first attempt, then retries until paid."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.history import SCHEMA

START = datetime(2026, 1, 5, tzinfo=UTC)


def truth(hour: int, code: str, attempt: int) -> float:
    """P(approved): mornings help, a shortage of money is easier to cure than a silent refusal, later is harder."""
    score = 2.2 * (6 <= hour < 12) - 1.6 + 1.2 * (code == "51") - 0.25 * attempt
    return float(1 / (1 + np.exp(-score)))


def write_history(
    path: Path,
    payments: int = 2500,
    seed: int = 0,
    days: int = 100,
    learnable: bool = True,
    propensity: float | None = None,
) -> Path:
    """Write a history of failed card payments; without `learnable`, approval is a coin whatever the retry.

    Args:
        propensity: What the log states of every retry; their hours are drawn evenly.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for payment in range(payments):
        at = START + timedelta(days=float(rng.uniform(0, days)))
        code = str(rng.choice(["51", "05"]))
        for attempt in range(5):
            p = truth(at.hour, code, attempt) if learnable else 0.35
            approved = attempt > 0 and rng.random() < p
            row = _attempt(payment, attempt, at, None if approved else code, payments)
            rows.append(row | {"propensity": propensity if attempt else None})
            if approved:
                break
            at += timedelta(hours=float(rng.uniform(6, 72)))
    names = SCHEMA.names
    table = pa.Table.from_pylist([{name: row.get(name) for name in names} for row in rows], schema=SCHEMA)
    pq.write_table(table, path)
    return path


def _attempt(payment: int, attempt: int, at: datetime, code: str | None, payments: int) -> dict[str, object]:
    customer = payment % max(1, payments // 3)
    return {
        "attempt_id": f"a{payment:06d}-{attempt}",
        "payment_id": f"p{payment}",
        "merchant_id": "m",
        "customer_id": f"c{customer}",
        "method_id": f"pm{customer}",
        "rail": "card",
        "network": "visa",
        "processor": "stripe",
        "amount_minor": 1000 + 100 * (payment % 7),
        "currency": "EUR",
        "attempted_at": at,
        "outcome": "approved" if code is None else "declined",
        "code": code,
        "issuer_country": "DE" if customer % 2 else "US",
        "issuer_time_zone": "UTC",
        "initiator": "merchant",
    }

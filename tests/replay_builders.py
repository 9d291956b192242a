"""A small recorded world for tests of replay and evaluation: who clears on which day is stated, the rest is plain."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from experiments.history_contexts import HistoryContexts
from experiments.recorded_world import Recorded, RecordedWorld
from features.history import SCHEMA

FIRST = datetime(2025, 1, 6, 12, 0, tzinfo=UTC)
HORIZON = 30
DAYS = 40


def log_row(payment: str, customer: str, number: int, at: datetime, outcome: str) -> dict[str, object]:
    """One attempt of a debit known to the day."""
    row: dict[str, object] = {
        "attempt_id": f"{payment}-{number}",
        "payment_id": payment,
        "merchant_id": "acme",
        "customer_id": customer,
        "method_id": f"account of {customer}",
        "rail": "bank_debit",
        "processor": "bank",
        "amount_minor": 5_000,
        "currency": "EUR",
        "attempted_at": at,
        "outcome": outcome,
        "precision": "day",
        "issuer_country": "GB",
        "issuer_time_zone": "Europe/London",
        "market": "GB",
        "code": "insufficient_funds" if outcome == "declined" else None,
    }
    return {name: row.get(name) for name in SCHEMA.names}


def failing(outcomes: Mapping[str, str]) -> pa.Table:
    """A log of first attempts that failed, one a payment, a customer each."""
    rows = [log_row(payment, f"c-{payment}", 1, FIRST, "declined") for payment in outcomes]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def world_of(outcomes: Mapping[str, str], observed_days: int = HORIZON) -> RecordedWorld:
    """The world of failed payments with one character a day."""
    recorded = {payment: Recorded(clears) for payment, clears in outcomes.items()}
    return RecordedWorld(HistoryContexts(failing(outcomes), HORIZON).failures(), recorded, observed_days)


def clearing(*days: int, length: int = DAYS) -> str:
    """Clears on those days after the failure and no others."""
    return "".join("1" if day in days else "0" for day in range(1, length + 1))


def monthly_log(payments: int, seed: int, tries: int = 4) -> tuple[pa.Table, dict[str, str]]:
    """A log of failed payments retried on random days, and what every day would have brought.

    Money comes in the second week of the month and stays some days, for three payments of four; customers owe two each.
    """
    rng = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    outcomes: dict[str, str] = {}
    for number in range(payments):
        payment, customer = f"p{number:05}", f"c{number // 2:05}"
        failed = FIRST + timedelta(days=int(rng.integers(0, 240)))
        outcomes[payment] = _clears(rng, failed)
        rows.append(log_row(payment, customer, 1, failed, "declined"))
        for step, day in enumerate(sorted(rng.choice(np.arange(1, HORIZON + 1), tries, replace=False).tolist())):
            won = outcomes[payment][day - 1] == "1"
            at = failed + timedelta(days=day)
            rows.append(log_row(payment, customer, step + 2, at, "approved" if won else "declined"))
            if won:
                break
    return pa.Table.from_pylist(rows, schema=SCHEMA), outcomes


def _clears(rng: np.random.Generator, failed: datetime) -> str:
    start, length, ever = int(rng.integers(8, 13)), int(rng.integers(2, 9)), rng.random() < 0.75
    days = [(failed + timedelta(days=day)).day for day in range(1, DAYS + 1)]
    return "".join("1" if ever and start <= day < start + length else "0" for day in days)


def days_of(clears: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """The outcomes as flags, shape (payments, days)."""
    return np.array([[day == "1" for day in one] for one in clears], dtype=np.bool_)

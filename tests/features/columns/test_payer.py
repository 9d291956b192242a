"""What the customer's past says."""

from datetime import timedelta

import numpy as np

from builders import START, history
from frames import value


def _payment(name: str, day: int, outcomes: str, amount: int = 1000) -> list[dict[str, object]]:
    """A payment tried once a day from that day on; `x` failed, `o` approved."""
    return [
        {
            "attempt_id": f"{name}-{i}",
            "payment_id": name,
            "attempted_at": START + timedelta(days=day + i),
            "outcome": "approved" if outcome == "o" else "declined",
            "code": None if outcome == "o" else "51",
            "amount_minor": amount,
        }
        for i, outcome in enumerate(outcomes)
    ]


def test_recoveries_are_counted_with_the_days_they_took() -> None:
    rows = history(
        [*_payment("a", 0, "xo"), *_payment("b", 10, "xxxo"), *_payment("c", 20, "o"), *_payment("d", 30, "xx")]
    )
    assert value("customer_recoveries", rows) == 2
    assert value("customer_recovery_days", rows) == 2
    assert value("customer_retry_rate", rows) == 0.5


def test_a_run_of_failures_counts_across_payments() -> None:
    rows = history([*_payment("a", 0, "ox"), *_payment("b", 2, "x"), *_payment("c", 4, "xx")])
    assert value("customer_failed_run", rows) == 3


def test_the_amount_is_held_against_the_largest_one_paid() -> None:
    rows = history([*_payment("a", 0, "o", 5000), *_payment("b", 1, "o", 100), *_payment("c", 4, "xx", 50_000)])
    assert value("amount_to_largest", rows) == 1
    nothing_paid = history(_payment("c", 4, "xx"))
    assert np.isnan(value("amount_to_largest", nothing_paid))

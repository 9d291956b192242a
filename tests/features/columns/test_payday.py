"""Pay cycles as the data show them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest

from builders import history
from frames import value

_BASE: dict[str, object] = {"issuer_country": "CZ", "market": "CZ", "currency": "CZK"}


def _month(
    customer: str, month: int, failed: int, paid: int | None, tried: int | None = None
) -> Iterator[dict[str, object]]:
    """A payment that fails on one day of the month, perhaps fails again, and is paid on another."""
    for day, outcome in ((failed, "declined"), (tried, "declined"), (paid, "approved")):
        if day is not None:
            yield _BASE | {
                "attempt_id": f"{customer}-{month}-{day}",
                "payment_id": f"{customer}-{month}",
                "customer_id": customer,
                "method_id": customer,
                "attempted_at": datetime(2025, month, 1, 12, tzinfo=UTC) + timedelta(days=day - 1),
                "outcome": outcome,
                "code": "51" if outcome == "declined" else None,
            }


def _asked(days: int, *past: dict[str, object]) -> pa.Table:
    """After that past, a payment of the customer that failed on the 3rd of August, retried so many days later."""
    return history([*past, *_month("me", 8, 3, None, 3 + days)])


_PAID_ON_TENTH = tuple(row for month in range(2, 8) for row in _month("me", month, 3, 10, 7))


def test_the_chance_that_a_customers_money_came_jumps_over_the_days_it_came_on_before() -> None:
    early, late = (value("own_payday_passed", _asked(days, *_PAID_ON_TENTH)) for days in (3, 8))
    assert early < 0.1
    assert late > 0.85
    assert value("own_payday_support", _asked(3, *_PAID_ON_TENTH)) == 6


def test_a_customer_without_a_recovery_has_no_payday_and_an_even_chance() -> None:
    assert np.isnan(value("days_from_own_payday", _asked(3)))
    assert value("own_payday_passed", _asked(15)) == pytest.approx(15 / 30.4375)


def test_the_inferred_payday_lies_between_failure_and_approval() -> None:
    days = value("days_from_own_payday", _asked(8, *_PAID_ON_TENTH))
    assert 1 <= days <= 3  # the 11th, after a payday on the 8th to the 10th


def test_a_customers_own_days_count_for_more_the_nearer_they_are() -> None:
    on_tenth, on_seventh = (value("customer_day_rate", _asked(days, *_PAID_ON_TENTH)) for days in (7, 3))
    assert on_tenth > on_seventh + 0.2


def test_a_customers_retries_at_about_the_same_distance_count() -> None:
    week, days = (value("customer_offset_rate", _asked(days, *_PAID_ON_TENTH)) for days in (7, 4))
    assert week > days + 0.2


def test_the_markets_days_are_learnt_from_its_retries() -> None:
    others = tuple(row for c in range(40) for month in range(2, 8) for row in _month(f"c{c}", month, 3, 10, 7))
    assert value("month_day_lift", _asked(7, *others)) > 10
    assert value("month_day_lift", _asked(4, *others)) < -10


def test_an_approval_of_a_small_amount_says_little_of_a_large_one() -> None:
    large = [row | {"amount_minor": 200_000} for row in _month("me", 8, 3, None, 10)]
    small = history([*_PAID_ON_TENTH, *large])
    assert value("customer_day_rate", small) < value("customer_day_rate", _asked(7, *_PAID_ON_TENTH)) - 0.1

"""What is known of the instrument."""

from datetime import date, timedelta

import numpy as np
import pytest

from builders import START, history
from frames import value

_FAILED: dict[str, object] = {"code": "51", "credential": "pan", "expires_on": date(2026, 3, 31)}


@pytest.mark.parametrize(
    ("now", "updated"),
    [
        ({}, 0),
        ({"expires_on": date(2029, 3, 31)}, 1),
        ({"credential": "network_token"}, 1),
        ({"credential": "unknown"}, 0),
        ({"expires_on": None}, 0),
    ],
)
def test_a_credential_that_differs_from_its_last_attempts_was_updated(now: dict[str, object], updated: int) -> None:
    assert value("credential_updated", history([_FAILED, _FAILED | now])) == updated


def test_a_method_without_an_attempt_was_not_updated_nor_is_its_age_known() -> None:
    rows = history([_FAILED, _FAILED | {"method_id": "m2"}])
    assert np.isnan(value("credential_updated", rows))
    assert np.isnan(value("method_age", rows))
    assert value("method_failures_here", rows) == 0


def test_a_method_is_as_old_as_its_first_attempt_for_any_payment() -> None:
    rows = history([{"payment_id": "p0", "outcome": "approved"}, _FAILED, _FAILED | {"method_id": "m2"}, _FAILED])
    assert value("method_age", rows) == 3
    assert value("days_since_method_approval", rows) == 3
    assert value("method_failures_here", rows) == 1
    assert value("method_declines", rows) == 1


def test_a_route_is_judged_by_this_customers_attempts_through_it() -> None:
    others = {"customer_id": "c2", "payment_id": "p2", "outcome": "approved", "processor": "south"}
    paid = {"payment_id": "p0", "outcome": "approved", "processor": "south"}
    rows = history([others, paid, _FAILED, _FAILED | {"processor": "south", "attempted_at": START + timedelta(days=5)}])
    assert value("processor_approvals", rows) == 1
    assert value("processor_declines", rows) == 0
    assert value("days_since_processor_approval", rows) == 4

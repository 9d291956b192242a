"""Outages and rates beside wider rates."""

from datetime import timedelta

import pytest

from builders import START, history
from frames import value


def _hours(issuer: str, outcomes: str, code: str = "91") -> list[dict[str, object]]:
    """First attempts of an issuer's customers, one an hour; `o` approved, `x` failed with the code."""
    return [
        {
            "attempt_id": f"{issuer}-{i}",
            "payment_id": f"{issuer}-{i}",
            "customer_id": f"{issuer}-{i}",
            "method_id": f"{issuer}-{i}",
            "issuer_id": issuer,
            "issuer_country": "DE",
            "attempted_at": START + timedelta(hours=i),
            "outcome": "approved" if outcome == "o" else "declined",
            "code": None if outcome == "o" else code,
        }
        for i, outcome in enumerate(outcomes)
    ]


def _retried(issuer: str, after_hours: int) -> list[dict[str, object]]:
    base = {"payment_id": "me", "customer_id": "me", "issuer_id": issuer, "issuer_country": "DE", "code": "91"}
    at = START + timedelta(hours=after_hours)
    return [
        base | {"attempt_id": "me-1", "attempted_at": at},
        base | {"attempt_id": "me-2", "attempted_at": at + timedelta(minutes=5)},
    ]


def test_an_outage_shows_as_silence_and_as_technical_failures() -> None:
    rows = history([*_hours("down", "o" * 40 + "x" * 20), *_hours("up", "o" * 60), *_retried("down", 60)])
    assert value("issuer_silence", rows) == 20
    assert value("issuer_technical_share", rows) > 15
    assert value("issuer_recent_lift", rows) < -10
    healthy = history([*_hours("down", "o" * 40 + "x" * 20), *_hours("up", "o" * 60), *_retried("up", 60)])
    assert value("issuer_silence", healthy) == 0
    assert value("issuer_technical_share", healthy) <= 1


def test_declines_for_want_of_money_are_no_outage() -> None:
    rows = history([*_hours("poor", "o" * 40 + "x" * 20, code="51"), *_retried("poor", 60)])
    assert value("issuer_technical_share", rows) <= 1


@pytest.mark.parametrize("name", ["issuer_lift", "processor_lift", "route_issuer_lift"])
def test_where_there_is_but_one_issuer_and_one_processor_their_rates_say_nothing(name: str) -> None:
    rows = history([*_hours("only", "ooxooxooox" * 100), *_retried("only", 1000)])
    assert abs(value(name, rows)) <= 1

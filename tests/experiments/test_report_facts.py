"""The facts of a report are JSON that every reader takes: what has no answer is null."""

import json
from datetime import UTC, datetime, timedelta

from experiment_builders import a_definition, running
from experiments.cohorts import SEGMENTS, ObservedPayment
from experiments.outcomes import Followed, Try, outcome_of
from experiments.report import report_of
from experiments.report_facts import facts_of
from features.money import Money
from features.vocabulary import Initiator, Outcome
from model.economics import Economics

START = datetime(2026, 11, 1, 6, tzinfo=UTC)
LATER = START + timedelta(days=100)


def payment(number: int) -> ObservedPayment:
    """Of a segment of its own in every way; two of three are recovered."""
    failed_at = START + timedelta(hours=number)
    paid = Try(failed_at + timedelta(days=2), Outcome.APPROVED, Initiator.MERCHANT, 1_000)
    return ObservedPayment(
        unit=("acme", f"cus_{number}"),
        variant=("fixed", "plan")[number % 2],
        propensity=0.5,
        exposed_at=failed_at,
        failed_at=failed_at,
        amount=Money(1_000, "EUR"),
        segments=dict.fromkeys(SEGMENTS, f"segment {number}"),
        outcome=outcome_of(Followed(failed_at, 1_000, [paid] if number % 3 else []), 30, LATER),
    )


def test_where_no_segment_is_large_enough_the_common_effect_is_null() -> None:
    report = report_of(running(a_definition()), [payment(n) for n in range(300)], Economics.default(), LATER)
    facts = json.loads(json.dumps(facts_of(report), allow_nan=False))
    found = facts["variants"][0]["segments_exploratory"]
    assert [(one["common"], one["segments"]) for one in found] == [(None, [])] * len(SEGMENTS)

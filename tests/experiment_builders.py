"""Definitions of experiments for tests: a sound one in TOML, and what to put in its place."""

from dataclasses import replace
from datetime import UTC, datetime

from experiments.assignment import FirstFailure
from experiments.checking import Known, check
from experiments.definition import Change, Definition, Entry, Status
from experiments.definition_file import read_definition
from experiments.metric_names import METRIC_NAMES
from features.money import Money
from features.vocabulary import DeclineCategory, Rail
from model.caps.rulebook import Rulebook

START = datetime(2026, 11, 1, tzinfo=UTC)
FAILED = datetime(2026, 11, 23, 9, tzinfo=UTC)
KNOWN = Known(Rulebook.load(), METRIC_NAMES)

TEXT = """
key = "first"
hypothesis = "The plan recovers more."
owner = "payments"
status = "draft"
salt = "first-salt"
coverage = 1.0
control = "fixed"
window_days = 30
min_run_days = 28
smallest_effect = 0.05
primary_metric = "recovered_value"

[variants.fixed]
weight = 0.5
policy = { kind = "fixed_days", days = [1, 3, 5, 7] }

[variants.plan]
weight = 0.5
policy = { kind = "plan" }
"""


def text_with(*swaps: tuple[str, str]) -> str:
    """The sound text with some of it swapped for something else."""
    text = TEXT
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def a_definition(*swaps: tuple[str, str]) -> Definition:
    """A sound definition."""
    read = read_definition(text_with(*swaps), "first.toml")
    assert read.definition is not None
    assert not read.faults
    return read.definition


def running(definition: Definition, *coverage: float) -> Definition:
    """The same, started, and ramped by a day each to further coverages."""
    steps = coverage or (definition.coverage,)
    history = tuple(
        Entry(START.replace(day=1 + i), Change.RAMPED if i else Change.STARTED, "someone", share)
        for i, share in enumerate(steps)
    )
    return replace(definition, status=Status.RUNNING, coverage=steps[-1], history=history)


def sentences(text: str, known: Known = KNOWN) -> list[str]:
    """What is wrong with a text."""
    return [fault.sentence for fault in check(read_definition(text, "first.toml"), known)]


def a_failure(customer_id: str = "cus_1", *, payment_id: str = "inv_1", failed_at: datetime = FAILED) -> FirstFailure:
    """The first failure of a payment of 49 euros by card."""
    return FirstFailure(
        merchant_id="acme",
        customer_id=customer_id,
        payment_id=payment_id,
        failed_at=failed_at,
        amount=Money(4900, "EUR"),
        rail=Rail.CARD,
        category=DeclineCategory.INSUFFICIENT_FUNDS,
        market="DE",
    )

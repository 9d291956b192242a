"""What the ledger did not do is counted by why, and told: at once, then once a second, never with what was sent."""

import io

import orjson
import pytest

from features.errors import InputError
from metric_readers import counted
from serving.ledger.store import Failure, LedgerBusyError, LedgerFailedError
from serving.ledger_failures import LedgerFailures
from serving.logs import service_log
from serving.metrics import Metrics

FULL = LedgerFailedError("the ledger ledger.db cannot be used: database or disk is full", Failure.UNWRITABLE)


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class Watched:
    """Failures, and what was told of them."""

    def __init__(self) -> None:
        self.metrics, self.out, self.clock = Metrics(), io.StringIO(), Seconds()
        self.failures = LedgerFailures(self.metrics, service_log("json", self.out), self.clock)

    def told(self) -> list[tuple[str, int, str]]:
        lines = [orjson.loads(line) for line in self.out.getvalue().splitlines()]
        return [(line["failure"], line["failures"], line["reason"]) for line in lines]


def test_the_first_failure_is_told_at_once_and_those_after_it_together_once_a_second() -> None:
    watched = Watched()
    for _ in range(5):
        watched.failures.failed(FULL)
    assert watched.told() == [("unwritable", 1, str(FULL))]
    watched.clock.now += 1.0
    watched.failures.failed(FULL)
    assert watched.told()[1:] == [("unwritable", 5, str(FULL))]
    assert counted(watched.metrics.text().decode(), "recoup_ledger_failures_total") == [
        ({"failure": "unwritable"}, 6.0)
    ]


def test_many_failures_of_one_sort_keep_none_of_another_from_being_told() -> None:
    watched = Watched()
    for error in (LedgerBusyError("two waited"), LedgerBusyError("two waited"), FULL):
        watched.failures.failed(error)
    assert [line[0] for line in watched.told()] == ["busy", "unwritable"]


def test_a_message_that_may_hold_what_was_sent_is_not_told() -> None:
    watched = Watched()
    watched.failures.failed(InputError('invalid input syntax: "Jane Doe"'))
    assert watched.told() == [("other", 1, "InputError")]


@pytest.mark.parametrize(("error", "doubted"), [(FULL, True), (LedgerBusyError("two waited"), False)])
def test_the_ledger_is_doubted_after_any_failure_that_does_not_pass_by_itself(
    error: LedgerFailedError, doubted: bool
) -> None:
    watched = Watched()
    watched.failures.failed(error)
    assert watched.failures.doubted is doubted

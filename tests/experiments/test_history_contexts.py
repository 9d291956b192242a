"""A logged retry is judged with what was known when it was decided, and is no decision where nothing was known yet."""

from datetime import timedelta

import pytest

from builders import START, history, random_history
from experiments.history_contexts import HistoryContexts

FAILED = {"attempt_id": "a1", "attempted_at": START, "outcome": "declined", "code": "51"}


@pytest.mark.parametrize("precision", ["instant", "day"])
def test_a_retry_at_the_instant_of_the_answer_is_no_decision_upon_it(precision: str) -> None:
    again = {"attempt_id": "a2", "attempted_at": START, "outcome": "approved", "code": None}
    later = {"attempt_id": "a3", "attempted_at": START + timedelta(minutes=1), "outcome": "approved", "code": None}
    rows = [row | {"payment_id": "p", "customer_id": "c", "precision": precision} for row in (FAILED, again, later)]
    retries = list(HistoryContexts(history(rows), 30).retries())
    assert [retry.attempt.attempt_id for retry in retries] == ["a3"]


def test_a_retry_before_the_answer_is_no_decision_upon_it() -> None:
    debit = FAILED | {"outcome_at": START + timedelta(days=3), "payment_id": "p", "customer_id": "c"}
    card = {"attempt_id": "a2", "attempted_at": START + timedelta(days=1), "outcome": "approved", "code": None}
    assert not list(HistoryContexts(history([debit, card | {"payment_id": "p", "customer_id": "c"}]), 30).retries())


@pytest.mark.parametrize("seed", range(4))
def test_no_retry_is_in_its_own_context(seed: int) -> None:
    retries = list(HistoryContexts(random_history(seed), 30).retries())
    assert retries
    for retry in retries:
        assert retry.attempt.attempt_id not in {made.attempt_id for made in retry.context.attempts}
        assert retry.context.as_of < retry.attempt.at

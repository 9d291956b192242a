"""In whatever order and however often things are delivered, the ledger counts as if all had come in order and once."""

import tempfile
from functools import cache
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from webhook_builders import Told, stream, told_in_order

POSTS = stream()


def fresh(folder: str) -> str:
    return f"sqlite:///{folder}/ledger.db?synchronous=normal"


@cache
def clean() -> Told:
    with tempfile.TemporaryDirectory() as folder:
        return told_in_order(fresh(folder), POSTS)


def test_the_clean_order_counts_what_happened(tmp_path: Path) -> None:
    told = told_in_order(fresh(str(tmp_path)), POSTS)
    assert len(told.attempts) == 9
    # What came back is owed again, which stands beside the four words that were sent.
    assert len(told.standings) == 6
    assert {row.split("'")[5] for row in told.standings if "payment_reopened" in row} == {"inv_78", "inv_pm2"}
    outcomes = {row.split("'")[3]: row for row in told.attempts}
    # A debit that was confirmed and then charged back is a decline, and so is one that came back as a dispute.
    assert "'declined'" in outcomes["PM000000000002"]
    assert "'declined'" in outcomes["py_3NfakeSepa000000001"]
    assert "'approved'" in outcomes["ch_3NfakeSucceeded00001"]


@settings(max_examples=8, deadline=None)
@given(st.permutations(range(len(POSTS))), st.lists(st.integers(0, len(POSTS) - 1), max_size=8))
def test_any_order_and_any_repetition_counts_the_same(order: list[int], again: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        told = told_in_order(fresh(folder), [POSTS[i] for i in (*order, *again)])
    assert told == clean()

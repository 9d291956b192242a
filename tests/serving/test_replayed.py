"""A past decision point holds what was known then and nothing later."""

from datetime import timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import START, history, random_history
from features.action import Retry, Slot
from features.attempt import Attempt
from features.encoders import learn
from features.errors import InputError, InvalidValueError
from features.few.frame import FewFrame
from features.frame import frame
from features.instants import to_micros
from features.rows import rows_of_context, rows_of_history
from features.vocabulary import FAILED, Outcome
from frames import assert_same_columns
from serving.replayed import replayed
from training.load import load_history

DAY = timedelta(days=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "history.parquet"
    rows: list[dict[str, object]] = [
        {"attempt_id": "a0", "payment_id": "p0", "attempted_at": START - DAY, "outcome": "approved"},
        {"attempt_id": "a1", "attempted_at": START, "code": "51", "method_id": "m1"},
        {"attempt_id": "a2", "attempted_at": START + DAY, "code": "05", "method_id": "m2", "processor": "south",
         "outcome_at": START + 3 * DAY},
        {"attempt_id": "a3", "attempted_at": START + 4 * DAY, "outcome": "approved", "method_id": "m2"},
        {"attempt_id": "b1", "payment_id": "p9", "customer_id": "c9", "attempted_at": START, "processor": "west"},
        {"attempt_id": "b2", "payment_id": "p8", "customer_id": "c9", "attempted_at": START + 9 * DAY,
         "processor": "late"},
    ]  # fmt: skip
    pq.write_table(history(rows), path)
    return path


def test_the_first_failure_shows_what_was_known_and_what_came_next(file: Path) -> None:
    point = replayed(file, "p1", after=1)
    assert point.context.as_of == START
    assert [attempt.attempt_id for attempt in point.context.attempts] == ["a0", "a1"]
    assert [method.method_id for method in point.context.methods] == ["m1"]
    assert point.next_attempt is not None
    assert (point.next_attempt.attempt_id, point.attempts_after) == ("a2", 2)
    assert point.recovered_at == START + 4 * DAY


def test_a_later_failure_is_decided_when_its_outcome_was_known(file: Path) -> None:
    point = replayed(file, "p1", after=2)
    assert point.context.as_of == START + 3 * DAY
    assert [method.method_id for method in point.context.methods] == ["m1", "m2"]
    assert point.next_attempt is not None
    assert point.next_attempt.outcome is Outcome.APPROVED


def test_processors_are_those_the_merchant_had_used_for_such_a_method_by_then(file: Path) -> None:
    assert replayed(file, "p1", after=1).context.method("m1").processors == ("north", "west")
    assert replayed(file, "p1", after=2).context.method("m2").processors == ("north", "south", "west")


def test_a_payment_id_of_several_merchants_needs_the_merchant(tmp_path: Path) -> None:
    rows = [{"merchant_id": "acme"}, {"merchant_id": "other"}, {"merchant_id": "acme", "outcome": "approved"}]
    pq.write_table(history(rows), tmp_path / "history.parquet")
    with pytest.raises(InvalidValueError, match="acme and other have one"):
        replayed(tmp_path / "history.parquet", "p1", after=1)
    points = {
        name: replayed(tmp_path / "history.parquet", "p1", after=1, merchant_id=name) for name in ("acme", "other")
    }
    assert {name: (p.context.payment.merchant_id, p.attempts_after) for name, p in points.items()} == {
        "acme": ("acme", 1),
        "other": ("other", 0),
    }
    with pytest.raises(InvalidValueError, match="a payment_id of the history"):
        replayed(tmp_path / "history.parquet", "p1", after=1, merchant_id="third")


def test_a_payment_that_is_not_there_is_named(file: Path) -> None:
    with pytest.raises(InvalidValueError, match="--payment: 'p7'"):
        replayed(file, "p7", after=1)


@pytest.mark.parametrize("after", [0, 3])
def test_a_failure_that_never_was_is_refused_with_how_many_there_were(file: Path, after: int) -> None:
    with pytest.raises(InvalidValueError, match=r"--after.*failed 2 times"):
        replayed(file, "p1", after=after)


def test_a_file_that_is_no_history_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        replayed(tmp_path / "missing.parquet", "p1", after=1)
    (tmp_path / "text.parquet").write_text("attempt_id,payment_id\n")
    with pytest.raises(InputError, match="cannot be read as Parquet"):
        replayed(tmp_path / "text.parquet", "p1", after=1)
    pq.write_table(history([{}]).select(["attempt_id", "payment_id"]), tmp_path / "part.parquet")
    with pytest.raises(InputError, match="no column merchant_id"):
        replayed(tmp_path / "part.parquet", "p1", after=1)


def test_on_any_history_a_point_equals_a_plain_walk_over_the_rows(tmp_path: Path) -> None:
    table = random_history(seed=5)
    path = tmp_path / "history.parquet"
    pq.write_table(table, path)
    rows = sorted(table.to_pylist(), key=lambda row: (row["attempted_at"], row["attempt_id"]))
    for payment_id in sorted({row["payment_id"] for row in rows})[:25]:
        failed = [row for row in rows if row["payment_id"] == payment_id and row["outcome"] in FAILED]
        for n, failure in enumerate(failed, start=1):
            known = failure["outcome_at"]
            customer = [r for r in rows if r["customer_id"] == failure["customer_id"] and r["attempted_at"] <= known]
            point = replayed(path, payment_id, after=n)
            assert point.context.as_of == known
            assert [a.attempt_id for a in point.context.attempts] == [row["attempt_id"] for row in customer]
            assert all(_as_row_says(a, row) for a, row in zip(point.context.attempts, customer, strict=True))


def _as_row_says(attempt: Attempt, row: dict[str, object]) -> bool:
    """The outcome as the row has it, unless it became known after everything else in the context."""
    return attempt.outcome in (row["outcome"], Outcome.UNKNOWN) and attempt.processor == row["processor"]


def test_a_replayed_point_gives_the_row_that_training_saw(tmp_path: Path) -> None:
    """The next attempt, proposed in the replayed context, has the same columns as its row in the history."""
    table = plain(random_history(seed=11))
    path = tmp_path / "history.parquet"
    pq.write_table(table, path)
    attempts = load_history(path).table
    rows = rows_of_history(attempts)
    encoders = learn(attempts)
    trained = frame(rows, encoders)
    few = FewFrame(encoders)
    by_time = sorted(table.to_pylist(), key=lambda row: (row["attempted_at"], row["attempt_id"]))
    compared = 0
    for i, position in enumerate(rows.index):
        asked = by_time[int(position)]
        before = [r for r in by_time if r["payment_id"] == asked["payment_id"] and r["outcome"] in FAILED]
        failures = [r["outcome_at"] for r in before if r["attempted_at"] < asked["attempted_at"]]
        if not failures:
            continue
        context = replayed(path, asked["payment_id"], after=len(failures)).context
        on_file = asked["method_id"] in {method.method_id for method in context.methods}
        if to_micros(context.as_of) != rows.decided_at[i] or not on_file:
            continue  # decided when a later outcome was known, or with a method nobody had seen by then
        slot = Slot(asked["attempted_at"], asked["attempted_at"] + timedelta(hours=1))
        retry = Retry(slot, asked["method_id"], asked["processor"])
        served = frame(rows_of_context(context, [retry]), encoders)
        np.testing.assert_array_equal(served[0], trained[i])
        assert_same_columns(few([(context, [retry])]).matrix, served)
        compared += 1
    assert compared > 40


def plain(table: pa.Table) -> pa.Table:
    """The history with one network a card and one amount a payment, as a context states only one."""
    network = [("visa", "mastercard")[sum(m.encode()) % 2] for m in table["method_id"].to_pylist()]
    amount = pa.array([1_000 + 37 * sum(p.encode()) for p in table["payment_id"].to_pylist()], pa.int64())
    for name, values in (("network", pa.array(network)), ("amount_minor", amount)):
        table = table.set_column(table.schema.get_field_index(name), table.schema.field(name), values)
    return table

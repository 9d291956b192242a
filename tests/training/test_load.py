"""A history is read whole or refused in a sentence that says what it is not."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders import history, random_history
from features.declines.taxonomy import change_days, classify
from features.errors import CardNumberError, InputError
from features.table import CATEGORIES, Coded
from features.table_of_history import from_arrow
from features.vocabulary import Network
from training.load import classified, load_history


def test_what_is_left_unread_changes_nothing_in_the_table(tmp_path: Path) -> None:
    arrow = random_history(3)
    pq.write_table(arrow, tmp_path / "history.parquet")
    loaded, whole = load_history(tmp_path / "history.parquet").table, from_arrow(arrow, classified)
    for name in whole.__dataclass_fields__:
        one, other = getattr(loaded, name), getattr(whole, name)
        if isinstance(one, Coded):
            assert one.texts() == other.texts(), name
            one, other = one.codes, other.codes
        np.testing.assert_array_equal(one, other, err_msg=name)


def test_a_code_means_what_it_meant_on_the_day_of_the_attempt_as_for_a_decision() -> None:
    (day,) = change_days(Network.VISA, "any")
    change = datetime(day.year, day.month, day.day, tzinfo=UTC)
    instants = [change - timedelta(days=40), change - timedelta(microseconds=1), change, change + timedelta(days=400)]
    rows = history([{"code": "83", "network": "visa", "attempted_at": at, "outcome": "declined"} for at in instants])
    meant = [classify("83", processor="any", network=Network.VISA, at=at).category for at in instants]
    assert [CATEGORIES[code] for code in from_arrow(rows, classified).category] == meant
    assert meant[1] != meant[2]


def test_codes_and_markets_follow_the_order_of_the_table(tmp_path: Path) -> None:
    arrow = random_history(4)
    pq.write_table(arrow, tmp_path / "history.parquet")
    history = load_history(tmp_path / "history.parquet")
    expected = arrow.column("code").to_pylist()
    got = [history.code.word(int(code)) for code in history.code.codes]
    assert got == [expected[row] for row in history.table.source_row]


def test_the_same_bytes_have_the_same_digest(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pq.write_table(random_history(5), tmp_path / name)
    assert load_history(tmp_path / "one").digest == load_history(tmp_path / "two").digest


@pytest.mark.parametrize("name", ["issuer_id", "processor", "market", "code"])
def test_a_word_that_a_model_would_repeat_holds_no_card_number(tmp_path: Path, name: str) -> None:
    arrow = random_history(6)
    words = [*arrow.column(name).to_pylist()[:-1], "4242 4242 4242 4242"]
    at = arrow.column_names.index(name)
    pq.write_table(arrow.set_column(at, arrow.field(at), [words]), tmp_path / "history.parquet")
    with pytest.raises(CardNumberError, match=name) as refused:
        load_history(tmp_path / "history.parquet")
    assert "4242" not in str(refused.value)


def test_the_name_of_a_history_which_the_registry_keeps_holds_no_card_number(tmp_path: Path) -> None:
    pq.write_table(random_history(6), tmp_path / "4242424242424242.parquet")
    with pytest.raises(CardNumberError, match="history"):
        load_history(tmp_path / "4242424242424242.parquet")


def _csv(path: Path) -> None:
    path.write_text("attempt_id,payment_id\n1,2\n")


def _truncated(path: Path) -> None:
    pq.write_table(random_history(1), path)
    path.write_bytes(path.read_bytes()[:-200])


def _other_table(path: Path) -> None:
    pq.write_table(pa.table({"a": [1]}), path)


def _no_rows(path: Path) -> None:
    pq.write_table(random_history(1).slice(0, 0), path)


def _later_format(path: Path) -> None:
    pq.write_table(random_history(1).replace_schema_metadata({"recoup_history": "9"}), path)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda path: None, "no such file"),
        (lambda path: path.mkdir(), "no such file"),
        (lambda path: path.write_bytes(b""), "not a whole Parquet file"),
        (_csv, "not a whole Parquet file"),
        (_truncated, "not a whole Parquet file"),
        (_other_table, "has no column attempt_id"),
        (_no_rows, "has no rows"),
        (_later_format, "history format 9"),
    ],
)
def test_what_is_not_a_history_is_refused(tmp_path: Path, make: Callable[[Path], object], sentence: str) -> None:
    path = tmp_path / "history.parquet"
    make(path)
    with pytest.raises(InputError, match=sentence):
        load_history(path)

"""A history becomes a table: whose an attempt is, and when what came of it was known."""

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest

from builders import START, history, of_merchant, random_history, simple_classify
from features.known import NEVER
from features.rows import rows_of_history
from features.table import AttemptTable, Coded
from features.table_of_history import from_arrow


def table_of(rows: pa.Table) -> AttemptTable:
    return from_arrow(rows, simple_classify)


def told(column: Coded) -> list[str | None]:
    return [column.word(int(code)) for code in column.codes]


def test_an_approval_of_another_merchants_payment_of_the_same_id_ends_nothing() -> None:
    rows = history(
        [
            {"merchant_id": "acme", "payment_id": "1001", "customer_id": "7"},
            {"merchant_id": "other", "payment_id": "1001", "customer_id": "7", "outcome": "approved"},
            {"merchant_id": "acme", "payment_id": "1001", "customer_id": "7"},
        ]
    )
    table = table_of(rows)
    assert table.is_retry.tolist() == [False, False, True]
    retry = rows_of_history(table)
    assert retry.index.tolist() == [2]
    for known in (retry.of_payment, retry.of_customer, retry.of_method):
        assert known.count.tolist() == [1]


def test_two_merchants_teach_what_each_teaches_alone() -> None:
    one, two = of_merchant(random_history(1), "acme"), of_merchant(random_history(2), "other")
    alone = [rows_of_history(table_of(rows)) for rows in (one, two)]
    both = rows_of_history(table_of(pa.concat_tables([one, two])))
    for offset, own in zip((0, len(one)), alone, strict=True):
        theirs = (both.table.source_row[both.index] >= len(one)) == (offset > 0)
        source = own.table.source_row[own.index] + offset
        np.testing.assert_array_equal(both.table.source_row[both.index][theirs], source)
        np.testing.assert_array_equal(both.of_customer.count[theirs], own.of_customer.count)
        np.testing.assert_array_equal(both.of_method.count[theirs], own.of_method.count)


@pytest.mark.parametrize("coded", [False, True])
def test_ids_of_several_merchants_name_the_merchant_and_those_of_one_stay_as_they_are(coded: bool) -> None:
    rows = history([{"merchant_id": name, "customer_id": "7"} for name in ("acme", "other", "acme")])
    if coded:  # as `load_history` reads it; the words of a part still name those who are not in it
        place = rows.schema.get_field_index("merchant_id")
        rows = rows.set_column(place, "merchant_id", rows["merchant_id"].dictionary_encode())
    assert told(table_of(rows).customer) == ["acme\x1f7", "other\x1f7", "acme\x1f7"]
    assert told(table_of(rows.take([0, 2])).customer) == ["7", "7"]


def test_ids_that_would_read_the_same_are_told_apart() -> None:
    table = table_of(history([{"merchant_id": m, "customer_id": c} for m, c in (("a/b", "c"), ("a", "b/c"))]))
    assert len(set(table.customer.codes.tolist())) == 2


def test_issuers_are_the_same_whoever_asks_them() -> None:
    rows = history([{"merchant_id": name, "issuer_id": "b", "issuer_country": "DE"} for name in ("acme", "other")])
    assert told(table_of(rows).issuer) == ["DE:b", "DE:b"]


@pytest.mark.parametrize("heard", [None, START + timedelta(days=2)])
def test_an_outcome_that_is_unknown_never_becomes_known(heard: object) -> None:
    table = table_of(history([{"outcome": "unknown", "outcome_at": heard}, {}]))
    assert (table.known_at == NEVER).tolist() == [True, False]


def test_what_follows_an_unknown_outcome_was_decided_once_that_attempt_was_made() -> None:
    rows = rows_of_history(table_of(history([{}, {"outcome": "unknown"}, {}])))
    assert rows.decided_at.tolist() == rows.table.at[[0, 1]].tolist()
    assert rows.of_payment.count.tolist() == [1, 1]
